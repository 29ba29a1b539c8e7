/**
 * Joins three orders of things into one that holds exactly `members`. Who has put things into another order
 * gets theirs, the person before Potion; what the other side has added stands behind what it stood behind there.
 */
export function mergeOrder(
  base: readonly string[],
  mine: readonly string[],
  shipped: readonly string[],
  members: ReadonlySet<string>,
): string[] {
  const [old, own, theirs] = [base, mine, shipped].map((ids) =>
    unique(ids.filter((id) => members.has(id))),
  ) as Three;
  const [order, follow] = reordered(old, own) ? [own, theirs] : [theirs, own];
  const placed = new Set(order);
  for (const [index, id] of follow.entries()) {
    if (placed.has(id)) continue;
    const before = follow.slice(0, index).findLast((other) => placed.has(other));
    order.splice(before === undefined ? 0 : order.indexOf(before) + 1, 0, id);
    placed.add(id);
  }
  return order;
}

type Three = [string[], string[], string[]];

/** Whether what both lists hold stands in another order. */
export function reordered(before: readonly string[], after: readonly string[]): boolean {
  const [old, now] = [new Set(before), new Set(after)];
  const kept = before.filter((id) => now.has(id));
  const same = after.filter((id) => old.has(id));
  return kept.some((id, index) => id !== same[index]);
}

/** Joins three sets: what either side has added is in, what either side has taken out is not. */
export function mergeSet(
  base: ReadonlySet<string>,
  mine: ReadonlySet<string>,
  shipped: ReadonlySet<string>,
): Set<string> {
  return new Set([...mine, ...shipped].filter((id) => (mine.has(id) && shipped.has(id)) || !base.has(id)));
}

function unique(ids: readonly string[]): string[] {
  return [...new Set(ids)];
}

import { boxOf, overlap } from './geometry.js';
import type { FlowNode } from './model.js';

// As the editor sends them: groups lie below everything, config nodes are not drawn, nodes come last.
const KINDS = ['group', 'config', 'junction', 'node'] as const;

/**
 * The nodes of one file in an order that stays: that of `before`, new nodes behind the node they follow.
 *
 * The editor sends nodes in the order in which they are drawn, and that changes without anyone having meant
 * it (undo, merge, other API clients). It can only be seen where boxes overlap; there the new order is taken.
 */
export function keepOrder(nodes: readonly FlowNode[], before: readonly FlowNode[]): FlowNode[] {
  return KINDS.flatMap((kind) => {
    const now = nodes.filter((node) => kindOf(node) === kind);
    const depth = kind === 'group' ? depths(now) : new Map<string, number>();
    const kept = settle(now, before, depth);
    // Outer groups before inner ones, as the editor orders them when it loads.
    return kept.sort((a, b) => (depth.get(a.id) ?? 0) - (depth.get(b.id) ?? 0));
  });
}

function kindOf(node: FlowNode): (typeof KINDS)[number] {
  if (node.type === 'group' || node.type === 'junction') return node.type;
  // Node-RED tells config nodes by this as well.
  return 'x' in node && 'y' in node ? 'node' : 'config';
}

function settle(
  now: readonly FlowNode[],
  before: readonly FlowNode[],
  depth: ReadonlyMap<string, number>,
): FlowNode[] {
  const rank = new Map(before.map(({ id }, index) => [id, index]));
  const known = now.filter(({ id }) => rank.has(id));
  const flipped = known.some((upper, index) =>
    known
      .slice(0, index)
      .some(
        (lower) =>
          (rank.get(lower.id) as number) > (rank.get(upper.id) as number) &&
          depth.get(lower.id) === depth.get(upper.id) &&
          overlap(boxOf(lower), boxOf(upper)),
      ),
  );
  if (flipped) return [...now];
  const kept = known.toSorted((a, b) => (rank.get(a.id) as number) - (rank.get(b.id) as number));
  for (const [index, node] of now.entries()) {
    if (rank.has(node.id)) continue;
    const predecessor = now[index - 1];
    kept.splice(predecessor ? kept.indexOf(predecessor) + 1 : 0, 0, node);
  }
  return kept;
}

/** How deep each group is nested; 0 for the outermost. */
function depths(groups: readonly FlowNode[]): Map<string, number> {
  const byId = new Map(groups.map((group) => [group.id, group]));
  const depthOf = (group: FlowNode, seen: readonly string[] = []): number => {
    const outer = typeof group.g === 'string' ? byId.get(group.g) : undefined;
    return outer && !seen.includes(outer.id) ? 1 + depthOf(outer, [...seen, group.id]) : 0;
  };
  return new Map(groups.map((group) => [group.id, depthOf(group)]));
}

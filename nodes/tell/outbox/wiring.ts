/** A node of the running flow as far as its wires go. */
export interface Wired {
  id: string;
  type: string;
  /** Ids per output. */
  wires?: string[][];
  /** A link out node: ids of its link in nodes. */
  links?: string[];
}

export interface Wiring {
  /** Ids of the sender nodes that messages of the outbox reach. */
  senders: string[];
  /** Every sender brings back what was sent (output 1) and what failed (output 2). */
  whole: boolean;
}

// A flow of a thousand nodes between an outbox and its sender is no flow that a person has drawn.
const MOST = 1000;

/** Follows the wires, through links and whatever else lies between. */
export function reached(from: string[], find: (id: string) => Wired | undefined): Set<string> {
  const seen = new Set<string>();
  const next = [...from];
  while (next.length > 0 && seen.size < MOST) {
    const id = next.pop() as string;
    if (seen.has(id)) continue;
    seen.add(id);
    const node = find(id);
    next.push(...(node?.wires?.flat() ?? []), ...(node?.type === 'link out' ? (node.links ?? []) : []));
  }
  return seen;
}

/** How an outbox is wired to sender nodes of node-red-contrib-telegrambot, and they back to it. */
export function wiringOf(outbox: Wired, find: (id: string) => Wired | undefined): Wiring {
  const senders = [...reached(outbox.wires?.flat() ?? [], find)].filter(
    (id) => find(id)?.type === 'telegram sender',
  );
  const hears = (wires: string[] | undefined) => reached(wires ?? [], find).has(outbox.id);
  const whole = senders.every((id) => {
    const wires = find(id)?.wires ?? [];
    return hears(wires[0]) && hears(wires[1]);
  });
  // What stands in for a sender, e.g. in a test, is not looked into; a loose end is no sender.
  return { senders, whole: whole && (outbox.wires?.flat().length ?? 0) > 0 };
}

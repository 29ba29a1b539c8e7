import { isDeepStrictEqual } from 'node:util';
import { type FlowNode, type Flows, isOwner, labelOf, nameOf } from './model.js';

/** Whether two sets mean the same to Node-RED and to a reader: tab order, nodes, credentials. */
export function sameFlows(a: Flows, b: Flows): boolean {
  const order = ({ nodes }: Flows, type: string) =>
    nodes.filter((node) => node.type === type).map(({ id }) => id);
  return (
    a.nodes.length === b.nodes.length &&
    ['tab', 'subflow'].every((type) => isDeepStrictEqual(order(a, type), order(b, type))) &&
    isDeepStrictEqual(byId(a.nodes), byId(b.nodes)) &&
    isDeepStrictEqual(a.credentials, b.credentials)
  );
}

function byId(nodes: readonly FlowNode[]): Map<string, FlowNode> {
  return new Map(nodes.map((node) => [node.id, node]));
}

/** One tab (or subflow, or the shared config nodes) that differs, with the nodes that do. */
export interface TabChange {
  label: string;
  how: 'added' | 'removed' | 'changed';
  added: string[];
  removed: string[];
  changed: string[];
}

/** What putting `after` in the place of `before` would change, tab by tab. */
export function changesOf(before: readonly FlowNode[], after: readonly FlowNode[]): TabChange[] {
  const [old, now] = [byId(before), byId(after)];
  const homes = new Set([...after, ...before].map(homeOf));
  return [...homes].flatMap((home): TabChange[] => {
    const inside = (node: FlowNode) => homeOf(node) === home && !isOwner(node);
    const mine = [before.filter(inside), after.filter(inside)] as const;
    const owner = now.get(home) ?? old.get(home);
    const change: TabChange = {
      label: owner ? labelOf(owner) || `(${owner.type} without a name)` : 'shared config nodes',
      how: owner && !old.has(home) ? 'added' : owner && !now.has(home) ? 'removed' : 'changed',
      added: mine[1].filter(({ id }) => !mine[0].some((node) => node.id === id)).map(nameOf),
      removed: mine[0].filter(({ id }) => !mine[1].some((node) => node.id === id)).map(nameOf),
      changed: mine[1]
        .filter(
          (node) => mine[0].some(({ id }) => id === node.id) && !isDeepStrictEqual(node, old.get(node.id)),
        )
        .map(nameOf),
    };
    const same = isDeepStrictEqual(old.get(home), now.get(home));
    const quiet = same && change.added.length + change.removed.length + change.changed.length === 0;
    return quiet ? [] : [change];
  });
}

/** Id of the tab or subflow that a node belongs to, or is; empty for shared config nodes. */
function homeOf(node: FlowNode): string {
  return isOwner(node) ? node.id : (node.z ?? '');
}

/** The changes as lines for a person. */
export function describeChanges(changes: readonly TabChange[]): string {
  if (changes.length === 0) return 'Nothing changes.';
  const names = (sign: string, list: readonly string[]) => list.map((name) => `    ${sign} ${name}`);
  return changes
    .flatMap(({ label, how, added, removed, changed }) => [
      `  ${label}: ${how === 'changed' ? '' : `${how}, `}${count(added, '+')} ${count(changed, '~')} ${count(removed, '-')} nodes`,
      ...(how === 'changed' ? [...names('+', added), ...names('~', changed), ...names('-', removed)] : []),
    ])
    .join('\n');
}

function count(list: readonly string[], sign: string): string {
  return `${sign}${list.length}`;
}

import { isDeepStrictEqual } from 'node:util';
import { type FlowNode, type Flows, isOwner } from '../../runtime/flows/model.js';

/** The three states of a merge: the last shipped flows that the person's stem from, theirs, the new ones. */
export interface Sides {
  base: Nodes;
  mine: Nodes;
  shipped: Nodes;
}

/** By id. Each node carries its credential references as `credentials`, as an export of Node-RED does. */
export type Nodes = ReadonlyMap<string, FlowNode>;

/** Which side's word holds; `both` when they say the same. */
export type Side = 'mine' | 'shipped' | 'both';

/** Where a node is drawn. Moving and grouping nodes changes nothing of what they do. */
export const PLACE = ['x', 'y', 'w', 'h', 'g'] as const;

/** Nodes with their credentials. */
export function nodesOf({ nodes, credentials }: Flows): Nodes {
  return new Map(
    nodes.map((node) => {
      const own = credentials[node.id];
      const filled = own && Object.keys(own).length > 0;
      return [node.id, filled ? { ...node, credentials: own } : node];
    }),
  );
}

/** What a node does: all but its place, and but the members of a group, which say by `g` that they are. */
export function contentOf(node: FlowNode): Record<string, unknown> {
  const left: readonly string[] = node.type === 'group' ? [...PLACE, 'nodes'] : PLACE;
  return Object.fromEntries(Object.entries(node).filter(([key]) => !left.includes(key)));
}

export function placeOf(node: FlowNode): Record<string, unknown> {
  return Object.fromEntries(PLACE.filter((key) => key in node).map((key) => [key, node[key]]));
}

export function sameContent(a: FlowNode | undefined, b: FlowNode | undefined): boolean {
  return isDeepStrictEqual(a && contentOf(a), b && contentOf(b));
}

export function samePlace(a: FlowNode | undefined, b: FlowNode | undefined): boolean {
  return isDeepStrictEqual(a && placeOf(a), b && placeOf(b));
}

/** Ids that a group lists as its members. */
export function membersOf(group: FlowNode | undefined): string[] {
  const list = group?.type === 'group' ? group.nodes : undefined;
  return Array.isArray(list) ? list.filter((id) => typeof id === 'string') : [];
}

/** Config nodes are not drawn. Node-RED tells them by this as well. */
export function isConfig(node: FlowNode): boolean {
  return !isOwner(node) && node.type !== 'group' && !('x' in node && 'y' in node);
}

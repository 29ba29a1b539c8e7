import type { FlowNode } from '../../runtime/flows/model.js';
import type { ConflictKind } from './conflict.js';
import { PLACE, placeOf, type Side, type Sides, sameContent, samePlace } from './sides.js';

/** What becomes of one node. */
export interface Choice {
  /** Absent: the node is not in the result. */
  node?: FlowNode;
  /** Whose content, and so whose wires, the node has. */
  content: Side;
  /** Whose place on the canvas. */
  place: Side;
  /** Why a change that Potion ships is not in it, or not whole. */
  kind?: ConflictKind;
}

/**
 * Decides about one node by what either side did to it since the base.
 *
 * The content of a node is one thing: where both sides changed it, the person's stays whole, because half of
 * one setting with half of another is a node that nobody has ever tried. Its place is another thing: a node
 * that was only moved or grouped gets the new content where the person has put it. A move alone does not keep
 * a node that Potion has given up.
 */
export function choose(id: string, { base, mine, shipped }: Sides): Choice {
  const [b, m, s] = [base.get(id), mine.get(id), shipped.get(id)];
  if (m && s) return chooseBetween(b, m, s);
  if (m) {
    if (!b) return { node: m, content: 'mine', place: 'mine' };
    if (sameContent(b, m)) return { content: 'shipped', place: 'shipped' };
    return { node: m, content: 'mine', place: 'mine', kind: 'deleted-by-potion' };
  }
  if (s && !b) return { node: s, content: 'shipped', place: 'shipped' };
  const changed = s && !sameContent(b, s);
  return { content: 'mine', place: 'mine', ...(changed ? { kind: 'deleted-by-you' } : {}) };
}

function chooseBetween(b: FlowNode | undefined, m: FlowNode, s: FlowNode): Choice {
  const stay = (kind?: ConflictKind): Choice => ({ node: m, content: 'mine', place: 'mine', kind });
  const content = sideOf(sameContent(m, s), sameContent(b, m), sameContent(b, s));
  if (content === undefined) return stay(b ? 'changed-by-both' : 'added-by-both');
  const where = sideOf(samePlace(m, s), samePlace(b, m), samePlace(b, s));
  const place = where ?? 'mine';
  const moved = where === undefined ? { kind: 'place' as const } : {};
  // A place means nothing on another tab.
  if (m.z !== s.z && place !== content) {
    if (content === 'shipped') return place === 'mine' ? stay('changed-by-both') : taking(s, 'shipped');
    return stay(place === 'shipped' ? 'place' : undefined);
  }
  const source = content === 'shipped' ? s : m;
  return { node: placed(source, place === 'shipped' ? s : m), content, place, ...moved };
}

function taking(node: FlowNode, side: Side): Choice {
  return { node, content: side, place: side };
}

/** Whose version holds; undefined when both sides have changed it to something different. */
function sideOf(same: boolean, mineIsBase: boolean, shippedIsBase: boolean): Side | undefined {
  if (same) return 'both';
  if (mineIsBase) return 'shipped';
  return shippedIsBase ? 'mine' : undefined;
}

/** The node, standing where the other one stands. */
function placed(node: FlowNode, other: FlowNode): FlowNode {
  if (samePlace(node, other)) return node;
  const moved: FlowNode = { ...node };
  for (const key of PLACE) delete moved[key];
  return Object.assign(moved, placeOf(other));
}

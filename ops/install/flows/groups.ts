import { type Box, boxOf, within } from '../../runtime/flows/geometry.js';
import type { FlowNode } from '../../runtime/flows/model.js';
import type { Choice } from './choose.js';
import { mergeOrder, mergeSet } from './sequence.js';
import { membersOf, type Nodes, type Sides } from './sides.js';

/** Room that the editor leaves between a group's frame and what is in it, in pixels. */
const PADDING = 20;

/**
 * Makes the groups' lists of members agree with the nodes that were chosen, and their frames hold them.
 * @param choices of every node; changed in place
 */
export function mendGroups(choices: Map<string, Choice>, sides: Sides): void {
  const groups = [...choices.values()].filter(({ node }) => node?.type === 'group');
  for (const choice of groups) {
    const group = choice.node as FlowNode;
    if (!Array.isArray(group.nodes)) continue;
    const nodes = mergeMembers(group.id, choices, sides);
    if (nodes.join('\n') !== membersOf(group).join('\n')) choice.node = { ...group, nodes };
  }
  // The inner ones first, because the outer ones must hold them.
  for (const choice of groups.sort((a, b) => depth(b, choices) - depth(a, choices)))
    choice.node = grown(choice.node as FlowNode, choices, sides);
}

function mergeMembers(id: string, choices: ReadonlyMap<string, Choice>, sides: Sides): string[] {
  const lists = [sides.base, sides.mine, sides.shipped].map((side) => membersOf(side.get(id)));
  const [base = [], mine = [], shipped = []] = lists;
  const joined = mergeSet(new Set(base), new Set(mine), new Set(shipped));
  const members = new Set(
    lists.flat().filter((member) => {
      const choice = choices.get(member);
      // The list says of a node what that side's list says from which the node's place was taken.
      if (choice?.kind === 'without' && choice.node?.g !== id) return false;
      if (choice?.node && choice.place !== 'both')
        return (choice.place === 'mine' ? mine : shipped).includes(member);
      if (choice?.node || !choice) return joined.has(member);
      return !sides.mine.has(member) && mine.includes(member);
    }),
  );
  return mergeOrder(base, mine, shipped, members);
}

/** The group's frame, larger where a member would stand outside that stood inside where it came from. */
function grown(group: FlowNode, choices: ReadonlyMap<string, Choice>, sides: Sides): FlowNode {
  const frame = boxOf(group);
  if (!frame) return group;
  let now = frame;
  for (const id of membersOf(group)) {
    const choice = choices.get(id);
    const box = choice?.node && boxOf(choice.node);
    if (!choice || !box || within(box, now) || stoodOutside(id, group.id, choice, sides)) continue;
    now = {
      left: Math.min(now.left, box.left - PADDING),
      right: Math.max(now.right, box.right + PADDING),
      top: Math.min(now.top, box.top - PADDING),
      bottom: Math.max(now.bottom, box.bottom + PADDING),
    };
  }
  return now === frame ? group : { ...group, ...frameOf(now) };
}

function frameOf({ left, right, top, bottom }: Box) {
  return { x: left, y: top, w: right - left, h: bottom - top };
}

/** Drawings that were so before the merge are not its business. */
function stoodOutside(id: string, group: string, { place }: Choice, sides: Sides): boolean {
  const outsideIn = (side: Nodes) => {
    const [node, frame] = [side.get(id), side.get(group)];
    const [inner, outer] = [node && boxOf(node), frame && boxOf(frame)];
    return !inner || !outer || !within(inner, outer);
  };
  if (place === 'both') return outsideIn(sides.mine) || outsideIn(sides.shipped);
  return outsideIn(sides[place]);
}

function depth({ node }: Choice, choices: ReadonlyMap<string, Choice>): number {
  const seen = new Set<string>();
  let at = node;
  while (typeof at?.g === 'string' && !seen.has(at.g)) {
    seen.add(at.g);
    at = choices.get(at.g)?.node;
  }
  return seen.size;
}

import { type Credentials, type FlowNode, type Flows, isOwner } from '../../runtime/flows/model.js';
import { type Choice, choose } from './choose.js';
import { type Conflict, type ConflictKind, conflictOf } from './conflict.js';
import { mendGroups } from './groups.js';
import { holds, type Reference, referencesOf, without } from './references.js';
import { mergeOrder, reordered } from './sequence.js';
import { type Nodes, nodesOf, type Sides } from './sides.js';

export interface Merge {
  flows: Flows;
  /** Every shipped change that is not in `flows`, or not whole. */
  conflicts: Conflict[];
}

/**
 * Brings what Potion has changed in its flows (`base` → `shipped`) into the person's (`mine`), node by node.
 *
 * Where both changed the same node, the person's stays and the difference is a conflict (see choose.ts). What
 * the person deleted stays deleted. What Potion gave up goes, unless the person changed it or something of
 * theirs needs it: their wires, tabs, groups and config nodes keep working. A shipped node whose tab or subflow
 * they deleted is left out; one that only points at something they deleted comes without that wire. No shipped
 * change gets lost in silence: it is in the result or among the conflicts.
 * @param base the flows as shipped that the person's stem from
 */
export function mergeFlows(base: Flows, mine: Flows, shipped: Flows): Merge {
  const sides = { base: nodesOf(base), mine: nodesOf(mine), shipped: nodesOf(shipped) };
  const choices = settle(sides);
  const conflicts: Conflict[] = [];
  for (const [id, choice] of choices) {
    const broken = brokenIn(choice, choices, sides, 'shipped');
    if (choice.node && broken.length > 0) {
      choice.node = without(choice.node, broken);
      choice.kind = 'without';
    }
    if (choice.kind) conflicts.push(conflictOf(choice.kind, id, sides, choice.node, broken));
  }
  mendGroups(choices, sides);
  const order = ordered(choices, [base, mine, shipped]);
  if (order.disputed) conflicts.push(orderConflict([base, mine, shipped]));
  return { flows: split(order.nodes, orphans(base, mine, shipped, choices)), conflicts };
}

/** Decides about every node, and again where decisions do not go together, until all do. */
function settle(sides: Sides): Map<string, Choice> {
  const ids = new Set([...sides.mine.keys(), ...sides.shipped.keys(), ...sides.base.keys()]);
  const kept = new Map<string, ConflictKind>();
  for (;;) {
    const choices = new Map([...ids].map((id) => [id, keeping(id, sides, kept.get(id))]));
    const more = [...choices].flatMap(([id, choice]) => [
      ...neededBy(id, choice, choices, sides),
      ...homeless(id, choice, choices, sides),
    ]);
    const fresh = more.filter(([id]) => !kept.has(id));
    if (fresh.length === 0) return choices;
    for (const [id, kind] of fresh) kept.set(id, kind);
  }
}

/** The decision, or the person's version where that has to stay. */
function keeping(id: string, sides: Sides, why: ConflictKind | undefined): Choice {
  const choice = choose(id, sides);
  const mine = sides.mine.get(id);
  if (!why || (choice.node === mine && choice.content !== 'shipped')) return choice;
  return {
    node: mine,
    content: 'mine',
    place: 'mine',
    kind: choice.kind && choice.kind !== 'place' ? choice.kind : why,
  };
}

type Kept = [id: string, why: ConflictKind];

/** What must stay as the person has it, because something of theirs points at it. */
function neededBy(id: string, choice: Choice, choices: ReadonlyMap<string, Choice>, sides: Sides): Kept[] {
  if (!choice.node) return [];
  const needed = brokenIn(choice, choices, sides, 'mine').map(({ to }): Kept => [to, 'still-used']);
  // A tab or subflow that stays though Potion gave it up stays whole.
  if (isOwner(choice.node) && !sides.shipped.has(id))
    for (const node of sides.mine.values())
      if (node.z === id && !sides.shipped.has(node.id)) needed.push([node.id, 'still-used']);
  return needed;
}

/** A shipped node without the tab or subflow that it can't be without. */
function homeless(id: string, choice: Choice, choices: ReadonlyMap<string, Choice>, sides: Sides): Kept[] {
  const broken = brokenIn(choice, choices, sides, 'shipped');
  return broken.some(({ kind }) => kind === 'tab' || kind === 'subflow') ? [[id, 'no-place']] : [];
}

/** References that held on the side they come from and no longer do. */
function brokenIn(
  { node, content, place }: Choice,
  choices: ReadonlyMap<string, Choice>,
  sides: Sides,
  side: 'mine' | 'shipped',
): Reference[] {
  const origin = node && sides[side].get(node.id);
  if (!node || !origin) return [];
  return referencesOf(node, sides[side]).filter((reference) => {
    if ((reference.kind === 'group' ? place : content) !== side) return false;
    const held = holds(reference, origin, sides[side]);
    return holds(reference, node, chosen(choices, reference.to)) < held;
  });
}

/** As much of the result as it takes to look at one node. */
function chosen(choices: ReadonlyMap<string, Choice>, id: string): Nodes {
  const node = choices.get(id)?.node;
  return new Map(node ? [[id, node]] : []);
}

type Three = readonly [Flows, Flows, Flows];

/** Tabs and subflows in their order, each followed by its nodes in theirs, then what belongs to none. */
function ordered(
  choices: ReadonlyMap<string, Choice>,
  flows: Three,
): { nodes: FlowNode[]; disputed: boolean } {
  const nodes = [...choices.values()].flatMap(({ node }) => node ?? []);
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const inOrder = (belongs: (node: FlowNode) => boolean) => {
    const [base, mine, shipped] = flows.map((side) => side.nodes.filter(belongs).map(({ id }) => id)) as [
      string[],
      string[],
      string[],
    ];
    const members = new Set(nodes.filter(belongs).map(({ id }) => id));
    // A node that came to this tab from another one by the merge stands in none of the three lists.
    const listed = mergeOrder(base, mine, shipped, members);
    return [...new Set([...listed, ...members])];
  };
  const owners = inOrder(isOwner);
  const isOwned = (node: FlowNode) => !isOwner(node) && node.z !== undefined && byId.has(node.z);
  const ids = [
    ...owners.flatMap((owner) => [owner, ...inOrder((node) => !isOwner(node) && node.z === owner)]),
    ...inOrder((node) => !isOwner(node) && !isOwned(node)),
  ];
  const [base, mine, shipped] = flows.map((side) => ownersOf(side).filter((id) => byId.has(id))) as [
    string[],
    string[],
    string[],
  ];
  const disputed = reordered(base, mine) && reordered(base, shipped) && reordered(mine, shipped);
  return { nodes: ids.flatMap((id) => byId.get(id) ?? []), disputed };
}

function ownersOf({ nodes }: Flows): string[] {
  return nodes.filter(isOwner).map(({ id }) => id);
}

function orderConflict([base, mine, shipped]: Three): Conflict {
  const names = (flows: Flows) => ownersOf(flows).join(', ');
  const difference = { property: 'order', base: names(base), mine: names(mine), shipped: names(shipped) };
  return { kind: 'order', id: '', type: 'tab', name: '', tab: '', differences: [difference] };
}

/** Credentials of ids that are no node: the person's, as Node-RED would have dropped them. */
function orphans(
  base: Flows,
  mine: Flows,
  shipped: Flows,
  choices: ReadonlyMap<string, Choice>,
): Credentials {
  const known = new Set(choices.keys());
  const unowned = ({ credentials }: Flows) =>
    Object.entries(credentials).filter(([id]) => !known.has(id)) as [string, Record<string, unknown>][];
  const old = new Set(unowned(base).map(([id]) => id));
  const gone = new Set([...old].filter((id) => !Object.hasOwn(shipped.credentials, id)));
  return Object.fromEntries([
    ...unowned(shipped).filter(([id]) => !old.has(id)),
    ...unowned(mine).filter(([id]) => !gone.has(id)),
  ]);
}

/** Parts the nodes from their credentials again. */
function split(nodes: readonly FlowNode[], credentials: Credentials): Flows {
  const own: Credentials = { ...credentials };
  const bare = nodes.map((node) => {
    if (node.credentials === undefined) return node;
    const { credentials: fields, ...rest } = node;
    own[node.id] = fields as Record<string, unknown>;
    return rest as FlowNode;
  });
  return { nodes: bare, credentials: own };
}

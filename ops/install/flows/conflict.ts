import { isDeepStrictEqual } from 'node:util';
import { type FlowNode, isOwner, labelOf } from '../../runtime/flows/model.js';
import type { Reference } from './references.js';
import { contentOf, placeOf, type Sides } from './sides.js';

/**
 * Why something that Potion ships is not in the person's flows, or not whole.
 *
 * changed-by-both    both changed the node: theirs stays
 * added-by-both      both have a node of this id: theirs stays
 * deleted-by-you     Potion changed it, they had deleted it: it stays deleted
 * deleted-by-potion  Potion gave it up, they had changed it: it stays
 * still-used         Potion gave it up or changed it so that what is theirs would no longer work with it: theirs stays
 * no-place           it stands on a tab, or is made of a subflow, that they deleted: it is not brought in
 * without            it is in, but without its wires to (or its group, or its use of) what they deleted
 * place              both moved it: theirs stays
 * order              both changed the order of the tabs: theirs stays
 */
export type ConflictKind =
  | 'changed-by-both'
  | 'added-by-both'
  | 'deleted-by-you'
  | 'deleted-by-potion'
  | 'still-used'
  | 'no-place'
  | 'without'
  | 'place'
  | 'order';

/** A property that differs. What a side does not have is absent. */
export interface Difference {
  property: string;
  base?: unknown;
  mine?: unknown;
  shipped?: unknown;
}

/** One shipped change that was not taken, or not whole. */
export interface Conflict {
  kind: ConflictKind;
  /** Of the node; empty for the order of the tabs. */
  id: string;
  type: string;
  /** The node's name or label; empty when it has none. */
  name: string;
  /** Label of its tab or subflow; empty for shared config nodes. */
  tab: string;
  differences: Difference[];
}

/**
 * Describes what happened to a node.
 * @param taken the node as it is in the result
 * @param broken what it points at that is not there
 */
export function conflictOf(
  kind: ConflictKind,
  id: string,
  sides: Sides,
  taken: FlowNode | undefined,
  broken: readonly Reference[],
): Conflict {
  const [base, mine, shipped] = [sides.base.get(id), sides.mine.get(id), sides.shipped.get(id)];
  const node = mine ?? shipped ?? base ?? { id, type: '' };
  const parts = kind === 'place' ? placeOf : kind === 'without' ? whole : contentOf;
  const theirs = kind === 'without' ? taken : mine;
  return {
    kind,
    id,
    type: node.type,
    name: nameIn(node),
    tab: tabOf(node, sides),
    differences: [
      ...differencesOf(base && parts(base), theirs && parts(theirs), shipped && parts(shipped)),
      // Which property names it is only known to the node's type, so it stands there as it was shipped.
      ...broken.filter(({ kind: how }) => how === 'use').map(({ to }) => ({ property: 'uses', shipped: to })),
    ],
  };
}

function whole(node: FlowNode): Record<string, unknown> {
  return node.type === 'group' ? contentOf(node) : node;
}

type Properties = Record<string, unknown> | undefined;

/** Of a node that one side has deleted: what the other side has changed in it. */
function differencesOf(base: Properties, mine: Properties, shipped: Properties): Difference[] {
  const [from, to] = mine && shipped ? [mine, shipped] : [base, mine ?? shipped];
  if (!from || !to) return [];
  const names = [...new Set([...Object.keys(from), ...Object.keys(to)])];
  return names
    .filter((property) => !isDeepStrictEqual(from[property], to[property]))
    .map((property) => ({
      property,
      ...valueIn(base, 'base', property),
      ...valueIn(mine, 'mine', property),
      ...valueIn(shipped, 'shipped', property),
    }));
}

function valueIn(properties: Properties, side: 'base' | 'mine' | 'shipped', property: string) {
  return properties && property in properties ? { [side]: properties[property] } : {};
}

function nameIn(node: FlowNode): string {
  const name = [node.name, node.label].find((text) => typeof text === 'string' && text.trim() !== '');
  return typeof name === 'string' ? name : '';
}

function tabOf(node: FlowNode, { base, mine, shipped }: Sides): string {
  const id = isOwner(node) ? node.id : (node.z ?? '');
  const owner = mine.get(id) ?? shipped.get(id) ?? base.get(id);
  return owner ? labelOf(owner) : '';
}

import { isDeepStrictEqual } from 'node:util';
import { arrange } from '../../runtime/flows/arrange.js';
import { sameFlows } from '../../runtime/flows/compare.js';
import {
  CONFIG,
  type Files,
  type FlowNode,
  type Flows,
  isOwner,
  labelOf,
} from '../../runtime/flows/model.js';
import { parseFiles } from '../../runtime/flows/parse.js';

/** Flows and the files that say the same. */
export interface Laid {
  files: Files;
  flows: Flows;
}

/**
 * Lays merged flows out as files: what is as the person has it keeps their very text, what is as Potion ships
 * it gets the shipped text.
 */
export function layOut(merged: Flows, mine: Laid, shipped: Laid): Files {
  const before = new Map(mine.files);
  const [homes, theirs] = [homesIn(mine), homesIn(shipped)];
  for (const owner of merged.nodes.filter(isOwner)) {
    const file = theirs.get(owner.id);
    if (!file || !isDeepStrictEqual(inside(merged, owner.id), inside(shipped.flows, owner.id))) continue;
    const home = homes.get(owner.id);
    const old = mine.flows.nodes.find(({ id }) => id === owner.id);
    const keepsName = home && old && labelOf(old) === labelOf(owner);
    if (home && !keepsName) before.delete(home);
    const name = keepsName ? home : file;
    if (keepsName || !before.has(name)) before.set(name, shipped.files.get(file) as string);
  }
  if (shipped.files.has(CONFIG) && isDeepStrictEqual(shared(merged), shared(shipped.flows)))
    before.set(CONFIG, shipped.files.get(CONFIG) as string);
  const files = arrange(merged, before);
  if (!sameFlows(parseFiles(files, 'The merged flows would need mending:'), merged))
    throw new Error('the merged flows would not be what the files say; nothing was changed');
  return files;
}

/** By tab or subflow: the file that it stands in. */
function homesIn({ files }: Laid): Map<string, string> {
  const lists = [...files].filter(([name]) => name.endsWith('.json'));
  return new Map(
    lists.flatMap(([name, text]): [string, string][] => {
      const list = JSON.parse(text) as FlowNode[];
      const owner = Array.isArray(list) ? list.find(isOwner) : undefined;
      return owner ? [[owner.id, name]] : [];
    }),
  );
}

function inside({ nodes }: Flows, owner: string): FlowNode[] {
  return nodes.filter((node) => node.id === owner || node.z === owner);
}

function shared({ nodes }: Flows): FlowNode[] {
  return nodes.filter((node) => !node.z && !isOwner(node));
}

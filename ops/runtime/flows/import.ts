import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../../../nodes/kit/config.js';
import { arrange } from './arrange.js';
import { readSettled, update } from './commit.js';
import { changesOf, type TabChange } from './compare.js';
import { refuseUnknownTypes } from './keeper.js';
import { unknownTypes } from './lint.js';
import type { Files, Flows } from './model.js';
import { parseFiles } from './parse.js';

/** Copies of what imports have replaced; older ones go. */
const BACKUPS_KEPT = 50;

export interface Import {
  changes: TabChange[];
  /** Puts the flows in the place of those that are there. @returns where those were copied to, if there were any */
  apply(): Promise<string | undefined>;
}

/**
 * Prepares putting `incoming` in the place of the flows that are there.
 * @param known node types that are installed
 * @throws FlowsError when the flows that are there, or those to come, are unfit
 */
export async function prepareImport(
  config: Pick<Config, 'flowsDir' | 'dataDir'>,
  incoming: Flows,
  known: ReadonlySet<string>,
  now: Date,
): Promise<Import> {
  refuseUnknownTypes(
    incoming.nodes,
    unknownTypes(incoming.nodes, (type) => known.has(type)),
  );
  // Not by readFlows(): flows that have vanished are a good reason to bring some in.
  const flows = parseFiles((await readSettled(config.flowsDir)).files);
  const credentials = { ...incoming.credentials };
  // An export from the editor carries none: nodes that are here already keep theirs.
  for (const { id } of incoming.nodes) {
    const own = credentials[id] ?? flows.credentials[id];
    if (own) credentials[id] = own;
  }
  return {
    changes: changesOf(flows.nodes, incoming.nodes),
    apply: async () => {
      const { files } = await readSettled(config.flowsDir);
      const backup = files.size > 0 ? await backUp(config.dataDir, files, now) : undefined;
      await update(config.flowsDir, (disk) => arrange({ ...incoming, credentials }, disk));
      return backup;
    },
  };
}

async function backUp(dataDir: string, files: Files, now: Date): Promise<string> {
  const all = join(dataDir, 'flows-backup');
  const mine = join(all, now.toISOString().replaceAll(':', '-'));
  await mkdir(mine, { recursive: true });
  for (const [name, text] of files) await writeFile(join(mine, name), text);
  const old = (await readdir(all)).sort().slice(0, -BACKUPS_KEPT);
  for (const name of old) await rm(join(all, name), { recursive: true, force: true });
  return mine;
}

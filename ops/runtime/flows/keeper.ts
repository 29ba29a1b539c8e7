import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../../../nodes/kit/config.js';
import { arrange } from './arrange.js';
import { readSettled, type Settled, update } from './commit.js';
import { sameFlows } from './compare.js';
import { credentialFaults, faultsOf } from './faults.js';
import { type Credentials, type Files, type FlowNode, type Flows, isOwner, nameOf } from './model.js';
import { parseFiles } from './parse.js';
import { FlowsError, type Problem } from './problem.js';
import { writeWhole } from './whole-files.js';

type Folders = Pick<Config, 'flowsDir' | 'dataDir'>;

/** What Node-RED had last, kept beside the database. */
interface Last {
  dir: string;
  nodes: FlowNode[];
}

/** Flows as they stand on disk. */
export interface Read {
  files: Files;
  flows: Flows;
  settled: Settled;
}

/**
 * Reads and checks the flow files; resolves what a crash has left first.
 * @throws FlowsError when one is broken, or when all have vanished
 */
export async function readFlows({ flowsDir, dataDir }: Folders): Promise<Read> {
  const { files, settled } = await readSettled(flowsDir);
  const flows = parseFiles(files, `The flow files in ${flowsDir} need mending:`);
  if (!flows.nodes.some(isOwner)) await refuseVanished(flowsDir, dataDir);
  return { files, flows, settled };
}

async function refuseVanished(flowsDir: string, dataDir: string): Promise<void> {
  const last = await readLast(dataDir);
  const tabs = last?.nodes.filter(isOwner).length ?? 0;
  if (!last || tabs === 0) return;
  throw new FlowsError(`There are no flows in ${flowsDir}:`, [
    {
      what: `Potion had ${tabs} tabs and subflows in ${last.dir} when it last ran`,
      hint: `Bring the folder back (git checkout), or mend FLOWS_DIR in .env. If they are meant to be gone, delete ${lastFile(dataDir)}.`,
    },
  ]);
}

/** The flows as Node-RED knows them, and the files that say the same. */
export class FlowKeeper {
  readonly #folders: Folders;
  #files: Files = new Map();
  #flows: Flows = { nodes: [], credentials: {} };

  constructor(folders: Folders) {
    this.#folders = folders;
  }

  /** What was last loaded or saved. */
  get flows(): Flows {
    return this.#flows;
  }

  /**
   * Takes what is on disk. Where Node-RED already has the same, it gets its own list again, so that the
   * revision does not change and open editors are not told of an update that is none.
   * @throws FlowsError; what was loaded before stays
   */
  async load(): Promise<Read> {
    const read = await readFlows(this.#folders);
    const last = await readLast(this.#folders.dataDir);
    const known = last && { nodes: last.nodes, credentials: read.flows.credentials };
    this.#files = read.files;
    if (known && sameFlows(known, read.flows)) this.#flows = known;
    else {
      this.#flows = read.flows;
      await this.#remember();
    }
    return read;
  }

  /**
   * Writes the flows as a whole.
   * @throws FlowsError when they are unfit or someone else has changed the files; nothing is written then
   */
  async save(nodes: FlowNode[], credentials: Credentials): Promise<void> {
    const { flowsDir } = this.#folders;
    refuseUnfit(nodes, credentials);
    const flows = { nodes, credentials: structuredClone(credentials) };
    const files = arrange(flows, this.#files);
    await update(flowsDir, (disk) => {
      refuseForeignChanges(this.#files, disk);
      return files;
    });
    this.#files = files;
    this.#flows = flows;
    await this.#remember();
  }

  async #remember(): Promise<void> {
    const last: Last = { dir: this.#folders.flowsDir, nodes: this.#flows.nodes };
    await writeWhole(lastFile(this.#folders.dataDir), JSON.stringify(last));
  }
}

const UNSAVED = 'Nothing was saved, and the running flows stay as they are.';

/** @throws FlowsError naming node and field */
function refuseUnfit(nodes: FlowNode[], credentials: Credentials): void {
  const faults = [...faultsOf(nodes), ...credentialFaults(credentials, nodes)];
  if (faults.length > 0)
    throw new FlowsError(
      UNSAVED,
      faults.map(({ what, hint }) => ({ what, hint })),
    );
}

/** Overwriting what someone has edited or pulled meanwhile would lose it. */
function refuseForeignChanges(known: Files, disk: Files): void {
  const names = [...new Set([...known.keys(), ...disk.keys()])];
  const problems = names
    .filter((name) => known.get(name) !== disk.get(name))
    .map((file): Problem => {
      const how = !disk.has(file) ? 'deleted' : known.has(file) ? 'changed' : 'added';
      return {
        file,
        what: `this file was ${how} on disk after Potion had read it`,
        hint: 'Load it first (npm run flows -- reload), then the editor offers to merge; or undo it with git.',
      };
    });
  if (problems.length > 0) throw new FlowsError(UNSAVED, problems);
}

/** Node types that are not there would keep every flow from starting. @throws FlowsError */
export function refuseUnknownTypes(nodes: readonly FlowNode[], unknown: readonly string[]): void {
  const problems = unknown.map((type) => {
    const node = nodes.find((candidate) => candidate.type === type);
    return {
      what: `the node type “${type}” is not installed (${node ? nameOf(node) : ''})`,
      hint: 'With a type missing, Node-RED starts no flow at all: install the package that brings it.',
    };
  });
  if (problems.length > 0) throw new FlowsError('These flows could not start:', problems);
}

function lastFile(dataDir: string): string {
  return join(dataDir, 'flows-last.json');
}

async function readLast(dataDir: string): Promise<Last | undefined> {
  try {
    const last = JSON.parse(await readFile(lastFile(dataDir), 'utf8')) as Last;
    return Array.isArray(last.nodes) ? last : undefined;
  } catch {
    return undefined;
  }
}

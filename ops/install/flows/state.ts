import { resolve } from 'node:path';
import { readSettled } from '../../runtime/flows/commit.js';
import type { Flows } from '../../runtime/flows/model.js';
import { parseFiles } from '../../runtime/flows/parse.js';
import { FlowsError } from '../../runtime/flows/problem.js';
import type { Conflict } from './conflict.js';
import type { Git } from './git.js';
import { alone, clearStaleLocks } from './locks.js';
import { mergeFlows } from './merge.js';
import { MERGE_MARK, SHIPPED_MARK } from './messages.js';
import { interrupted } from './pending.js';
import { findShipped, headOf, openOrRefuse, recover } from './steps.js';

/** Where the work tree stands. */
export interface State {
  /** Empty when HEAD is detached. */
  branch: string;
  head: string;
  /** Names of flow files that differ from the last commit. */
  uncommitted: string[];
  /** Version of the last shipped flows; they may wait to be merged after a rollback. */
  version?: string;
  /** The last merge of shipped flows, or the one that was asked for. */
  merge?: string;
  /** What that merge did not take. */
  conflicts: Conflict[];
  /** Branches that keep what was there before going back. */
  rescued: string[];
}

/**
 * Says where the work tree stands, and what was not taken in its last merge (or in `commit`). Changes
 * nothing, but finishes what a crash has interrupted.
 * @throws FlowsError when there is no work tree, or no such commit
 */
export async function show(flowsDir: string, commit?: string): Promise<State> {
  const git = await openOrRefuse(resolve(flowsDir));
  if (await interrupted(git))
    await alone(git.gitDir, async () => {
      await clearStaleLocks(git.gitDir, git.dir);
      await recover(git);
    });
  const head = await headOf(git);
  const { files } = await readSettled(git.dir);
  const committed = await git.files(head);
  const names = [...new Set([...files.keys(), ...committed.keys()])];
  const merge = await mergeFor(git, head, commit);
  const rescued = await git.run(['for-each-ref', '--format=%(refname:short)', 'refs/heads/rescue/']);
  return {
    branch: (await git.branch()) ?? '',
    head,
    uncommitted: names.filter((name) => files.get(name) !== committed.get(name)).sort(),
    version: await versionOf(git, await findShipped(git, head)),
    merge,
    conflicts: merge ? await conflictsOf(git, merge) : [],
    rescued: rescued.split('\n').filter(Boolean),
  };
}

async function mergeFor(git: Git, head: string, commit: string | undefined): Promise<string | undefined> {
  if (commit === undefined)
    return (
      (await git.run([
        ...['rev-list', '--first-parent', '--merges', '--max-count=1'],
        `--grep=^${MERGE_MARK}`,
        head,
      ])) || undefined
    );
  const found = await git.resolve(commit);
  if (found) return found;
  throw new FlowsError('There is nothing to show:', [
    { what: `there is no commit ${commit}`, hint: 'git log --merges shows the merges.' },
  ]);
}

async function versionOf(git: Git, shipped: string | undefined): Promise<string | undefined> {
  if (!shipped) return undefined;
  const message = await git.run(['log', '--max-count=1', '--format=%B', shipped]);
  return new RegExp(`^${SHIPPED_MARK}(.*)$`, 'm').exec(message)?.[1];
}

/** What a merge of shipped flows did not take, worked out again from what it has merged. */
export async function conflictsOf(git: Git, merge: string): Promise<Conflict[]> {
  const [mine, shipped] = await git.parents(merge);
  if (!mine || !shipped) return [];
  const flowsOf = async (commit: string | undefined): Promise<Flows> =>
    commit ? parseFiles(await git.files(commit)) : { nodes: [], credentials: {} };
  const base = await git.mergeBase(mine, shipped);
  return mergeFlows(await flowsOf(base), await flowsOf(mine), await flowsOf(shipped)).conflicts;
}

import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readSettled, type Settled, update } from '../../runtime/flows/commit.js';
import { readFolder } from '../../runtime/flows/folder.js';
import { type Files, isOwner } from '../../runtime/flows/model.js';
import { parseFiles } from '../../runtime/flows/parse.js';
import { FlowsError } from '../../runtime/flows/problem.js';
import { enclosingCheckout, Git } from './git.js';
import type { Laid } from './lay-out.js';
import { editsMessage, SHIPPED_MARK, shippedMessage } from './messages.js';
import { forget, interrupted, type Move, remember } from './pending.js';

/** The branch with the flows as Potion ships them, one commit for each version that changed them. */
export const SHIPPED = 'shipped';
/** The person's branch, unless they work on another one. */
export const MINE = 'mine';

/** Flows as a version of Potion brings them. */
export interface Release {
  /** Folder with the flow files. */
  dir: string;
  /** What the commit of these flows is called by. */
  version: string;
}

export type Step = (done: string) => void;

/** Someone has saved flows in between: all is to be read again. */
export class Overtaken extends Error {}

/** The files of a release. @throws FlowsError when they are not there or broken */
export async function readRelease({ dir, version }: Release): Promise<Laid> {
  if (!/^[\w.+~-]{1,100}$/.test(version))
    throw new FlowsError('Nothing was changed:', [
      { what: `“${version}” is no version`, hint: 'Letters, digits and . + ~ - _ make a version.' },
    ]);
  const files = (await readFolder(dir)) ?? new Map();
  const flows = parseFiles(files, `The shipped flows in ${dir} can't be used:`);
  if (!flows.nodes.some(isOwner))
    throw new FlowsError(`There are no shipped flows in ${dir}:`, [
      { what: 'no tab was found', hint: 'Name the folder flows/ of a release (--shipped).' },
    ]);
  return { files, flows };
}

/** The person's files as they are now. @throws FlowsError with file and line when they are broken */
export async function readWork(dir: string): Promise<Laid & { settled: Settled }> {
  const { files, settled } = await readSettled(dir);
  return {
    files,
    settled,
    flows: parseFiles(files, `The flow files in ${dir} need mending; nothing was changed:`),
  };
}

/** @throws FlowsError where this would be somebody else's checkout, or files would get a wrong owner */
export function refuseStrangePlace(dir: string, hasGit: boolean): void {
  const around = hasGit ? undefined : enclosingCheckout(dir);
  if (around)
    throw new FlowsError(`${dir} is no work tree of its own:`, [
      {
        what: `it belongs to the checkout ${around}, whose own git looks after it`,
        hint: 'Set FLOWS_DIR to a folder outside of it (the installation takes /var/lib/potion/flows).',
      },
    ]);
  const owner = statSync(dir, { throwIfNoEntry: false })?.uid;
  if (owner !== undefined && owner !== process.getuid?.())
    throw new FlowsError(`${dir} belongs to another user:`, [
      {
        what: `what is written here by this user could not be changed by its owner (uid ${owner})`,
        hint: 'Run it as the owner: sudo runuser -u potion -- …',
      },
    ]);
}

/** @throws FlowsError when there is none */
export async function openOrRefuse(dir: string): Promise<Git> {
  const git = await Git.open(dir);
  if (git) return git;
  throw new FlowsError(`${dir} is not under git:`, [
    {
      what: 'there is nothing to go back to, and nothing to compare',
      hint: 'Run “init” or “upgrade” first.',
    },
  ]);
}

/** The commit that is checked out. */
export async function headOf(git: Git): Promise<string> {
  const head = await git.resolve('HEAD');
  if (head) return head;
  throw new FlowsError(`${git.dir} has no commit yet:`, [
    { what: 'its setting up was not finished', hint: 'Run “init” or “upgrade” first.' },
  ]);
}

/** Losing every flow is no edit that anyone makes: a wrong mount or a slip of rm is. */
export async function refuseVanished(git: Git, head: string, { flows }: Laid): Promise<void> {
  if (flows.nodes.some(isOwner)) return;
  const had = parseFiles(await git.files(head)).nodes.filter(isOwner).length;
  if (had > 0)
    throw new FlowsError(`There are no flows in ${git.dir}:`, [
      { what: `its last commit has ${had} tabs and subflows`, hint: `Bring them back: git checkout -- .` },
    ]);
}

/**
 * The branch to write on: the one that is checked out. A detached HEAD, or the branch of the shipped flows,
 * gets a branch for the person: their own one where that loses nothing, else a new one.
 */
export async function attach(git: Git, head: string, now: Date): Promise<string> {
  const branch = await git.branch();
  if (branch && branch !== SHIPPED) return branch;
  const mine = await git.resolve(`refs/heads/${MINE}`);
  const ahead = mine === undefined || (await git.isAncestor(mine, head));
  const name = ahead ? MINE : await freeBranch(git, `${MINE}-${stamp(now)}`);
  if (!ahead || mine !== head) await git.moveBranch(name, head, ahead ? mine : undefined, 'checked out');
  await git.run([
    'symbolic-ref',
    '-m',
    'potion: a branch for what is checked out',
    'HEAD',
    `refs/heads/${name}`,
  ]);
  return name;
}

/** Commits what is not committed. @returns the branch's commit then */
export async function commitEdits(git: Git, branch: string, head: string, files: Files): Promise<string> {
  if (sameFiles(files, await git.files(head))) return head;
  const commit = await git.commit(files, [head], editsMessage('before an upgrade'));
  await git.moveBranch(branch, commit, head, 'own edits');
  await git.settleIndex(commit);
  return commit;
}

/** The last commit of shipped flows, also where the branch was deleted. */
export async function findShipped(git: Git, head: string): Promise<string | undefined> {
  const branch = await git.resolve(`refs/heads/${SHIPPED}`);
  if (branch) return branch;
  return (
    (await git.run(['log', '--format=%H', '--max-count=1', `--grep=^${SHIPPED_MARK}`, head])) || undefined
  );
}

/** Makes the branch of shipped flows end with these. @param tip its last commit, if there is one */
export async function commitShipped(git: Git, files: Files, version: string, tip?: string): Promise<string> {
  const branch = await git.resolve(`refs/heads/${SHIPPED}`);
  const same = tip && sameFiles(files, await git.files(tip));
  const commit = same ? tip : await git.commit(files, tip ? [tip] : [], shippedMessage(version));
  if (branch !== commit) await git.moveBranch(SHIPPED, commit, branch, `flows of ${version}`);
  return commit;
}

/**
 * Moves work tree and branch to another commit. After a crash at any step the work tree is the old one or the
 * new one, and recover() brings the branch after it. When it fails, all is as it was.
 * @param now the files as they were read; @throws Overtaken when they have changed since
 */
export async function moveTo(git: Git, move: Move, now: Files, files: Files, step: Step): Promise<void> {
  await remember(git, move);
  step('remembered');
  try {
    await update(git.dir, (disk) => replace(disk, now, files), step);
    step('work tree');
  } catch (thrown) {
    if (thrown instanceof Overtaken) await forget(git);
    throw thrown;
  }
  try {
    await git.moveBranch(move.branch, move.to, move.from, 'flows brought in');
  } catch (thrown) {
    await update(git.dir, (disk) => replace(disk, files, now));
    await forget(git);
    throw thrown;
  }
  step('branch');
  await tidy(git, move.to, step);
}

function replace(disk: Files, now: Files, files: Files): Files {
  if (!sameFiles(disk, now)) throw new Overtaken('the flows were saved in between');
  return files;
}

/** The move is made; that git's index follows can wait for the next time. */
async function tidy(git: Git, commit: string, step: Step): Promise<void> {
  const settled = await git.settleIndex(commit).then(
    () => true,
    () => false,
  );
  step('index');
  if (settled) await forget(git);
}

/** Finishes or drops what a crash has interrupted. @returns the move, when it was finished now */
export async function recover(git: Git): Promise<Move | undefined> {
  // The last step of setting up.
  if (!existsSync(join(git.gitDir, 'index'))) await git.settleIndex(await headOf(git));
  const move = await interrupted(git);
  if (!move) return undefined;
  const tip = await git.resolve(`refs/heads/${move.branch}`);
  const known = tip && (await git.resolve(move.to));
  const { files } = await readSettled(git.dir);
  const moved = tip === move.to;
  const half = known && tip === move.from && sameFiles(files, await git.files(move.to));
  if (half) await git.moveBranch(move.branch, move.to, move.from, 'flows brought in');
  if (moved || half) await tidy(git, move.to, () => {});
  else await forget(git);
  return moved || half ? move : undefined;
}

export function sameFiles(a: Files, b: Files): boolean {
  return a.size === b.size && [...a].every(([name, text]) => b.get(name) === text);
}

/** A branch name that is not taken. */
export async function freeBranch(git: Git, wanted: string): Promise<string> {
  for (let n = 1; ; n++) {
    const name = n === 1 ? wanted : `${wanted}-${n}`;
    if (!(await git.resolve(`refs/heads/${name}`))) return name;
  }
}

/** A moment as part of a branch name. */
export function stamp(now: Date): string {
  return now.toISOString().slice(0, 19).replaceAll(':', '-');
}

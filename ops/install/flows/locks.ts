import { readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { link, lstat, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FlowsError } from '../../runtime/flows/problem.js';

// git commands on a few files take milliseconds; one with an editor open takes as long as the person.
const PATIENCE = 5_000;

/**
 * Runs `work` while no other upgrade or rollback works on the same repository.
 * @throws FlowsError when another one does
 */
export async function alone<T>(gitDir: string, work: () => Promise<T>): Promise<T> {
  const lock = join(gitDir, 'potion-lock');
  await take(lock);
  // Also when the process is told to end: a lock of a process that is gone is no lock, but it looks like one.
  const release = () => rmSync(lock, { force: true });
  process.once('exit', release);
  try {
    return await work();
  } finally {
    process.off('exit', release);
    release();
  }
}

async function take(lock: string): Promise<void> {
  const mine = `${lock}.${process.pid}`;
  await writeFile(mine, `${process.pid} ${startOf(process.pid)}`);
  try {
    for (let tries = 0; ; tries++) {
      // A link appears with its content, so that nobody finds a lock without an owner.
      if (
        await link(mine, lock).then(
          () => true,
          () => false,
        )
      )
        return;
      const [pid, start] = (await readFile(lock, 'utf8').catch(() => '')).split(' ');
      if (pid && start !== undefined && startOf(Number(pid)) === start && start !== '')
        throw new FlowsError('The flows are being changed by someone else:', [
          { what: `another upgrade or rollback is at work (process ${pid})`, hint: 'Wait for it to end.' },
        ]);
      if (tries > 3) throw new Error(`${lock} can't be taken`);
      await rm(lock, { force: true });
    }
  } finally {
    await rm(mine, { force: true });
  }
}

/** When a process was started, in ticks since boot: with its id it names one process for good. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

/**
 * Removes the lock files that a git which was killed has left behind; waits for one that is at work.
 * @returns how many were removed
 * @throws FlowsError when git is still at work here
 */
export async function clearStaleLocks(gitDir: string, dir: string): Promise<number> {
  for (let left = PATIENCE; ; left -= 50) {
    const locks = await locksIn(gitDir);
    if (locks.length === 0) return 0;
    const worker = gitAtWork(gitDir, dir);
    if (worker === undefined) {
      // Another look: between the two it may have ended and taken its lock with it.
      for (const lock of locks) await rm(lock, { force: true });
      return locks.length;
    }
    if (left <= 0)
      throw new FlowsError('The flows are being changed by someone else:', [
        { what: `git is at work in ${dir} (process ${worker})`, hint: 'Let it end, then try again.' },
      ]);
    await sleep(50);
  }
}

async function locksIn(gitDir: string): Promise<string[]> {
  const below = async (dir: string, deep: boolean): Promise<string[]> => {
    const entries = await readdir(dir, { withFileTypes: true }).catch(() => []);
    const found = await Promise.all(
      entries.map((entry) => {
        const path = join(dir, entry.name);
        if (entry.isDirectory()) return deep ? below(path, true) : [];
        return entry.name.endsWith('.lock') ? [path] : [];
      }),
    );
    return found.flat();
  };
  return [...(await below(gitDir, false)), ...(await below(join(gitDir, 'refs'), true))];
}

/** A living git that works in this folder. Of processes of other users only the command line is to be seen. */
function gitAtWork(gitDir: string, dir: string): number | undefined {
  const places = [gitDir, dir, ...[gitDir, dir].map(realOf)];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const words = textOf(`/proc/${pid}/cmdline`).split('\0');
    if (!/(^|\/)git(-[\w-]+)?$/.test(words[0] ?? '')) continue;
    const environment = textOf(`/proc/${pid}/environ`).split('\0');
    const named = places.some((place) => words.includes(place) || environment.includes(`GIT_DIR=${place}`));
    if (named || places.includes(cwdOf(pid))) return pid;
  }
  return undefined;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function cwdOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return '';
  }
}

function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

const UNDER_WAY: Record<string, string> = {
  MERGE_HEAD: 'a merge (git merge)',
  'rebase-merge': 'a rebase (git rebase)',
  'rebase-apply': 'a rebase or git am',
  CHERRY_PICK_HEAD: 'a cherry-pick',
  REVERT_HEAD: 'a revert',
  BISECT_LOG: 'a bisect',
};

/** @throws FlowsError when the person is in the middle of something that git will want to finish */
export async function refuseUnderWay(gitDir: string, dir: string): Promise<void> {
  for (const [file, name] of Object.entries(UNDER_WAY)) {
    if (!(await lstat(join(gitDir, file)).catch(() => undefined))) continue;
    throw new FlowsError(`${dir} is in the middle of something:`, [
      {
        what: `${name} was begun and not ended`,
        hint: 'Finish it or give it up (git status says how), then try again.',
      },
    ]);
  }
}

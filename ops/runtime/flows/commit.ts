import { createHash } from 'node:crypto';
import {
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  rmdir,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isFlowFile, readFolder } from './folder.js';
import type { Files } from './model.js';
import { FlowsError } from './problem.js';

/**
 * Changing several files as one. The new texts are first written into a folder beside the old ones; a
 * manifest in it, which appears by one rename, says "these are complete, and those go". From then on the new
 * set is the valid one: whoever finds the manifest finishes the job. Before that, the old set is untouched.
 */
const WORK = '.saving';
const MANIFEST = 'manifest.json';
const OWNER = 'owner';

interface Changes {
  write: Files;
  /** Files to delete, with the text they have now. */
  remove: Files;
}

interface Manifest {
  write: string[];
  /** Name and SHA-256 of the text (without byte order mark) that is to go, so that a file someone has put there since is kept. */
  remove: [name: string, sha256: string][];
}

// A save takes milliseconds; longer than this, the other one hangs or its process id was given away again.
const PATIENCE = 5_000;
// Between taking the work folder and leaving one's process id in it lie microseconds.
const TO_SIGN = 200;

/** What a crash had left in the folder: nothing, a save that was dropped, or one that was completed. */
export type Settled = 'clean' | 'dropped' | 'completed';

/** What turns `before` into `after`. */
function changesBetween(before: Files, after: Files): Changes {
  return {
    write: new Map([...after].filter(([name, text]) => before.get(name) !== text)),
    remove: new Map([...before].filter(([name]) => !after.has(name))),
  };
}

/**
 * The files of a folder, none when there is no such folder. Resolves first what a crash has left, and waits
 * for a save that is under way.
 */
export function readSettled(dir: string): Promise<{ files: Files; settled: Settled }> {
  return oneByOne(dir, async () => {
    for (;;) {
      const settled = await settle(dir);
      const files = (await readFolder(dir)) ?? new Map();
      if (!(await exists(join(dir, WORK)))) return { files, settled };
    }
  });
}

/**
 * Changes the files of a folder as a whole: after a crash at any point, readSettled() finds either all of the
 * old texts or all of the new ones. Resolves when the change has reached the disk.
 * @param next what the files should be, given what they are; nothing is written when it throws
 * @param step called after each step that a crash could follow; for tests
 */
export function update(
  dir: string,
  next: (now: Files) => Files,
  step: (done: string) => void = () => {},
): Promise<void> {
  return oneByOne(dir, async () => {
    const made = await mkdir(dir, { recursive: true });
    if (made) await syncFolder(dirname(made));
    await claimWork(dir);
    step('claimed');
    try {
      const now = (await readFolder(dir)) ?? new Map();
      const changes = changesBetween(now, next(now));
      if (changes.write.size + changes.remove.size > 0) {
        await prepare(dir, changes, step);
        await finish(dir, step);
      }
    } finally {
      // Once it is decided, the manifest stays until settle() has finished what finish() could not.
      if (!(await exists(join(dir, WORK, MANIFEST))))
        await rm(join(dir, WORK), { recursive: true, force: true });
    }
  });
}

/** Writes the new texts beside the old ones, then decides by one rename. */
async function prepare(dir: string, changes: Changes, step: (done: string) => void): Promise<void> {
  const work = join(dir, WORK);
  for (const [name, text] of changes.write) {
    await writeDurably(join(work, name), text);
    step(`wrote ${name}`);
  }
  const manifest: Manifest = {
    write: [...changes.write.keys()],
    remove: [...changes.remove].map(([name, text]) => [name, sha256(text)]),
  };
  await writeDurably(join(work, `${MANIFEST}.new`), JSON.stringify(manifest));
  await syncFolder(work);
  await syncFolder(dir);
  step('prepared');
  await rename(join(work, `${MANIFEST}.new`), join(work, MANIFEST));
  await syncFolder(work);
  step('decided');
}

const queues = new Map<string, Promise<unknown>>();

/** Runs works on one folder one after another within this process. */
function oneByOne<T>(dir: string, work: () => Promise<T>): Promise<T> {
  const before = queues.get(dir) ?? Promise.resolve();
  const mine = before.then(work, work);
  queues.set(
    dir,
    mine.catch(() => {}),
  );
  return mine;
}

/** Resolves what a crash has left behind. */
async function settle(dir: string): Promise<Settled> {
  const work = join(dir, WORK);
  const stats = await lstat(work).catch(unlessMissing);
  if (!stats) return 'clean';
  if (!stats.isDirectory())
    throw new FlowsError(`${work} is in the way:`, [
      { what: 'Potion prepares its saves in a folder of this name', hint: 'Move it away.' },
    ]);
  if (await othersAtWork(work)) return 'clean';
  const left = await readdir(work);
  if (left.includes(MANIFEST)) {
    await finish(dir, () => {});
    return 'completed';
  }
  await rm(work, { recursive: true, force: true });
  return left.some((name) => name !== OWNER) ? 'dropped' : 'clean';
}

async function finish(dir: string, step: (done: string) => void): Promise<void> {
  const work = join(dir, WORK);
  const manifest = JSON.parse(await readFile(join(work, MANIFEST), 'utf8')) as Manifest;
  const names = [...manifest.write, ...manifest.remove.map(([name]) => name)];
  if (!names.every((name) => isFlowFile(name) && !/[\\/]/.test(name)))
    throw new FlowsError(`${join(work, MANIFEST)} names files outside of the folder:`, [
      { what: names.join(', '), hint: `This was not written by Potion: delete ${work}.` },
    ]);
  for (const name of manifest.write) {
    await rename(join(work, name), join(dir, name)).catch(unlessMissing);
    step(`moved ${name}`);
  }
  for (const [name, sum] of manifest.remove) {
    const text = await readFile(join(dir, name), 'utf8').catch(unlessMissing);
    if (text !== undefined && sha256(text.replace(/^\uFEFF/, '')) === sum) await unlink(join(dir, name));
    step(`removed ${name}`);
  }
  await syncFolder(dir);
  step('applied');
  await unlink(join(work, MANIFEST));
  await syncFolder(work);
  step('forgot');
  await rm(join(work, OWNER), { force: true });
  await rmdir(work);
  await syncFolder(dir);
}

/** Takes the work folder for this process; waits while another process is saving. */
async function claimWork(dir: string): Promise<void> {
  const work = join(dir, WORK);
  for (let left = PATIENCE; ; left -= 20) {
    await settle(dir);
    if (await mkdir(work).then(() => true, unlessExists)) break;
    if (left < 0) throw new Error(`another process is still saving in ${dir}`);
    await sleep(20);
  }
  await writeFile(join(work, OWNER), String(process.pid));
}

/** Waits while a living other process works here; false when it is done for or has hung for long. */
async function othersAtWork(work: string): Promise<boolean> {
  for (let left = PATIENCE; left > 0; left -= 20) {
    const stats = await lstat(work).catch(unlessMissing);
    if (!stats) return true;
    const owner = Number(await readFile(join(work, OWNER), 'utf8').catch(() => ''));
    if (owner === process.pid || (owner && !isAlive(owner))) return false;
    if (!owner && Date.now() - stats.mtimeMs > TO_SIGN) return false;
    await sleep(20);
  }
  return false;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o644);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A rename or delete survives a power cut only when the folder itself has been written. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(unlessMissing)) !== undefined;
}

function unlessMissing(thrown: NodeJS.ErrnoException): undefined {
  if (thrown.code !== 'ENOENT') throw thrown;
}

function unlessExists(thrown: NodeJS.ErrnoException): false {
  if (thrown.code !== 'EEXIST') throw thrown;
  return false;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

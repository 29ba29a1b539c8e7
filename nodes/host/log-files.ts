import { createReadStream, createWriteStream } from 'node:fs';
import { type FileHandle, mkdtemp, open, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { PotionError } from '../kit/errors.js';
import { readBack } from './read-back.js';

/** A line of a log, and its place: what came before it can be read from there. */
export interface LoggedLine {
  text: string;
  /** `<inode>:<byte>`, the same after the file was renamed. */
  place: string;
}

/** A compressed log of more than this is not a log that logrotate keeps. */
const LARGEST = 1024 ** 3;

/**
 * The files of a log from the newest to the oldest, as logrotate names them: `x.log`, `x.log.old`, `x.log.1`,
 * `x.log.2.gz`, or by date `x.log-20261120`, `x.log-20261119.gz`.
 */
export function inOrder(name: string, found: readonly string[]): string[] {
  const ranked = found.flatMap((file): { file: string; rank: number }[] => {
    if (file === name) return [{ file, rank: -2 }];
    if (file === `${name}.old`) return [{ file, rank: -1 }];
    const [, number, date] =
      /^(?:\.(\d{1,4})|-(\d{8}(?:-\d{1,12})?))(?:\.gz)?$/.exec(
        file.startsWith(name) ? file.slice(name.length) : '',
      ) ?? [];
    if (number !== undefined) return [{ file, rank: Number(number) }];
    return date === undefined ? [] : [{ file, rank: -Number(date.replace('-', '')) }];
  });
  const dated = ranked.filter(({ rank }) => rank < -2).sort((a, b) => a.rank - b.rank);
  const others = ranked.filter(({ rank }) => rank >= -2).sort((a, b) => a.rank - b.rank);
  return [...others.filter(({ rank }) => rank < 0), ...dated, ...others.filter(({ rank }) => rank > 0)].map(
    ({ file }) => file,
  );
}

/**
 * The lines of a log from its newest back, through the rotated files too; a rotation on the way neither repeats
 * nor leaves out any.
 * @param before place of a line: begins with the one before it
 * @throws PotionError NOT_FOUND when that place has been rotated out of reach, UNAVAILABLE when the log can't be read
 */
export async function* readLogBack(
  folder: string,
  name: string,
  before?: string,
): AsyncGenerator<LoggedLine> {
  const read: string[] = [];
  for (;;) {
    const next = await openNext(folder, name, read, read.length === 0 ? before : undefined);
    if (!next) return;
    read.push(next.inode);
    try {
      for await (const { text, start } of readBack(next.file, { end: next.end }))
        yield { text, place: `${next.inode}:${start}` };
    } finally {
      await next.file.close();
    }
  }
}

interface Opened {
  file: FileHandle;
  inode: string;
  end?: number;
}

/** A file of a log as the folder names it. */
interface Named {
  path: string;
  inode: string;
}

/** Names change while they are looked at only when the log is rotated right now. */
const TRIES = 5;

/** Opens the file that is next behind those read already, whatever they are called by now. */
async function openNext(
  folder: string,
  name: string,
  read: readonly string[],
  before: string | undefined,
): Promise<Opened | undefined> {
  for (let attempt = 1; ; attempt++) {
    const files = await filesOf(folder, name);
    const next = before === undefined ? nextOf(files, read) : placeIn(files, before);
    if (!next) return undefined;
    const opened = await openLog(next.path).catch((thrown: unknown) => {
      if (attempt === TRIES) throw thrown;
    });
    if (opened?.inode === next.inode)
      return before === undefined ? opened : { ...opened, end: Number(before.split(':')[1]) };
    await opened?.file.close();
    if (attempt === TRIES) return undefined;
  }
}

function nextOf(files: readonly Named[], read: readonly string[]): Named | undefined {
  const inodes = files.map(({ inode }) => inode);
  const known = read.findLastIndex((inode) => inodes.includes(inode));
  // What was read after the last one that is still there has been compressed since, and stands behind it.
  return files[known < 0 ? read.length : inodes.indexOf(read[known] ?? '') + read.length - known];
}

function placeIn(files: readonly Named[], place: string): Named {
  const found = files.find(({ inode }) => place.startsWith(`${inode}:`));
  if (!found) throw new PotionError('NOT_FOUND', 'errors.log-rotated');
  return found;
}

async function filesOf(folder: string, name: string): Promise<Named[]> {
  const found: Named[] = [];
  for (const file of inOrder(name, await filesIn(folder))) {
    const path = join(folder, file);
    // It may have been renamed or deleted just now.
    const there = await stat(path).catch(() => undefined);
    if (there?.isFile()) found.push({ path, inode: String(there.ino) });
  }
  return found;
}

async function openLog(path: string): Promise<Opened> {
  try {
    if (path.endsWith('.gz')) return { inode: String((await stat(path)).ino), file: await unpacked(path) };
    const file = await open(path);
    return { inode: String((await file.stat()).ino), file };
  } catch (thrown) {
    throw new PotionError('UNAVAILABLE', 'errors.log-unreadable', { file: path }, thrown);
  }
}

/** The content of a compressed log as a file that vanishes when it is closed. */
async function unpacked(path: string): Promise<FileHandle> {
  const folder = await mkdtemp(join(tmpdir(), 'potion-log-'));
  try {
    const plain = join(folder, 'log');
    await pipeline(createReadStream(path), createGunzip(), atMost(LARGEST), createWriteStream(plain));
    return await open(plain);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function atMost(bytes: number): Transform {
  let left = bytes;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      left -= chunk.length;
      if (left < 0) done(new Error('too large'));
      else done(null, chunk);
    },
  });
}

async function filesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (thrown) {
    throw new PotionError('UNAVAILABLE', 'errors.log-unreadable', { file: folder }, thrown);
  }
}

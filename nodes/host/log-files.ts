import { type BigIntStats, createReadStream, createWriteStream } from 'node:fs';
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
  /** `<file>:<byte>`, the same after the file was renamed. */
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
    // While it is being compressed, both are there.
    if (file.endsWith('.gz') && found.includes(file.slice(0, -3))) return [];
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
 * The lines of a log from its newest back, through the rotated files too; rotations on the way neither repeat nor
 * leave out any.
 * @param before place of a line: begins with the one before it
 * @throws PotionError NOT_FOUND when that place has been rotated out of reach, UNAVAILABLE when the log can't be read
 */
export async function* readLogBack(
  folder: string,
  name: string,
  before?: string,
): AsyncGenerator<LoggedLine> {
  const parts = await snapshot(folder, name);
  try {
    const [wanted, byte] = before?.split(':') ?? [];
    const first = wanted === undefined ? 0 : parts.findIndex(({ identity }) => identity === wanted);
    if (first < 0) throw new PotionError('NOT_FOUND', 'errors.log-rotated');
    for (const part of parts.slice(first)) {
      const end = part.identity === wanted ? Number(byte) : undefined;
      yield* linesOf(folder, name, part, end);
    }
  } finally {
    for (const { file } of parts) await file?.close();
  }
}

/** A file of a log. */
interface Part {
  /** The same after a rename, and never that of a later file. */
  identity: string;
  path: string;
  /** Held open, so that it stays what it is; a compressed one is not. */
  file?: FileHandle;
}

/** Names change while they are looked at only when the log is rotated right now. */
const TRIES = 5;

/** The files of a log as they are at one moment, the newest first. */
async function snapshot(folder: string, name: string): Promise<Part[]> {
  for (let attempt = 1; ; attempt++) {
    const parts: Part[] = [];
    let settled = false;
    try {
      for (const found of await partsIn(folder, name)) {
        if (found.path.endsWith('.gz')) parts.push(found);
        else {
          const file = await opened(found.path);
          parts.push({ ...found, file, identity: identityOf(await file.stat({ bigint: true })) });
        }
      }
      settled = sameParts(parts, await partsIn(folder, name));
      if (settled) return parts;
    } catch (thrown) {
      if (attempt === TRIES || !isGone(thrown)) throw thrown;
    } finally {
      if (!settled) for (const { file } of parts) await file?.close();
    }
    if (attempt === TRIES) throw new PotionError('UNAVAILABLE', 'errors.log-unreadable', { file: name });
  }
}

function sameParts(some: readonly Part[], others: readonly Part[]): boolean {
  const names = (parts: readonly Part[]) => parts.map(({ path, identity }) => `${identity} ${path}`).join();
  return names(some) === names(others);
}

async function partsIn(folder: string, name: string): Promise<Part[]> {
  const names = await readdir(folder).catch((thrown: unknown) => {
    throw unreadable(folder, thrown);
  });
  const parts: Part[] = [];
  for (const path of inOrder(name, names).map((file) => join(folder, file))) {
    // It may have been renamed or deleted just now.
    const there = await stat(path, { bigint: true }).catch(() => undefined);
    if (there?.isFile()) parts.push({ path, identity: identityOf(there) });
  }
  return parts;
}

// The number of a deleted file is soon given to another one, which is born later.
function identityOf({ ino, birthtimeNs }: BigIntStats): string {
  return `${ino.toString(36)}-${birthtimeNs.toString(36)}`;
}

async function* linesOf(
  folder: string,
  name: string,
  { identity, file }: Part,
  end: number | undefined,
): AsyncGenerator<LoggedLine> {
  const lines = async function* (from: FileHandle): AsyncGenerator<LoggedLine> {
    for await (const { text, start } of readBack(from, { end }))
      yield { text, place: `${identity}:${start}` };
  };
  if (file) return yield* lines(file);
  // By whatever name it goes now; a rotation may also have deleted it.
  const there = (await partsIn(folder, name)).find((part) => part.identity === identity);
  if (!there) return;
  const plain = await unpacked(there.path);
  try {
    yield* lines(plain);
  } finally {
    await plain.close();
  }
}

function opened(path: string): Promise<FileHandle> {
  return open(path).catch((thrown: unknown) => {
    throw isGone(thrown) ? thrown : unreadable(path, thrown);
  });
}

/** The content of a compressed log as a file that vanishes when it is closed. */
async function unpacked(path: string): Promise<FileHandle> {
  const folder = await mkdtemp(join(tmpdir(), 'potion-log-'));
  try {
    const plain = join(folder, 'log');
    await pipeline(createReadStream(path), createGunzip(), atMost(LARGEST), createWriteStream(plain));
    return await open(plain);
  } catch (thrown) {
    throw unreadable(path, thrown);
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

function isGone(thrown: unknown): boolean {
  return (thrown as { code?: unknown } | null)?.code === 'ENOENT';
}

function unreadable(file: string, thrown: unknown): PotionError {
  return new PotionError('UNAVAILABLE', 'errors.log-unreadable', { file }, thrown);
}

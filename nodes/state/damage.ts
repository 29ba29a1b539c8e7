import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, PotionError } from '../kit/errors.js';

/** SQLite's words for a file that is not, or no longer, a database (its extended codes carry these in the low byte). */
const CORRUPT = 11;
const NOT_A_DATABASE = 26;

/** Copies of damaged databases that are kept. */
const MOST_COPIES = 3;
/** Bytes that a copy must leave free. */
const LEAVE_FREE = 20e6;
const PARTS = ['', '-wal', '-shm'];

/** What stands in `potion.db.damaged`: a later start must not copy again, and looks closer. */
interface Note {
  /** Inode of the file that is meant. */
  inode: number;
  why: string;
  /** Absent: only suspected, nothing was copied yet. */
  copy?: string;
}

let seen: string | undefined;

/** Why the database of this process is taken for damaged; undefined while it is not. */
export function damageSeen(): string | undefined {
  return seen;
}

/** Whether an error of node:sqlite says that the file is damaged. */
export function isDamage(thrown: unknown): boolean {
  const code = Number((thrown as { errcode?: unknown } | null)?.errcode) & 0xff;
  return code === CORRUPT || code === NOT_A_DATABASE;
}

/** Notes what a query ran into, so that the next start looks at the whole file. Never throws. */
export function suspect(file: string, thrown: unknown): void {
  if (seen !== undefined) return;
  seen = describe(thrown);
  if (file !== ':memory:') write(file, { inode: inodeOf(file), why: seen });
}

/** Whether an earlier process has met damage in this very file. */
export function isSuspect(file: string): boolean {
  return noteOn(file) !== undefined;
}

/** The file was looked at and is well, or there is another one now. */
export function unsuspect(file: string): void {
  seen = undefined;
  rmSync(`${file}.damaged`, { force: true });
}

/**
 * The error that a damaged database ends with. A copy of it is kept beside it, once for each damage.
 * @param why what SQLite says
 */
export function damaged(file: string, why: string): PotionError {
  const known = noteOn(file)?.copy;
  const copy = known && existsSync(known) ? known : keepCopy(file, new Date());
  write(file, { inode: inodeOf(file), why, ...(copy && { copy }) });
  seen = why;
  const text = copy ? 'errors.database-damaged' : 'errors.database-damaged-uncopied';
  return new PotionError('UNAVAILABLE', text, { file, copy, detail: why });
}

/** @returns undefined when there is no room for a copy */
function keepCopy(file: string, now: Date): string | undefined {
  const copy = `${file}.damaged-${now.toISOString().replaceAll(':', '')}`;
  const parts = PARTS.filter((part) => existsSync(file + part));
  try {
    const size = parts.reduce((sum, part) => sum + statSync(file + part).size, 0);
    const { bavail, bsize } = statfsSync(dirname(file));
    if (bavail * bsize - size < LEAVE_FREE) return undefined;
    for (const part of parts) copyFileSync(file + part, copy + part);
  } catch {
    for (const part of parts) rmSync(copy + part, { force: true });
    return undefined;
  }
  for (const old of copiesOf(file).slice(0, -MOST_COPIES))
    for (const part of PARTS) rmSync(old + part, { force: true });
  return copy;
}

/** Copies of damaged databases, oldest first. */
function copiesOf(file: string): string[] {
  const named = new RegExp(`^${basename(file).replaceAll('.', '\\.')}\\.damaged-[0-9TZ.-]+$`);
  return readdirSync(dirname(file))
    .filter((name) => named.test(name))
    .sort()
    .map((name) => join(dirname(file), name));
}

function noteOn(file: string): Note | undefined {
  try {
    const note = JSON.parse(readFileSync(`${file}.damaged`, 'utf8')) as Note;
    return note.inode === inodeOf(file) ? note : undefined;
  } catch {
    return undefined;
  }
}

function write(file: string, note: Note): void {
  try {
    writeFileSync(`${file}.damaged`, `${JSON.stringify(note)}\n`, { mode: 0o600 });
  } catch {
    // On a full disk the next start looks all the same, because this end is no orderly one.
  }
}

function inodeOf(file: string): number {
  try {
    return statSync(file).ino;
  } catch {
    return 0;
  }
}

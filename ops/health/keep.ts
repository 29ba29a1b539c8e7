import { appendFile, mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile } from '../../nodes/kit/write-file.js';
import { describe } from './limit.js';
import { freshState, parseState, type State } from './state.js';

const STATE = 'state.json';
const RESULT = 'last_health.json';
const THIRD_HOUR = 3 * 3_600_000;
const BETWEEN_LOOKS = 300_000;

export interface Kept {
  state: State;
  /** Files that were there and made no sense. */
  broken: string[];
}

/**
 * The newest state in the folders; a new one when there is none.
 * @param folders where it may be, the usual one first
 */
export async function loadState(folders: readonly string[]): Promise<Kept> {
  const broken: string[] = [];
  const found: State[] = [];
  for (const folder of folders) {
    const file = join(folder, STATE);
    const text = await readFile(file, 'utf8').catch((thrown: NodeJS.ErrnoException) => {
      if (thrown.code !== 'ENOENT') broken.push(file);
      return undefined;
    });
    if (text === undefined) continue;
    const state = parseState(text);
    if (state) found.push(state);
    else broken.push(file);
  }
  const [newest = freshState()] = found.sort((a, b) => b.at - a.at);
  return { state: newest, broken };
}

interface Saved {
  /** Whether any folder took it. */
  kept: boolean;
  /** What went wrong in the others. */
  problems: string[];
}

/** Keeps the state in the first folder that takes it. */
export function saveState(folders: readonly string[], state: State): Promise<Saved> {
  return saveFirst(folders, STATE, JSON.stringify(state));
}

/** Writes what this run has found, for anybody to read, likewise. */
export function saveResult(folders: readonly string[], result: object): Promise<Saved> {
  return saveFirst(folders, RESULT, `${JSON.stringify(result, undefined, 2)}\n`);
}

/** Puts a file into the first folder that takes it; an older one in the others goes. */
async function saveFirst(folders: readonly string[], name: string, text: string): Promise<Saved> {
  const problems: string[] = [];
  for (const [i, folder] of folders.entries()) {
    try {
      await mkdir(folder, { recursive: true, mode: 0o750 });
      await replaceFile(join(folder, name), text);
      for (const later of folders.slice(i + 1)) await rm(join(later, name), { force: true });
      return { kept: true, problems };
    } catch (thrown) {
      problems.push(`${folder}: ${describe(thrown)}`);
    }
  }
  return { kept: false, problems };
}

/** With no place for a state at all a message goes out every third hour: no storm, and not silence. */
export function speaksWithoutMemory(at: number): boolean {
  return at % THIRD_HOUR < BETWEEN_LOOKS;
}

/** When the timer last looked, epoch ms; undefined when it never has. */
export async function lastResult(folders: readonly string[]): Promise<number | undefined> {
  const times = await Promise.all(
    folders.map(async (folder) => {
      try {
        return Date.parse(JSON.parse(await readFile(join(folder, RESULT), 'utf8')).at);
      } catch {
        return Number.NaN;
      }
    }),
  );
  const known = times.filter(Number.isFinite);
  return known.length > 0 ? Math.max(...known) : undefined;
}

/** Adds lines to health.log. @returns why not, when it could not */
export async function addToLog(logDir: string, lines: readonly string[]): Promise<string | undefined> {
  try {
    await mkdir(logDir, { recursive: true, mode: 0o750 });
    await appendFile(join(logDir, 'health.log'), lines.map((line) => `${line}\n`).join(''), { mode: 0o640 });
    return undefined;
  } catch (thrown) {
    return describe(thrown);
  }
}

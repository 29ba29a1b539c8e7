import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { bootTime } from './boot-id.js';
import { unitOfCgroup } from './own-unit.js';
import { type ProcStatLine, readOwner, readProcess, readProcesses, readText } from './process-table.js';

/** A process, in SI units. */
export interface ProcessInfo {
  pid: number;
  /** Start in clock ticks since boot; with the pid it names this process and no later one. */
  start: number;
  /** Epoch ms. */
  startedAt: number;
  parent: number;
  /** As the kernel cuts it, 15 characters. */
  name: string;
  /** R, S, D, Z, T … as in proc(5). */
  state: string;
  /** Share of one processor core during the last measurement: 2 are two full cores. */
  cpu: number;
  /** Seconds of processor time since its start. */
  cpuTime: number;
  /** Resident memory, bytes, with what it shares with others. */
  memory: number;
  threads: number;
  /** Login name, or the number where it has none; '' where it can't be seen. */
  user: string;
  /** Command line, its likely secrets masked, cut to 400 characters; the name in brackets for the kernel's own. */
  command: string;
  /** The system unit it runs in, `''` for none. */
  unit: string;
  kernel: boolean;
}

/** Everything at one moment, sorted by nothing yet. */
export interface Snapshot {
  lines: ProcStatLine[];
  /** Clock ticks that each has used between two looks, by pid, and how long that was in seconds. */
  used: ReadonlyMap<number, number>;
  seconds: number;
}

/** How long to watch for the processor shares. The kernel counts in hundredths of a second. */
const WATCH = 300;
const LONGEST_COMMAND = 400;

/** Looks twice and compares. @param signal ends the wait early */
export async function sampleProcesses(signal?: AbortSignal, proc = '/proc'): Promise<Snapshot> {
  const before = readProcesses(proc);
  const started = performance.now();
  await sleep(WATCH, undefined, { signal }).catch(() => {});
  const now = readProcesses(proc);
  const seconds = (performance.now() - started) / 1000;
  const used = new Map<number, number>();
  for (const [pid, { start, ticks }] of now) {
    const first = before.get(pid);
    // One that came in between has used all its time since.
    used.set(pid, ticks - (first?.start === start ? first.ticks : 0));
  }
  return { lines: [...now.values()], used, seconds };
}

/** What to sort by, the largest first. */
export type Order = 'cpu' | 'ram';

/** The programs' processes in order; the kernel's own are left out. */
export function ordered({ lines, used }: Snapshot, by: Order): ProcStatLine[] {
  const busy = ({ pid }: ProcStatLine) => used.get(pid) ?? 0;
  const first = by === 'cpu' ? busy : ({ pages }: ProcStatLine) => pages;
  const second = by === 'cpu' ? ({ pages }: ProcStatLine) => pages : busy;
  return lines
    .filter(({ kernel }) => !kernel)
    .sort((a, b) => first(b) - first(a) || second(b) - second(a) || a.pid - b.pid);
}

/** One process with all that is known of it. */
export function describeProcess(
  line: ProcStatLine,
  { used, seconds }: Pick<Snapshot, 'used' | 'seconds'>,
  now: number,
  proc = '/proc',
): ProcessInfo {
  const { tick, page } = units();
  const { pid, start, parent, name, state, threads, kernel, ticks, pages } = line;
  const owner = readOwner(pid, proc);
  return {
    pid,
    start,
    startedAt: bootTime(now) + (start / tick) * 1000,
    parent,
    name: printable(name),
    state,
    cpu: seconds > 0 ? (used.get(pid) ?? 0) / tick / seconds : 0,
    cpuTime: ticks / tick,
    memory: pages * page,
    threads,
    user: owner ? userName(owner.uids[1] ?? 0) : '',
    command: kernel ? `[${printable(name)}]` : commandOf(pid, name, proc),
    unit: unitOfCgroup(readText(`${proc}/${pid}/cgroup`) ?? '') ?? '',
    kernel,
  };
}

/** One process, watched for a moment; undefined when it is not there, not visible, or another of that id. */
export async function lookAt(
  pid: number,
  {
    start,
    now,
    signal,
    proc = '/proc',
  }: { start?: number; now: number; signal?: AbortSignal; proc?: string },
): Promise<ProcessInfo | undefined> {
  const before = isProcess(pid, proc) ? readProcess(pid, proc) : undefined;
  if (!before || (start !== undefined && before.start !== start)) return undefined;
  const started = performance.now();
  await sleep(WATCH, undefined, { signal }).catch(() => {});
  const line = readProcess(pid, proc);
  if (line?.start !== before.start) return undefined;
  const seconds = (performance.now() - started) / 1000;
  return describeProcess(line, { used: new Map([[pid, line.ticks - before.ticks]]), seconds }, now, proc);
}

/** Whether it is a process and not a thread of one. */
function isProcess(pid: number, proc: string): boolean {
  return readOwner(pid, proc)?.group === pid;
}

// Arguments that often carry a secret, as --password=… or --token ….
const SECRET = /((?:pass(?:word|wd|phrase)?|secret|token|api[-_]?key|credential)s?(?:[=:]|\s+))(?!-)\S+/gi;

function commandOf(pid: number, name: string, proc: string): string {
  const args = (readText(`${proc}/${pid}/cmdline`) ?? '').replace(/\0+$/, '').replaceAll('\0', ' ');
  const clean = printable(args).replace(SECRET, '$1•••');
  if (!clean) return `[${printable(name)}]`;
  return clean.length <= LONGEST_COMMAND ? clean : `${clean.slice(0, LONGEST_COMMAND).toWellFormed()}…`;
}

// A program names itself, and may do so with line breaks or signs that turn the reading direction.
function printable(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\p{Cc}\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+/gu, ' ')
    .trim();
}

let sizes: { tick: number; page: number } | undefined;

/** Clock ticks in a second and bytes in a page, as the kernel told this process at its start (getauxval(3)). */
export function units(): { tick: number; page: number } {
  sizes ??= readUnits();
  return sizes;
}

const AT_PAGESZ = 6n;
const AT_CLKTCK = 17n;

function readUnits(): { tick: number; page: number } {
  const found = { tick: 100, page: 4096 };
  try {
    const vector = readFileSync('/proc/self/auxv');
    // Potion runs on 64-bit machines, where each entry is two words of 8 bytes.
    for (let at = 0; at + 16 <= vector.length; at += 16) {
      const key = vector.readBigUInt64LE(at);
      const value = Number(vector.readBigUInt64LE(at + 8));
      if (key === AT_PAGESZ && value > 0) found.page = value;
      if (key === AT_CLKTCK && value > 0) found.tick = value;
    }
  } catch {
    // No Linux: then there are no processes to be read either.
  }
  return found;
}

let names: { text: string; byId: Map<number, string> } | undefined;

/** Login name of a user id after /etc/passwd; its number where it is not there. */
export function userName(uid: number, file = '/etc/passwd'): string {
  const text = readText(file) ?? '';
  if (names?.text !== text) {
    const entries = text.split('\n').map((line) => line.split(':'));
    names = { text, byId: new Map(entries.map(([name = '', , id]) => [Number(id), name])) };
  }
  return names.byId.get(uid) ?? String(uid);
}

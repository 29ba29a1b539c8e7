import { readdirSync, readFileSync } from 'node:fs';

/** A process as `/proc/<pid>/stat` describes it, see proc(5). */
export interface ProcStatLine {
  pid: number;
  /** Name of the program, cut by the kernel to 15 characters; may hold anything. */
  name: string;
  /** R running, S sleeping, D waiting for a device, Z ended but not collected by its parent, T stopped … */
  state: string;
  parent: number;
  /** Made of the kernel's own code: no program, deaf to signals. */
  kernel: boolean;
  /** Processor time so far, in clock ticks. */
  ticks: number;
  threads: number;
  /** When it was started, in clock ticks since boot: together with the pid it names one process for ever. */
  start: number;
  /** Resident memory in pages. */
  pages: number;
}

/** Bit of the flags that the kernel sets for its own threads (PF_KTHREAD). */
const KERNEL_THREAD = 0x00200000;

/** Reads the one line of `/proc/<pid>/stat`. The name stands in brackets and may hold brackets and spaces itself. */
export function parseStat(text: string): ProcStatLine | undefined {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  const pid = Number(text.slice(0, open));
  const rest = text.slice(close + 2).split(' ');
  // The third field of proc(5) is the first after the name.
  const field = (number: number) => Number(rest[number - 3]);
  const line = {
    pid,
    name: text.slice(open + 1, close),
    state: rest[0] ?? '',
    parent: field(4),
    kernel: (field(9) & KERNEL_THREAD) !== 0,
    ticks: field(14) + field(15),
    threads: field(20),
    start: field(22),
    pages: field(24),
  };
  const numbers = [pid, line.parent, field(9), line.ticks, line.start, line.pages];
  return open > 0 && close > open && numbers.every(Number.isFinite) ? line : undefined;
}

/**
 * All processes that may be seen, in about 20 µs each. Read at once, without a pause, as each file is made by the
 * kernel in memory. A process that has ended meanwhile, or is hidden (hidepid), is left out.
 */
export function readProcesses(proc = '/proc'): Map<number, ProcStatLine> {
  const found = new Map<number, ProcStatLine>();
  for (const name of readdirSync(proc)) {
    if (!/^[1-9]\d*$/.test(name)) continue;
    const line = readProcess(Number(name), proc);
    if (line) found.set(line.pid, line);
  }
  return found;
}

/**
 * One process; undefined when there is none of that id or it is hidden. The id of a thread answers too: only
 * {@link readProcesses} and {@link readOwner} tell those apart.
 */
export function readProcess(pid: number, proc = '/proc'): ProcStatLine | undefined {
  const text = readText(`${proc}/${pid}/stat`);
  return text === undefined ? undefined : parseStat(text);
}

/** Whose it is. */
export interface Owner {
  /** Id of the process that the thread of this id belongs to; for a process its own. */
  group: number;
  /** User ids: real, effective, saved, of the file system. */
  uids: number[];
  /** Resident memory, bytes; 0 for the kernel's own. */
  memory: number;
}

/** What `/proc/<pid>/status` says of it. */
export function readOwner(pid: number, proc = '/proc'): Owner | undefined {
  const text = readText(`${proc}/${pid}/status`);
  const group = Number(/^Tgid:\s+(\d+)$/m.exec(text ?? '')?.[1]);
  const uids =
    /^Uid:\s+(.+)$/m
      .exec(text ?? '')?.[1]
      ?.split(/\s+/)
      .map(Number) ?? [];
  const memory = Number(/^VmRSS:\s+(\d+) kB$/m.exec(text ?? '')?.[1] ?? 0) * 1024;
  return Number.isFinite(group) && uids.length === 4 && uids.every(Number.isInteger)
    ? { group, uids, memory }
    : undefined;
}

/** Text of a file below /proc; undefined when it can't be read. */
export function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** Ids of a process's parents, up to the first process of all. */
export function ancestorsOf(pid: number, table: ReadonlyMap<number, ProcStatLine>): number[] {
  const found: number[] = [];
  for (let at = table.get(pid)?.parent ?? 0; at > 0 && !found.includes(at); at = table.get(at)?.parent ?? 0)
    found.push(at);
  return found;
}

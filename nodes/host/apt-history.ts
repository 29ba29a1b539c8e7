import { open, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** One run of apt that has changed something, as it keeps it itself. */
export interface AptRun {
  /** Epoch ms. */
  startedAt: number;
  /** Epoch ms; absent: it was cut off, or is still at it. */
  endedAt?: number;
  command: string;
  upgraded: string[];
  installed: string[];
  /** What dpkg said of its failure. */
  error?: string;
}

/** A place in apt's history: what comes after it is new. */
export interface HistoryMark {
  inode: number;
  size: number;
}

/** Everyone may read it. */
const HISTORY = '/var/log/apt/history.log';
/** Enough for the largest upgrade. */
const MOST = 2_000_000;

/** What no other run of apt has on its command line: how the root helper has it tell its progress. */
export const UPGRADE_MARK = 'APT::Status-Fd=';

/** Where apt's history ends now. */
export async function historyMark(file = HISTORY): Promise<HistoryMark> {
  const facts = await stat(file).catch(() => undefined);
  return { inode: facts?.ino ?? 0, size: facts?.size ?? 0 };
}

/** What apt has done since, oldest first; also when its log was rotated in between. */
export async function historySince(mark: HistoryMark, file = HISTORY): Promise<AptRun[]> {
  const now = await historyMark(file);
  const from = now.inode === mark.inode && now.size >= mark.size ? mark.size : 0;
  if (now.size === from) return [];
  const log = await open(file).catch(() => undefined);
  if (!log) return [];
  try {
    const text = Buffer.alloc(Math.min(now.size - from, MOST));
    const { bytesRead } = await log.read(text, 0, text.length, from);
    return aptRuns(text.toString('utf8', 0, bytesRead));
  } finally {
    await log.close();
  }
}

/** Reads history.log (apt 1.6 to 2.9). */
export function aptRuns(text: string): AptRun[] {
  return text.split(/\n\s*\n/).flatMap((block): AptRun[] => {
    const facts = new Map(
      block.split('\n').flatMap((line): [string, string][] => {
        const [, name, value] = /^([A-Z][\w-]+): (.*)$/.exec(line) ?? [];
        return name && value !== undefined ? [[name, value]] : [];
      }),
    );
    const startedAt = localTime(facts.get('Start-Date'));
    if (startedAt === undefined) return [];
    const endedAt = localTime(facts.get('End-Date'));
    const error = facts.get('Error');
    return [
      {
        startedAt,
        ...(endedAt === undefined ? {} : { endedAt }),
        command: facts.get('Commandline') ?? '',
        upgraded: namesIn(facts.get('Upgrade')),
        installed: namesIn(facts.get('Install')),
        ...(error ? { error } : {}),
      },
    ];
  });
}

// "libc6:amd64 (2.36-9, 2.36-10), tzdata:all (2024a, 2025b)"
function namesIn(list = ''): string[] {
  return [...list.matchAll(/([^\s,()]+) \([^)]*\)/g)].map(([, name = '']) => name.replace(/:\w+$/, ''));
}

// "2026-11-21  03:22:17", by the machine's clock on the wall.
function localTime(text = ''): number | undefined {
  const parts = /^(\d{4})-(\d\d)-(\d\d)\s+(\d\d):(\d\d):(\d\d)$/.exec(text.trim());
  if (!parts) return undefined;
  const [year = 0, month = 0, day = 0, hour, minute, second] = parts.slice(1).map(Number);
  return new Date(year, month - 1, day, hour, minute, second).getTime();
}

/** Whether an upgrade that the root helper has started is still at work, also without the helper. */
export async function isUpgrading(proc = '/proc'): Promise<boolean> {
  const pids = (await readdir(proc).catch(() => [])).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    const line = await readFile(join(proc, pid, 'cmdline'), 'utf8').catch(() => '');
    if (line.includes(UPGRADE_MARK)) return true;
  }
  return false;
}

import { readFile } from 'node:fs/promises';
import { unitName } from '../kit/config.js';
import { PotionError } from '../kit/errors.js';
import { printableLine } from '../kit/printable-line.js';
import { run } from '../kit/run.js';

/** One line of the journal. */
export interface JournalLine {
  /** Epoch ms. */
  at: number;
  /** Without colours and control characters, cut to 500 characters unless asked otherwise. */
  message: string;
  /** 0 (emergency) to 7 (debug), as in syslog; 6 where none is given. */
  priority: number;
  /** Who wrote it, e.g. `nginx` or `systemd`. */
  from: string;
  /** Its place in the journal, where that was told. */
  cursor?: string;
}

export interface JournalOptions {
  /** Nothing older than this, epoch ms. */
  since?: number;
  signal?: AbortSignal;
  /** Milliseconds. Default 5 s. */
  timeout?: number;
}

/** What is asked for: the messages of a unit, with what systemd says about it, or the kernel's. */
export type JournalOf = { unit: string } | { kernel: true };

export interface JournalPart {
  since?: number;
  /** Nothing younger than this, epoch ms. */
  until?: number;
  /** Cursor: only what came before it, whatever `since` and `until` say. */
  before?: string;
  /** At most so many. */
  lines: number;
  /** Characters of a message that are kept. Default 500. */
  longest?: number;
}

/** More than a chat message can show. */
const MOST_LINES = 200;
const LONGEST = 500;
const MOST_OUTPUT = 2_000_000;

/**
 * The last lines that the journal has of a unit, oldest first; with what systemd says about the unit.
 * @throws PotionError UNAVAILABLE when there is no journal or Potion may not read it, TIMEOUT, CANCELLED
 */
export async function lastLines(
  unit: string,
  lines: number,
  options: JournalOptions = {},
): Promise<JournalLine[]> {
  const count = Math.max(1, Math.min(Math.trunc(lines), MOST_LINES));
  const part = await journalBack({ unit }, { lines: count, since: options.since }, options);
  return part.reverse();
}

/**
 * A part of the journal, newest first. Fewer lines than asked for need not be all there are when they are long.
 * @throws PotionError INVALID for what is no unit, UNAVAILABLE, TIMEOUT, CANCELLED
 */
export async function journalBack(
  of: JournalOf,
  { since, until, before, lines, longest }: JournalPart,
  { timeout = 5000, signal }: Omit<JournalOptions, 'since'> = {},
): Promise<JournalLine[]> {
  const args = [
    ...selection(of),
    '--reverse',
    `--lines=${lines}`,
    ...AS_JSON,
    // With --reverse this is what comes before it. journalctl takes no other bound beside a cursor.
    ...(before === undefined ? span(since, until) : [`--after-cursor=${before}`]),
  ];
  const result = await run('journalctl', args, { timeout, signal, maxOutput: MOST_OUTPUT });
  const found = parseJournal(result.stdout, longest);
  if (found.length === 0) check(result);
  return found;
}

/**
 * Hands on new lines as they come, after the last few, until `signal` ends it.
 * @throws as journalBack
 */
export async function followJournal(
  of: JournalOf,
  lines: number,
  line: (entry: JournalLine) => void,
  { signal, timeout }: { signal: AbortSignal; timeout: number },
): Promise<void> {
  const args = [...selection(of), '--follow', `--lines=${lines}`, ...AS_JSON, ...(await ownMachine())];
  const drain = (text: string) => {
    for (const entry of parseJournal(text)) line(entry);
  };
  try {
    check(await run('journalctl', args, { timeout, signal, drain }));
  } catch (thrown) {
    if (!(signal.aborted && thrown instanceof PotionError && thrown.code === 'CANCELLED')) throw thrown;
  }
}

/**
 * Following stays within the boot that the kernel names, which in a container is not always the one that its
 * journal names. Within this machine alone it need not.
 */
async function ownMachine(): Promise<string[]> {
  const id = await readFile('/etc/machine-id', 'utf8').catch(() => '');
  return /^[0-9a-f]{32}$/.test(id.trim()) ? ['--merge', `_MACHINE_ID=${id.trim()}`] : [];
}

const AS_JSON = ['--output=json', '--output-fields=MESSAGE,PRIORITY,SYSLOG_IDENTIFIER', '--no-pager'];

function selection(of: JournalOf): string[] {
  // Not --dmesg: what the kernel said before the last boot may be why there was one.
  if ('kernel' in of) return ['_TRANSPORT=kernel'];
  const unit = unitName(of.unit);
  if (!unit) throw new PotionError('INVALID', 'errors.unit-name', { unit: of.unit.slice(0, 80) });
  return [`--unit=${unit}`];
}

function span(since: number | undefined, until: number | undefined): string[] {
  const at = (name: string, time: number | undefined) =>
    time === undefined ? [] : [`--${name}=@${(time / 1000).toFixed(3)}`];
  return [...at('since', since), ...at('until', until)];
}

function check({ exitCode, stderr }: { exitCode: number; stderr: string }): void {
  if (/insufficient permissions|not seeing messages from other users/i.test(stderr))
    throw new PotionError('UNAVAILABLE', 'errors.journal-right');
  if (exitCode !== 0 || /no journal files were found/i.test(stderr))
    throw new PotionError('UNAVAILABLE', 'errors.journal-missing', { detail: stderr.slice(0, 200) });
}

/** Reads what `--output=json` prints, one object per line. A line that was cut off is left out. */
export function parseJournal(output: string, longest = LONGEST): JournalLine[] {
  return output.split('\n').flatMap((line) => {
    const entry = objectIn(line);
    if (!entry) return [];
    return {
      at: Math.floor(Number(entry.__REALTIME_TIMESTAMP ?? 0) / 1000),
      message: readable(entry.MESSAGE, longest),
      priority: priorityOf(entry.PRIORITY),
      from: typeof entry.SYSLOG_IDENTIFIER === 'string' ? printableLine(entry.SYSLOG_IDENTIFIER, 64) : '',
      ...(typeof entry.__CURSOR === 'string' ? { cursor: entry.__CURSOR } : {}),
    };
  });
}

function objectIn(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

// A field is a string, an array of bytes when it is not printable UTF-8, null when it is over 4096 bytes,
// and an array of those when the entry has it more than once.
function readable(field: unknown, longest: number): string {
  if (field === null) return '[…]';
  if (Array.isArray(field)) {
    if (field.every((byte) => typeof byte === 'number'))
      return tidy(Buffer.from(field).toString('utf8'), longest);
    return field.map((one) => readable(one, longest)).join(' ');
  }
  return typeof field === 'string' ? tidy(field, longest) : '';
}

function tidy(text: string, longest: number): string {
  return printableLine(text, longest).trim();
}

function priorityOf(field: unknown): number {
  return typeof field === 'string' && /^[0-7]$/.test(field) ? Number(field) : 6;
}

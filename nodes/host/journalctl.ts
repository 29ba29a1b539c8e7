import { stripVTControlCharacters } from 'node:util';
import { PotionError } from '../kit/errors.js';
import { run } from '../kit/run.js';

/** One line of the journal. */
export interface JournalLine {
  /** Epoch ms. */
  at: number;
  /** Without colours and control characters, cut to 500 characters. */
  message: string;
  /** 0 (emergency) to 7 (debug), as in syslog; 6 where none is given. */
  priority: number;
  /** Who wrote it, e.g. `nginx` or `systemd`. */
  from: string;
}

export interface JournalOptions {
  /** Nothing older than this, epoch ms. */
  since?: number;
  signal?: AbortSignal;
  /** Milliseconds. Default 5 s. */
  timeout?: number;
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
  const since = options.since === undefined ? [] : [`--since=@${(options.since / 1000).toFixed(3)}`];
  const args = [
    `--unit=${unit}`,
    `--lines=${count}`,
    '--output=json',
    '--output-fields=MESSAGE,PRIORITY,SYSLOG_IDENTIFIER',
    '--no-pager',
    ...since,
  ];
  const { timeout = 5000, signal } = options;
  const result = await run('journalctl', args, { timeout, signal, maxOutput: MOST_OUTPUT });
  const found = parseJournal(result.stdout);
  if (found.length > 0) return found;
  if (/insufficient permissions|not seeing messages from other users/i.test(result.stderr))
    throw new PotionError('UNAVAILABLE', 'errors.journal-right');
  if (result.exitCode !== 0 || /no journal files were found/i.test(result.stderr))
    throw new PotionError('UNAVAILABLE', 'errors.journal-missing', {
      detail: result.stderr.slice(0, 200),
    });
  return found;
}

/** Reads what `--output=json` prints, one object per line. A line that was cut off is left out. */
export function parseJournal(output: string): JournalLine[] {
  return output.split('\n').flatMap((line) => {
    const entry = objectIn(line);
    if (!entry) return [];
    return {
      at: Math.floor(Number(entry.__REALTIME_TIMESTAMP ?? 0) / 1000),
      message: readable(entry.MESSAGE),
      priority: priorityOf(entry.PRIORITY),
      from: typeof entry.SYSLOG_IDENTIFIER === 'string' ? entry.SYSLOG_IDENTIFIER : '',
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
function readable(field: unknown): string {
  if (field === null) return '[…]';
  if (Array.isArray(field)) {
    if (field.every((byte) => typeof byte === 'number')) return tidy(Buffer.from(field).toString('utf8'));
    return field.map(readable).join(' ');
  }
  return typeof field === 'string' ? tidy(field) : '';
}

function tidy(text: string): string {
  const clean = stripVTControlCharacters(text)
    .replace(/\p{Cc}+/gu, ' ')
    .trim();
  return clean.length <= LONGEST ? clean : `${clean.slice(0, LONGEST).toWellFormed()}…`;
}

function priorityOf(field: unknown): number {
  return typeof field === 'string' && /^[0-7]$/.test(field) ? Number(field) : 6;
}

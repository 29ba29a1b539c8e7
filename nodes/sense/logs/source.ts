import { followJournal, type JournalOf, journalBack } from '../../host/journalctl.js';
import { readLogBack } from '../../host/log-files.js';
import { unitName } from '../../kit/config.js';
import { PotionError } from '../../kit/errors.js';
import { fileLine, headOf, journalLine, LONGEST, type LogLine } from './entry.js';
import type { Span } from './span.js';

/** Where lines come from. */
export interface Source {
  /** As commands name it: `runtime`, `actions`, `kernel`, or a unit. */
  name: string;
  of: { file: string } | JournalOf;
}

/** A log file of Potion's own, below LOG_DIR. */
const FILES: Record<string, string> = { runtime: 'runtime.log', actions: 'actions.log' };
const OTHER_NAMES: Record<string, string> = { aksi: 'actions', audit: 'actions', dmesg: 'kernel' };

/**
 * The source of this name.
 * @param units whose journal may be read
 * @param unitOnly only units are meant
 * @throws PotionError INVALID for what is no name, DENIED for a unit that is not among them
 */
export function sourceOf(name: unknown, units: readonly string[], unitOnly = false): Source {
  const word = typeof name === 'string' ? name.trim() : '';
  const known = OTHER_NAMES[word.toLowerCase()] ?? word.toLowerCase();
  if (!unitOnly && Object.hasOwn(FILES, known)) return { name: known, of: { file: FILES[known] as string } };
  if (!unitOnly && known === 'kernel') return { name: known, of: { kernel: true } };
  const unit = unitName(word);
  const facts = { source: word.slice(0, 80), units: units.join(', ') };
  if (unit === undefined) throw new PotionError('INVALID', 'logs.errors.no-source', facts);
  if (!units.includes(unit))
    throw new PotionError('DENIED', unitOnly ? 'logs.errors.not-allowed' : 'logs.errors.no-source', facts);
  return { name: unit, of: { unit } };
}

export interface Back extends Span {
  /** Place of a line: begins with the one before it. */
  before?: string;
  /** How many are likely to be taken. */
  about?: number;
}

/** Lines of a source from the newest back, until nobody takes any more. */
export function linesBack(
  { of }: Source,
  logDir: string,
  back: Back,
  signal: AbortSignal,
): AsyncGenerator<LogLine> {
  return 'file' in of ? fileBack(of.file, logDir, back) : journalLinesBack(of, back, signal);
}

/** A line that continues another waits for it, to be known by its time; so many at most. */
const LONGEST_ENTRY = 1000;

async function* fileBack(name: string, logDir: string, back: Back): AsyncGenerator<LogLine> {
  const { since = Number.NEGATIVE_INFINITY, until = Number.POSITIVE_INFINITY, before } = back;
  let waiting: { text: string; place: string }[] = [];
  for await (const line of readLogBack(logDir, name, before)) {
    waiting.push(line);
    const head = headOf(line.text);
    if (!head && waiting.length < LONGEST_ENTRY) continue;
    if (head && head.at < since) return;
    if (!head || head.at <= until)
      for (const { text, place } of waiting) yield within(head?.at, fileLine(text, place));
    waiting = [];
  }
  // The oldest file may begin in the middle of an entry.
  if (back.since === undefined) for (const { text, place } of waiting) yield fileLine(text, place);
}

function within(at: number | undefined, line: LogLine): LogLine {
  return at === undefined || line.at !== undefined ? line : { ...line, at, continues: true };
}

const MOST_AT_ONCE = 2000;

async function* journalLinesBack(of: JournalOf, back: Back, signal: AbortSignal): AsyncGenerator<LogLine> {
  const { since, until, about = 100 } = back;
  let { before } = back;
  for (let lines = Math.min(about, MOST_AT_ONCE); ; lines = Math.min(lines * 4, MOST_AT_ONCE)) {
    const part = { since, until, before, lines, longest: LONGEST };
    const found = await journalBack(of, part, { timeout: 15_000, signal });
    for (const entry of found) {
      if (since !== undefined && entry.at < since) return;
      yield journalLine(entry);
    }
    before = found.at(-1)?.cursor;
    if (before === undefined) return;
  }
}

/** Hands on what is new in a journal as it comes, after its last few lines, until `signal` ends it. */
export function follow(
  of: JournalOf,
  lines: number,
  seconds: number,
  signal: AbortSignal,
  told: (line: LogLine) => void,
): Promise<void> {
  const timeout = (seconds + 60) * 1000;
  return followJournal(of, lines, (entry) => told(journalLine(entry)), { signal, timeout });
}

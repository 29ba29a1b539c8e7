import type { JournalLine } from '../../host/journalctl.js';
import { printableLine } from '../../kit/printable-line.js';

/** How bad a line is, where that is worth a colour. */
export type Level = 'error' | 'warn';

/** A line of a log. */
export interface LogLine {
  /** Epoch ms; undefined where nothing tells. */
  at?: number;
  /** It goes on with the line before it, whose time it has. */
  continues?: true;
  level?: Level;
  /** What it says, without its time. */
  words: string;
  /** The whole line. */
  text: string;
  /** Where it stands: what came before it can be asked for with this. */
  place: string;
}

/** Characters of a line that anybody gets to see. */
export const LONGEST = 4000;

const RUNTIME = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)\.(\d{3}) (\w+) /;
const ACTIONS = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d) /;

/** What the head of a line in `runtime.log` or `actions.log` tells; undefined for a line that continues another. */
export function headOf(text: string): { at: number; level?: Level; length: number } | undefined {
  const runtime = RUNTIME.exec(text);
  if (runtime) {
    const [year = 0, month = 0, day = 0, hour, minute, second, ms] = runtime.slice(1, 8).map(Number);
    // runtime.log is written in local time.
    const at = new Date(year, month - 1, day, hour, minute, second, ms).getTime();
    return { at, ...levelOf(runtime[8]), length: runtime[0].length };
  }
  const actions = ACTIONS.exec(text);
  const at = Date.parse(actions?.[1] ?? '');
  return Number.isNaN(at) ? undefined : { at, length: actions?.[0].length ?? 0 };
}

function levelOf(word: string | undefined): { level?: Level } {
  if (word === 'error' || word === 'fatal') return { level: 'error' };
  return word === 'warn' ? { level: 'warn' } : {};
}

/** A line of a file. */
export function fileLine(raw: string, place: string): LogLine {
  const head = headOf(raw);
  const text = printableLine(raw, LONGEST);
  const words = head ? printableLine(raw.slice(head.length), LONGEST) : text;
  return {
    words,
    text,
    place,
    ...(head ? { at: head.at } : {}),
    ...(head?.level ? { level: head.level } : {}),
  };
}

/** A line of the journal. */
export function journalLine({ at, message, priority, from, cursor = '' }: JournalLine): LogLine {
  const words = from ? `${from}: ${message}` : message;
  // As syslog has them: up to 3 is an error, 4 a warning.
  const level = priority <= 3 ? 'error' : priority === 4 ? 'warn' : undefined;
  return { at, words, text: `${localTime(at)} ${words}`, place: cursor, ...(level ? { level } : {}) };
}

/** Local date and time, e.g. `2026-11-20 10:00:00`. */
export function localTime(at: number): string {
  const local = new Date(at - new Date(at).getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 19).replace('T', ' ');
}

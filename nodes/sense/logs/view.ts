import { cut } from '../../kit/telegram-html.js';
import { type LogLine, localTime } from './entry.js';

/** Characters of a line in a chat; a file has all of it. */
const LONGEST_SHOWN = 400;
/** What one Telegram message holds beside a heading, in UTF-16 units. */
export const ONE_MESSAGE = 3500;
/** More messages than that for one answer are a file. */
export const FEW_MESSAGES = 3 * ONE_MESSAGE;

const MARKS = { error: '🔴 ', warn: '🟡 ' } as const;

/** Lines as a chat shows them. */
export interface Shown {
  /** Plain text, one line each, oldest first; a date stands between two days. */
  text: string;
  /** How many lines that is: the newest ones. */
  count: number;
  /** Place of the oldest of them. */
  place?: string;
}

/**
 * As many of the newest lines as fit.
 * @param lines oldest first
 * @param budget UTF-16 units
 * @param now what is of today needs no date
 */
export function show(lines: readonly LogLine[], budget: number, now: number): Shown {
  const today = localTime(now).slice(0, 10);
  const texts: string[] = [];
  let length = 0;
  let count = 0;
  for (let at = lines.length - 1; at >= 0; at--) {
    const line = lines[at] as LogLine;
    const text = shortLine(line);
    const heading = dayBetween(lines[at - 1], line, today);
    const added = text.length + 1 + (heading ? heading.length + 1 : 0);
    // No line's end stands behind the last one. One line too long for the budget is still better than none.
    if (length + added - 1 > budget && count > 0) break;
    texts.unshift(...(heading ? [heading, text] : [text]));
    length += added;
    count++;
  }
  const place = lines[lines.length - count]?.place;
  return { text: texts.join('\n'), count, ...(place ? { place } : {}) };
}

function shortLine({ at, level, words, continues }: LogLine): string {
  const time = at === undefined || continues ? '' : `${localTime(at).slice(11)} `;
  const text = words.length <= LONGEST_SHOWN ? words : `${cut(words, LONGEST_SHOWN)}…`;
  return `${time}${level ? MARKS[level] : ''}${text}`;
}

/** The date, where it changes between two lines, or the first one is not of today. */
function dayBetween(before: LogLine | undefined, line: LogLine, today: string): string | undefined {
  if (line.at === undefined) return undefined;
  const day = localTime(line.at).slice(0, 10);
  const last = before?.at === undefined ? today : localTime(before.at).slice(0, 10);
  return day === last ? undefined : `── ${day} ──`;
}

import { redact } from '../../nodes/kit/redact.js';
import { cut } from '../../nodes/kit/telegram-html.js';
import type { Tell } from './due.js';
import type { Incident } from './state.js';

/** Lines, and characters of each, that a message has room for. */
const LINES = 5;
const LONGEST = 200;
const LIMIT = 5000;

/** An end has a reason, and that may stand in what was said last. */
const ENDED = ['failed', 'refuses', 'restarting', 'looping'];

/** Whether Potion has ended by itself, and is not back. */
export function hasEnded({ endedAt, code }: Incident): boolean {
  return endedAt === undefined && ENDED.includes(code);
}

/** Whether one of the messages tells of that. */
export function wantsLastWords(tells: readonly Tell[]): boolean {
  return tells.some(({ items }) => items.some(({ incident }) => hasEnded(incident)));
}

/**
 * What Potion has said last, not what systemd says of it, oldest line first. Nothing when the journal can't be
 * read; never throws.
 */
export async function lastWords(secrets: readonly string[]): Promise<string[]> {
  try {
    const { run } = await import('../../nodes/kit/run.js');
    const args = ['_SYSTEMD_UNIT=potion.service', '-n', String(LINES), '-o', 'cat', '--no-pager', '-q'];
    const { stdout } = await run('journalctl', args, { timeout: LIMIT, maxOutput: 100_000 });
    return chosen(stdout, secrets);
  } catch {
    return [];
  }
}

function chosen(text: string, secrets: readonly string[]): string[] {
  const lines = redact(text, secrets).split('\n').filter(Boolean);
  return lines.slice(-LINES).map((line) => cut(line, LONGEST).toWellFormed());
}

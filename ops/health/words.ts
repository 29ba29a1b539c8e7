import { cut, escapeHtml } from '../../nodes/kit/telegram-html.js';
import type { Language } from '../../nodes/kit/units.js';
import type { Item } from './due.js';
import type { Findings } from './findings.js';
import { type Cause, RANK } from './judge.js';
import { hasEnded } from './last-words.js';
import { describe } from './limit.js';

/** Renders one of the texts of `locales`, as Telegram HTML or plain. */
export type Say = (key: string, data?: object, mode?: 'html' | 'plain') => string;

/** More would not fit into a message together with the rest. */
const MOST_FACTS = 6;
const LONGEST_FACT = 300;
/** Outages that are over and were not told, the newest of them. */
const MOST_PASSED = 3;

/**
 * The texts in a language. Where the packages that render them are damaged, which may be the very reason why
 * Potion is down, a plain line with the facts does: to be understood is enough then.
 */
export async function texts(lang: Language): Promise<Say> {
  try {
    const { hasText, render } = await import('../../nodes/kit/locale.js');
    // Also the files with the texts may be damaged; that shows here.
    if (!hasText(lang, 'health.test')) return bare;
    return (key, data = {}, mode = 'html') => (hasText(lang, key) ? render(lang, key, data, mode) : '');
  } catch (thrown) {
    process.stderr.write(`potion-health: the texts can't be used (${describe(thrown)})\n`);
    return bare;
  }
}

const bare: Say = (key, data = {}) => {
  const { server = 'Potion', since, ...rest } = data as Record<string, unknown>;
  if (key.startsWith('health.hint.')) return '';
  const from = typeof since === 'number' ? ` since ${new Date(since).toISOString()}` : '';
  const facts = Object.entries(rest).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
  // Nothing here may look like markup to Telegram.
  return `${server}: ${key.replace(/^health\./, '')}${from}. ${facts.join(', ')}`.replace(/[<>&]/g, ' ');
};

export interface Background {
  findings: Findings;
  /** SERVER_NAME */
  server: string;
  /** Lines that Potion has written last, for one that has ended. */
  lastWords: readonly string[];
}

/** One message of what there is to tell, as Telegram HTML. */
export function message(items: readonly Item[], background: Background, say: Say): string {
  const sorted = [...items].sort((a, b) => a.incident.since - b.incident.since);
  const passed = sorted.filter(({ what }) => what === 'was');
  const older = new Set(passed.slice(0, -MOST_PASSED));
  const lines = sorted.filter((item) => !older.has(item)).map((item) => paragraph(item, background, say));
  if (older.size > 0)
    lines.unshift(say('health.potion.older', { server: background.server, count: older.size }));
  return lines.join('\n\n');
}

function paragraph({ what, incident }: Item, background: Background, say: Say): string {
  const { findings, server, lastWords } = background;
  const { cause, code, data, since, endedAt, dips } = incident;
  const until = endedAt ?? findings.at;
  const shared = { ...data, server, since, until, lasted: inMinutes(until - since), dips };
  const lines = [say(`health.${cause}.${headline(what, cause, incident.rank)}`, shared)];
  if (dips > 0) lines.push(say('health.potion.dips', { dips }));
  if (endedAt === undefined) {
    lines.push(say(`health.reason.${code}`, data));
    for (const fact of factsOf(code, data, cause, findings, say)) lines.push(`• ${fact}`);
    if (hasEnded(incident) && lastWords.length > 0)
      lines.push(`<pre>${escapeHtml(lastWords.join('\n'))}</pre>`);
    lines.push(say(`health.hint.${code}`));
  }
  return lines.filter(Boolean).join('\n');
}

/** Seconds, in whole minutes: what is looked at every five minutes is not known better. */
function inMinutes(ms: number): number {
  return 60 * Math.max(1, Math.round(ms / 60_000));
}

function headline(what: Item['what'], cause: Cause, rank: number): string {
  if (cause !== 'potion') return what === 'over' || what === 'was' ? 'over' : 'begin';
  if (what !== 'begin') return what;
  if (rank === RANK.gentle) return 'gentle';
  return rank === RANK.ailing ? 'ailing' : 'down';
}

/** What belongs to it, as Telegram HTML: parts that ail, settings that are wrong, disks that may be the reason. */
function factsOf(code: string, data: object, cause: Cause, findings: Findings, say: Say): string[] {
  const { parts = [], problems = [] } = data as {
    parts?: { name: string; why: string }[];
    problems?: string[];
  };
  const facts = [...parts.map(({ name, why }) => `${name}: ${why}`), ...problems];
  if (cause !== 'potion' || code === 'stopped') return facts.slice(0, MOST_FACTS).map(shown);
  facts.push(...findings.settings);
  const disks = findings.disks.filter(({ problem }) => problem !== undefined);
  return [
    ...facts.slice(0, MOST_FACTS).map(shown),
    ...disks.slice(0, MOST_FACTS).map((disk) => say(`health.disk.${disk.problem}`, disk)),
  ];
}

function shown(text: string): string {
  return escapeHtml(cut(text, LONGEST_FACT));
}

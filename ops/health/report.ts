import { plain } from '../../nodes/kit/telegram-html.js';
import type { Findings } from './findings.js';
import type { Complaint } from './judge.js';
import type { Way } from './settings.js';
import type { Say } from './words.js';

export interface ReportOptions {
  server: string;
  complaints: readonly Complaint[];
  /** When the timer last looked, epoch ms. */
  last: number | undefined;
  broken: readonly string[];
  targets: readonly string[];
}

/** What one look has found, for a person at a terminal. */
export function report(findings: Findings, options: ReportOptions, say: Say): string {
  const { at, unit, api, disks, logs } = findings;
  const text = (key: string, data: object = {}) => say(`health.report.${key}`, data, 'plain');
  const lines = [text('title', { server: options.server, at })];
  lines.push(...ofComplaints(findings, options.complaints, say).map((line) => plain(line)));
  if ('active' in unit && unit.load === 'loaded') lines.push(text('unit', unit));
  else lines.push(text('active' in unit ? 'unit-absent' : 'unit-unknown', unit));
  for (const { bot, answer, detail } of api) lines.push(text(`api.${answer}`, { name: nameOf(bot), detail }));
  for (const disk of disks) {
    if (disk.used !== undefined) lines.push(text('disk', disk));
    if (disk.problem) lines.push(`⚠️ ${plain(say(`health.disk.${disk.problem}`, disk))}`);
  }
  lines.push(text('logs', logs));
  lines.push(
    options.last === undefined ? text('never') : text('last', { age: Math.max(0, at - options.last) / 1000 }),
  );
  lines.push(...options.broken.map((file) => text('broken-state', { file })));
  const { targets } = options;
  lines.push(targets.length > 0 ? text('told', { targets: targets.join(', ') }) : text('nobody'));
  return lines.join('\n');
}

function ofComplaints(findings: Findings, complaints: readonly Complaint[], say: Say): string[] {
  const lines = complaints.flatMap(({ code, data }) => [
    `⚠️ ${say(`health.reason.${code}`, data)}`,
    ...partsOf(data).map((part) => `  • ${part}`),
    say(`health.hint.${code}`),
  ]);
  if (!complaints.some(({ cause }) => cause === 'potion'))
    lines.unshift(say(`health.report.${findings.health.answer === 'none' ? 'installing' : 'well'}`));
  lines.push(...findings.settings.map((problem) => `⚠️ ${problem}`));
  return lines.filter(Boolean);
}

function partsOf({ parts = [] }: { parts?: unknown }): string[] {
  return (parts as { name: string; why: string }[]).map(({ name, why }) => `${name}: ${why}`);
}

/** The variable that names a bot. */
export function nameOf(bot: Way['bot']): string {
  return bot === 'owner' ? 'OWNER_BOT_TOKEN' : 'BOT_TOKEN';
}

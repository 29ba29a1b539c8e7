import { redact } from '../../nodes/kit/redact.js';
import type { Findings } from './findings.js';
import type { Complaint } from './judge.js';

/** One look as one line of health.log, local time first. */
export function logLine(findings: Findings, complaints: readonly Complaint[]): string {
  const { at, health, unit, api, disks, logs, settings } = findings;
  const verdict = complaints.map(({ cause, code }) => `${cause}:${code}`).join(',') || 'well';
  const words = [
    verdict,
    `health=${health.answer === 'none' ? health.why : health.answer}`,
    `unit=${'active' in unit ? `${unit.active}/${unit.sub}` : unit.load}`,
    ...('restarts' in unit && unit.restarts > 0 ? [`restarts=${unit.restarts}`] : []),
    ...api.map(({ bot, answer }) => `${bot}-bot=${answer}`),
    ...disks.map(({ path, used, problem }) => `disk:${path}=${problem ?? percent(used)}`),
    `logs=${Math.round((logs.total ?? 0) / 1024 ** 2)}MB`,
    ...(findings.installing === undefined ? [] : ['installing']),
    ...(settings.length > 0 ? [`settings="${settings.join('; ')}"`] : []),
    ...(health.answer === 'ailing' ? [`parts="${JSON.stringify(health.parts)}"`] : []),
  ];
  return dated(at, words.join(' '));
}

/** A line of the log: local time, then the words on one line, without tokens. */
export function dated(at: number, words: string): string {
  const date = new Date(at);
  const local = new Date(at - date.getTimezoneOffset() * 60_000).toISOString();
  return `${local.slice(0, 10)} ${local.slice(11, 19)} ${redact(words.replace(/\s+/g, ' '))}`;
}

function percent(ratio = 0): string {
  return `${Math.round(ratio * 100)}%`;
}

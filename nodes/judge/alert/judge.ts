import { isSilenced, type Silence } from '../../state/alerts.js';
import type { Stored } from '../../state/settings.js';
import { thresholdOf } from '../../state/thresholds.js';
import type { AlertBook, Verdict } from './book.js';
import { deliveryOf, type Wording } from './delivery.js';
import { withThreshold } from './rule.js';
import type { Series, Source } from './series.js';
import { type Rule, type Step, step } from './state-machine.js';

/** What a node judges by. */
export interface Judge {
  node: string;
  rule: Rule;
  wording: Wording;
  env: Readonly<Record<string, string | undefined>>;
}

/**
 * What a message shows, and what it should show and does not: where it shows all there is, a series that the
 * node knows and the message lacks is missing.
 */
export function withMissing(source: Source, shown: readonly Series[], known: Iterable<string>): Series[] {
  if (!source.isWhole) return [...shown];
  const expected = new Set(known);
  if (source.only) expected.add(source.only);
  for (const { code } of shown) expected.delete(code);
  return [...shown, ...[...expected].map((code) => ({ code, name: nameIn(source.code, code) }))];
}

// The series' name back out of its code: `disk:{series}` and `disk:/mnt` give `/mnt`.
function nameIn(template: string, code: string): string {
  const [before = '', after = ''] = template.split('{series}');
  const fits = template.includes('{series}') && code.startsWith(before) && code.endsWith(after);
  return fits ? code.slice(before.length, code.length - after.length) : '';
}

/** Judges each series at one time. Silences are asked for only when somebody is to be told of something. */
export async function judgeAll(
  judge: Judge,
  book: AlertBook,
  series: readonly Series[],
  at: number,
  stored: Stored,
  silences: () => Promise<readonly Silence[]>,
): Promise<Verdict[]> {
  let asked: readonly Silence[] | undefined;
  const verdicts: Verdict[] = [];
  for (const one of series) {
    const rule = ruleFor(judge, one.code, stored);
    const before = book.stateOf(one.code);
    let result = step(rule, before, { at, value: one.value }, false);
    if (result.event?.tell) asked ??= await silences();
    const silenced = isSilenced(one.code, asked ?? []);
    if (result.event?.tell && silenced) result = step(rule, before, { at, value: one.value }, true);
    verdicts.push(verdictOf(judge, one, rule, result, silenced));
  }
  return verdicts;
}

function ruleFor({ rule, env }: Judge, code: string, stored: Stored): Rule {
  if (typeof rule.threshold !== 'number') return rule;
  return withThreshold(rule, thresholdOf(code, rule.threshold, stored, env).value);
}

function verdictOf(
  { node, wording }: Judge,
  { code, name }: Series,
  rule: Rule,
  { state, event }: Step,
  silenced: boolean,
): Verdict {
  if (!event) return { code, state, tell: false, isChange: false };
  const delivery = deliveryOf({ node, code, series: name, rule, wording, event, silenced });
  return { code, state, delivery, tell: event.tell, isChange: event.isChange };
}

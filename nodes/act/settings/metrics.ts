import type { AlertWatch } from '../../kit/alert-watches.js';
import { PotionError } from '../../kit/errors.js';
import { nearest } from '../../kit/nearest.js';
import type { Sourced } from '../../state/live-settings.js';
import type { Kept, Stored } from '../../state/settings.js';
import { THRESHOLD, thresholdOf, thresholdSetting } from '../../state/thresholds.js';

/** A number that an alert node compares with a threshold. */
export interface Metric {
  /** What it is set by: `cpu`, `disk` for all disks, `disk:/mnt` for one. */
  code: string;
  unit: string;
  label: string;
  operator: 'above' | 'below';
  /** The alert node's own threshold. */
  own: number;
  /** What is measured now, by code. */
  now: { code: string; value: number }[];
}

/** Everything whose threshold can be set, each once, in the order of the alert nodes. */
export function metricsOf(watches: readonly AlertWatch[]): Metric[] {
  const metrics = new Map<string, Metric>();
  for (const watch of watches) {
    const { code, unit, label, operator, threshold } = watch;
    if (operator === 'oneOf' || typeof threshold !== 'number') continue;
    const family = familyOf(code);
    // A code that is all blank can be set series by series only.
    const names = family === '' ? [...watch.series().keys()] : [family];
    for (const name of names)
      if (!metrics.has(name))
        metrics.set(name, { code: name, unit, label, operator, own: threshold, now: measured(watch) });
  }
  return [...metrics.values()];
}

/**
 * The metric that a person names: `cpu`, `disk`, or one of its series, `disk:/mnt`.
 * @throws PotionError NOT_FOUND with what there is, and what was likely meant
 */
export function metricNamed(name: string, watches: readonly AlertWatch[]): Metric {
  const metrics = metricsOf(watches);
  const wanted = name.toLowerCase();
  const whole = metrics.find(({ code }) => code.toLowerCase() === wanted);
  if (whole) return whole;
  for (const metric of metrics) {
    const series = metric.now.find(({ code }) => code.toLowerCase() === wanted);
    if (series) return { ...metric, code: series.code, now: [series] };
  }
  const codes = metrics.flatMap(({ code, now }) => [code, ...now.map((one) => one.code)]);
  throw new PotionError('NOT_FOUND', 'settings.errors.metric', {
    name: name.slice(0, 64),
    nearest: nearest(wanted, codes),
    metrics: metrics.map(({ code }) => code).join(', '),
  });
}

/** What counts as a metric's threshold now. */
export function thresholdNow(
  { code, own }: Metric,
  kept: readonly Kept[],
  env: Readonly<Record<string, string | undefined>>,
): Sourced<number> {
  const stored: Stored = new Map(kept.map(({ key, value }) => [key, value]));
  const { value, source } = thresholdOf(code, own, stored, env);
  const { keys, parse } = thresholdSetting(code, own);
  const row =
    source === 'setting'
      ? keys
          .map((key) => kept.find((one) => one.key === key))
          .find((one) => one && parse(one.value) !== undefined)
      : undefined;
  return { value, source, ...(row ? { user: row.user, at: row.at } : {}) };
}

/** Key under which a threshold is set. */
export function thresholdKey(code: string): string {
  return THRESHOLD + code;
}

/** Everything that can be silenced: each code there is, whole families, the services, and `*` for all. */
export function silenceable(watches: readonly AlertWatch[], units: readonly string[]): string[] {
  const codes = watches.flatMap(({ code, series }) => [familyOf(code), ...series().keys()]);
  const services = units.length > 0 ? ['service', ...units.map((unit) => `service:${unit}`)] : [];
  return [...new Set([...codes, ...services, '*'])].filter(Boolean);
}

const ALL = new Set(['*', 'all', 'semua', 'semuanya', 'everything']);

/**
 * The code that a person wants to silence; a service's may be named without `.service`.
 * @throws PotionError NOT_FOUND
 */
export function codeNamed(name: string, codes: readonly string[]): string {
  const found = codeIn(name, codes);
  if (found) return found;
  throw new PotionError('NOT_FOUND', 'settings.errors.code', {
    code: name.slice(0, 64),
    nearest: nearest(
      name.toLowerCase(),
      codes.filter((code) => code !== '*'),
    ),
    codes: codes.slice(0, 30).join(', '),
  });
}

/** Which of the codes a person names; undefined when none is. */
export function codeIn(name: string, codes: readonly string[]): string | undefined {
  const wanted = name.toLowerCase();
  const tries = ALL.has(wanted)
    ? ['*']
    : [wanted, `${wanted}.service`, `service:${wanted}`, `service:${wanted}.service`];
  return codes.find((code) => tries.includes(code.toLowerCase()));
}

/** `disk` of `disk:{series}`, `cpu` of `cpu`; '' when it begins with a blank. */
function familyOf(code: string): string {
  const [before = ''] = code.split('{');
  return before.replace(/:.*$/, '').trim();
}

function measured({ series }: AlertWatch): Metric['now'] {
  return [...series()].flatMap(([code, state]) =>
    typeof state?.value === 'number' ? [{ code, value: state.value }] : [],
  );
}

import { type AlertWatch, alertWatches } from '../../kit/alert-watches.js';
import { givenConfig } from '../../kit/config.js';
import { activeSilences, isSilenced, type Silence } from '../../state/alerts.js';
import type { Database } from '../../state/database.js';
import { surrendered } from '../../state/heals.js';
import { type Counting, countingOf } from '../../state/live-settings.js';
import { keptSettings } from '../../state/settings.js';
import { metricsOf, thresholdNow } from './metrics.js';
import type { AlertsFacts, Firing, Threshold } from './views.js';

/** What counts now, with its origins. */
export async function countingNow(db: Database): Promise<Counting> {
  return countingOf(await keptSettings(db), givenConfig(), process.env);
}

/** What is on now, the worst first. */
export async function alertsNow(db: Database, now: number): Promise<AlertsFacts> {
  const watches = alertWatches();
  const silences = await activeSilences(db, now);
  const given = (await surrendered(db)).map(
    ({ unit, since }): Firing => ({
      ...{ code: `service:${unit}`, phase: 'firing', severity: 'critical', unit: '', label: '' },
      since,
    }),
  );
  const all = [...watches.flatMap(firingOf), ...given].map((one) => withSilence(one, silences));
  return {
    alerts: all.sort((a, b) => rank(b) - rank(a) || a.since - b.since),
    silences,
    watched: watches.reduce((sum, { series }) => sum + series().size, 0),
  };
}

/** Every threshold, with those of single series that were set on their own. */
export async function thresholdsNow(db: Database): Promise<Threshold[]> {
  const kept = await keptSettings(db);
  const whole = metricsOf(alertWatches());
  const single = whole.flatMap((metric) =>
    metric.now
      .filter(({ code }) => code !== metric.code && kept.some(({ key }) => key === `threshold.${code}`))
      .map((one) => ({ ...metric, code: one.code, now: [one] })),
  );
  return [...whole, ...single].map((metric) => ({ ...metric, ...thresholdNow(metric, kept, process.env) }));
}

function firingOf({ series, severity, unit, label }: AlertWatch): Firing[] {
  return [...series()].flatMap(([code, state]) =>
    state && state.phase !== 'inactive'
      ? [{ code, phase: state.phase, severity, unit, label, value: state.value, since: state.since }]
      : [],
  );
}

function withSilence(one: Firing, silences: readonly Silence[]): Firing {
  const covering = silences.filter((silence) => isSilenced(one.code, [silence]));
  if (covering.length === 0) return one;
  return { ...one, silencedUntil: Math.max(...covering.map(({ until }) => until)) };
}

function rank({ phase, severity }: Firing): number {
  return (phase === 'firing' ? 10 : 0) + { info: 1, warning: 2, critical: 3 }[severity];
}

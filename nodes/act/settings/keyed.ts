import { alertWatches } from '../../kit/alert-watches.js';
import { PotionError } from '../../kit/errors.js';
import type { Database } from '../../state/database.js';
import { KEYS, type Sourced } from '../../state/live-settings.js';
import { keptSettings } from '../../state/settings.js';
import { THRESHOLD } from '../../state/thresholds.js';
import { countingNow } from './facts.js';
import { metricNamed, metricsOf, thresholdNow } from './metrics.js';
import { type Desk, type Prepared, prepareOther, prepareThreshold } from './prepare.js';
import { wishedBackup, wishedLanguage, wishedQuiet } from './wish.js';

/** A setting by its key, for flows. */
export interface Keyed extends Sourced<unknown> {
  key: string;
}

/**
 * One setting, or all of them for an empty key.
 * @throws PotionError NOT_FOUND
 */
export async function getSetting(db: Database, key: string): Promise<Keyed | Keyed[]> {
  const { admins, services, language, quiet, backupTime } = await countingNow(db);
  const kept = await keptSettings(db);
  const list = (all: readonly Sourced<unknown>[]): Sourced<unknown> => ({
    value: all.map(({ value }) => value),
    source: all.some(({ source }) => source === 'setting') ? 'setting' : 'env',
  });
  const thresholds = metricsOf(alertWatches()).map((metric) => ({
    key: THRESHOLD + metric.code,
    ...thresholdNow(metric, kept, process.env),
  }));
  const all: Keyed[] = [
    { key: 'admins', ...list(admins) },
    { key: 'services', ...list(services) },
    { key: KEYS.language, ...language },
    { key: KEYS.quiet, ...quiet, value: quiet.value ?? false },
    { key: KEYS.backupTime, ...backupTime },
    ...thresholds,
  ];
  if (key === '') return all;
  const found = all.find((one) => one.key === key);
  if (found) return found;
  if (!key.startsWith(THRESHOLD)) throw unknownKey(key, all);
  const metric = metricNamed(key.slice(THRESHOLD.length), alertWatches());
  return { key, ...thresholdNow(metric, kept, process.env) };
}

/**
 * A change of the setting with this key. People and services have actions of their own.
 * @throws PotionError NOT_FOUND, INVALID
 */
export async function keyedChange(desk: Desk, key: string, value: string): Promise<Prepared> {
  if (key.startsWith(THRESHOLD)) return prepareThreshold(desk, key.slice(THRESHOLD.length), value);
  if (key === KEYS.language) return prepareOther(desk, wishedLanguage(value));
  if (key === KEYS.quiet) return prepareOther(desk, wishedQuiet(value));
  if (key === KEYS.backupTime) return prepareOther(desk, wishedBackup(value));
  throw unknownKey(
    key,
    [KEYS.language, KEYS.quiet, KEYS.backupTime, `${THRESHOLD}cpu`].map((one) => ({ key: one })),
  );
}

function unknownKey(key: string, all: readonly { key: string }[]): PotionError {
  const keys = all.map((one) => one.key).join(', ');
  return new PotionError('NOT_FOUND', 'settings.errors.key', { key: key.slice(0, 64), keys });
}

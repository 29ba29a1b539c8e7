import { totalmem } from 'node:os';
import { ownUnit } from '../../host/own-unit.js';
import { Systemd } from '../../host/systemd.js';
import { alertWatches } from '../../kit/alert-watches.js';
import type { Clock } from '../../kit/clock.js';
import { config, givenConfig } from '../../kit/config.js';
import { PotionError } from '../../kit/errors.js';
import { activeSilences } from '../../state/alerts.js';
import type { Database } from '../../state/database.js';
import { openInvitations } from '../../state/invitations.js';
import { countingOf } from '../../state/live-settings.js';
import { type Kept, keptSettings } from '../../state/settings.js';
import { boundsOf, readMeasure } from './measure.js';
import { codeIn, codeNamed, metricNamed, silenceable, thresholdNow } from './metrics.js';
import { type Change, isDefault, wishedMinutes } from './wish.js';

/** A change that makes sense on this machine, in the words that ask for it. */
export interface Prepared {
  change: Change;
  /** Values for the text `settings.change.<kind>`: before and after. */
  facts: Record<string, unknown>;
  /** It is so already: nothing is left to do. */
  isSo: boolean;
}

export interface Desk {
  db: Database;
  clock: Clock;
}

/** @throws PotionError NOT_FOUND, INVALID */
export async function prepareThreshold({ db }: Desk, name: string, text: string): Promise<Prepared> {
  const metric = metricNamed(name, alertWatches());
  const { code, unit } = metric;
  const kept = await keptSettings(db);
  const { value: from } = thresholdNow(metric, kept, process.env);
  const value = isDefault(text) ? null : checkedThreshold(code, unit, text);
  const to = value ?? thresholdNow(metric, without(kept, code), process.env).value;
  const isSet = kept.some(({ key }) => key === `threshold.${code}`);
  const isSo = value === null ? !isSet : from === to;
  return { change: { kind: 'threshold', code, value }, facts: { code, unit, from, to }, isSo };
}

/** @throws PotionError INVALID */
function checkedThreshold(code: string, unit: string, text: string): number {
  const value = readMeasure(text, unit);
  const given = text.slice(0, 64).toWellFormed();
  if (value === undefined) throw new PotionError('INVALID', 'settings.errors.measure', { code, unit, given });
  const { min, max } = boundsOf(code, unit, totalmem());
  if (value < min || value > max)
    throw new PotionError('INVALID', 'settings.errors.bounds', { code, unit, given, value, min, max });
  return value;
}

function without(kept: readonly Kept[], code: string): Kept[] {
  return kept.filter(({ key }) => key !== `threshold.${code}`);
}

/** @throws PotionError NOT_FOUND, INVALID */
export function prepareSilence({ clock }: Desk, name: string, minutes: unknown): Prepared {
  const code = codeNamed(name, silenceable(alertWatches(), config().servicesWhitelist));
  const change: Change = { kind: 'silence', code, minutes: wishedMinutes(minutes) };
  const until = clock.now() + change.minutes * 60_000;
  return { change, facts: { code, seconds: change.minutes * 60, until }, isSo: false };
}

/** @throws PotionError NOT_FOUND for what is not silenced */
export async function prepareUnsilence({ db, clock }: Desk, name: string): Promise<Prepared> {
  const codes = (await activeSilences(db, clock.now())).map((one) => one.code);
  const code = codeIn(name, codes);
  if (!code) throw new PotionError('NOT_FOUND', 'settings.errors.not-silenced', { code: name.slice(0, 64) });
  return { change: { kind: 'unsilence', code }, facts: { code }, isSo: false };
}

/** Brings a change that `wish.ts` has read together with what there is. @throws PotionError */
export async function prepareOther(desk: Desk, change: Change): Promise<Prepared> {
  const kept = await keptSettings(desk.db);
  const { language, quiet, backupTime, admins, services } = countingOf(kept, givenConfig(), process.env);
  const given = countingOf([], givenConfig(), process.env);
  const scalar = (key: string, from: unknown, to: unknown): Prepared => {
    const isSet = kept.some((one) => one.key === key);
    const isSo = 'value' in change && change.value === null ? !isSet : same(from, to);
    return { change, facts: { from, to }, isSo };
  };
  switch (change.kind) {
    case 'language':
      return scalar('language', language.value, change.value ?? given.language.value);
    case 'quiet':
      return scalar('quiet', quiet.value ?? false, change.value ?? given.quiet.value ?? false);
    case 'backup':
      return scalar('backup.time', backupTime.value, change.value ?? given.backupTime.value);
    case 'service-add':
      return prepareService(
        change,
        services.map(({ value }) => value),
      );
    case 'service-remove': {
      const units = services.map(({ value }) => value);
      if (!units.includes(change.unit))
        throw new PotionError('NOT_FOUND', 'settings.errors.not-listed', {
          unit: change.unit,
          units: units.join(', '),
        });
      return { change, facts: { unit: change.unit }, isSo: false };
    }
    case 'admin-invite': {
      const isIn = admins.some(({ value }) => value === change.id);
      if (isIn) throw new PotionError('INVALID', 'errors.admin-already', { id: change.id });
      return { change, facts: { id: change.id }, isSo: false };
    }
    case 'admin-remove':
      return prepareDismissal(
        desk,
        change,
        admins.map(({ value }) => value),
      );
    default:
      return { change, facts: {}, isSo: false };
  }
}

/** Only a unit that there is on this machine, under systemd's own name for it, which polkit knows it by. */
async function prepareService(
  change: Change & { kind: 'service-add' },
  units: readonly string[],
): Promise<Prepared> {
  const { unit: name } = change;
  const systemd = await Systemd.connect();
  try {
    const { exists, id } = await systemd.state(name);
    const unit = id || name;
    if (!exists) throw new PotionError('NOT_FOUND', 'settings.errors.no-unit', { unit: name });
    if ([unit, name].includes(ownUnit() ?? ''))
      throw new PotionError('DENIED', 'settings.errors.own-unit', { unit });
    return { change: { ...change, unit }, facts: { unit }, isSo: units.includes(unit) };
  } finally {
    await systemd.close();
  }
}

/** An invitation that is still open is simply taken back. @throws PotionError NOT_FOUND, DENIED */
async function prepareDismissal(
  { db, clock }: Desk,
  change: Change & { kind: 'admin-remove' },
  admins: readonly number[],
): Promise<Prepared> {
  const { id } = change;
  const isIn = admins.includes(id);
  if (!isIn && (await openInvitations(db, clock.now(), id)).length === 0)
    throw new PotionError('NOT_FOUND', 'errors.no-admin', { id, admins: admins.join(', ') });
  if (isIn && admins.length === 1) throw new PotionError('DENIED', 'errors.last-admin', { id });
  return { change, facts: { id, invited: !isIn }, isSo: false };
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

import { randomBytes } from 'node:crypto';
import { alertWatches } from '../../kit/alert-watches.js';
import { type Config, config } from '../../kit/config.js';
import { PotionError } from '../../kit/errors.js';
import { dismiss } from '../../state/admins.js';
import { activeSilences, silence, unsilence } from '../../state/alerts.js';
import { type AuditEntry, auditLine, auditRow } from '../../state/audit.js';
import type { Database } from '../../state/database.js';
import { invite, withdraw } from '../../state/invitations.js';
import { changeSettings, type Edit } from '../../state/live.js';
import { countingOf, KEYS } from '../../state/live-settings.js';
import type { Author, Kept } from '../../state/settings.js';
import { metricNamed, thresholdKey, thresholdNow } from './metrics.js';
import type { Change } from './wish.js';

/** What came of a change, for the text `settings.done.<kind>`. */
export type Done = Record<string, unknown>;

/**
 * Carries a change out: what it is about may have moved since it was prepared, so it is decided by what is
 * stored now. It counts when this returns, and it is on the disk with its audit entry.
 * @throws PotionError DENIED, NOT_FOUND, INVALID; then nothing has changed
 */
export async function apply(db: Database, change: Change, author: Author): Promise<Done> {
  switch (change.kind) {
    case 'silence':
      return applySilence(db, change.code, author, change.minutes);
    case 'unsilence':
      return applySilence(db, change.code, author);
    case 'admin-invite': {
      if (author.user === null) throw new PotionError('DENIED', 'settings.errors.nobody-invites');
      const token = randomBytes(16).toString('base64url');
      const { expiresAt } = await invite(db, { user: change.id, by: author.user, token, at: author.at });
      return { id: change.id, expiresAt };
    }
    case 'admin-remove': {
      const isIn = config().adminIds.includes(change.id);
      if (!isIn && (await withdraw(db, change.id, author.user, author.at)))
        return { id: change.id, invited: true };
      await changeSettings(db, author, (kept, given) => dismiss(kept, given, change.id));
      return { id: change.id };
    }
    case 'service-add':
    case 'service-remove':
      await changeSettings(db, author, (kept, given) => serviceEdit(kept, given, change));
      return { unit: change.unit };
    default: {
      let done: Done = {};
      await changeSettings(db, author, (kept, given) => {
        const edit = scalarEdit(kept, given, change);
        done = {
          from: edit.was,
          to: edit.is,
          ...('code' in change ? { code: change.code, unit: edit.unit } : {}),
        };
        return [edit];
      });
      return done;
    }
  }
}

type Scalar = Exclude<Change, { kind: 'silence' | 'unsilence' | `admin-${string}` | `service-${string}` }>;

/** An edit with the values themselves, for a text. */
interface ScalarEdit extends Edit {
  was: unknown;
  is: unknown;
  unit?: string;
}

function scalarEdit(kept: readonly Kept[], given: Config, change: Scalar): ScalarEdit {
  const value = change.value ?? (change.value === false ? false : undefined);
  const read = readerOf(change);
  const key = keyOf(change);
  const was = read(kept, given);
  const rest = kept.filter((one) => one.key !== key);
  const is = read(value === undefined ? rest : [...rest, { key, value, user: null, at: 0 }], given);
  const words = (one: unknown) => (typeof one === 'string' ? one : JSON.stringify(one));
  const unit = change.kind === 'threshold' ? metricNamed(change.code, alertWatches()).unit : undefined;
  return { key, value, was, is, from: words(was), to: words(is), unit };
}

function keyOf(change: Scalar): string {
  switch (change.kind) {
    case 'threshold':
      return thresholdKey(change.code);
    case 'language':
      return KEYS.language;
    case 'quiet':
      return KEYS.quiet;
    case 'backup':
      return KEYS.backupTime;
  }
}

/** How the value that counts is read out of what is stored. */
function readerOf(change: Scalar): (kept: readonly Kept[], given: Config) => unknown {
  switch (change.kind) {
    case 'threshold': {
      const metric = metricNamed(change.code, alertWatches());
      return (kept) => thresholdNow(metric, kept, process.env).value;
    }
    case 'language':
      return (kept, given) => countingOf(kept, given).language.value;
    case 'quiet':
      return (kept, given) => countingOf(kept, given).quiet.value ?? false;
    case 'backup':
      return (kept, given) => countingOf(kept, given).backupTime.value;
  }
}

/** @throws PotionError NOT_FOUND */
function serviceEdit(
  kept: readonly Kept[],
  given: Config,
  { kind, unit }: Change & { kind: 'service-add' | 'service-remove' },
): Edit[] {
  const units = countingOf(kept, given).services.map(({ value }) => value);
  const isGiven = given.servicesWhitelist.includes(unit);
  const key = KEYS.service(unit);
  if (kind === 'service-add')
    return units.includes(unit) ? [] : [{ key, value: isGiven ? undefined : true, from: 'no', to: 'listed' }];
  if (!units.includes(unit))
    throw new PotionError('NOT_FOUND', 'settings.errors.not-listed', { unit, units: units.join(', ') });
  return [{ key, value: isGiven ? false : undefined, from: 'listed', to: 'no' }];
}

async function applySilence(
  db: Database,
  code: string,
  { user, at }: Author,
  minutes?: number,
): Promise<Done> {
  const until = minutes === undefined ? undefined : at + minutes * 60_000;
  const before = (await activeSilences(db, at)).find((one) => one.code === code)?.until;
  if (until === undefined && before === undefined)
    throw new PotionError('NOT_FOUND', 'settings.errors.not-silenced', { code });
  const words = (time: number | undefined) => (time === undefined ? 'no' : new Date(time).toISOString());
  const entry: AuditEntry = {
    ...{ at, user, event: 'setting', action: 'silence', target: code, result: 'changed' },
    detail: { from: words(before), to: words(until) },
  };
  await db.transaction().execute(async (trx) => {
    if (until === undefined) await unsilence(trx, code);
    else await silence(trx, { code, until, user }, at);
    await auditRow(trx, entry);
  });
  auditLine(entry);
  return { code, until, seconds: (minutes ?? 0) * 60 };
}

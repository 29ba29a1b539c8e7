import { type Config, unitName } from '../kit/config.js';
import { isQuiet, parseTimeOfDay, type QuietHours } from '../kit/time-of-day.js';
import { LANGUAGES, type Language } from '../kit/units.js';
import type { Kept, SettingSource } from './settings.js';

/** Keys of what counts over the environment. Of an admin or a service: true added, false taken away. */
export const KEYS = {
  admin: (id: number) => `admin.${id}`,
  service: (unit: string) => `service.${unit}`,
  language: 'language',
  /** A span, or false: none, whatever the environment says. */
  quiet: 'quiet',
  backupTime: 'backup.time',
} as const;

/** A value with where it comes from; who set it (Telegram user id) and when (epoch ms), if that was in the chat. */
export interface Sourced<T> {
  value: T;
  source: SettingSource;
  user?: number | null;
  at?: number;
}

/** What counts, with its origins. */
export interface Counting {
  admins: Sourced<number>[];
  services: Sourced<string>[];
  language: Sourced<Language>;
  quiet: Sourced<QuietHours | undefined>;
  backupTime: Sourced<string>;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What is stored over what the environment gives. A row that makes no sense is passed over, as if it were not
 * there: it may have been edited by hand. When nobody would be left who may do anything, ADMIN_IDS counts.
 */
export function countingOf(kept: readonly Kept[], given: Config, env: Environment = {}): Counting {
  const admins = listOf(kept, 'admin.', given.adminIds, adminOf);
  const named = (name: string): SettingSource => (env[name]?.trim() ? 'env' : 'default');
  return {
    admins: admins.length > 0 ? admins : listOf([], 'admin.', given.adminIds, adminOf),
    services: listOf(kept, 'service.', given.servicesWhitelist, serviceOf),
    language: one(kept, KEYS.language, languageOf) ?? { value: given.lang, source: named('POTION_LANG') },
    quiet: one(kept, KEYS.quiet, quietOf) ?? { value: given.quietHours, source: named('QUIET_HOURS') },
    backupTime: one(kept, KEYS.backupTime, timeOf) ?? {
      value: given.backupTime,
      source: named('BACKUP_TIME'),
    },
  };
}

/** The configuration with everything that is stored laid over it. */
export function overlaid(kept: readonly Kept[], given: Config): Config {
  const { admins, services, language, quiet, backupTime } = countingOf(kept, given);
  return {
    ...given,
    adminIds: admins.map(({ value }) => value),
    servicesWhitelist: services.map(({ value }) => value),
    lang: language.value,
    quietHours: quiet.value,
    backupTime: backupTime.value,
  };
}

/** A Telegram user id as a person writes it; undefined when it is none. */
export function adminOf(text: string): number | undefined {
  const id = /^[1-9]\d{0,15}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(id) ? id : undefined;
}

function serviceOf(name: string): string | undefined {
  return unitName(name) === name ? name : undefined;
}

function languageOf(value: unknown): Language | undefined {
  return LANGUAGES.find((known) => known === value);
}

/** `off` stands for a span that was taken away, so that it is told from a row that makes no sense. */
function quietOf(value: unknown): QuietHours | 'off' | undefined {
  if (value === false) return 'off';
  return isQuiet(value) ? { from: value.from, to: value.to } : undefined;
}

function timeOf(value: unknown): string | undefined {
  return typeof value === 'string' && parseTimeOfDay(value) === value ? value : undefined;
}

function one<T>(
  kept: readonly Kept[],
  key: string,
  read: (value: unknown) => T | 'off' | undefined,
): Sourced<T> | undefined {
  const row = kept.find((one) => one.key === key);
  const value = row && read(row.value);
  if (!row || value === undefined) return undefined;
  return { value: (value === 'off' ? undefined : value) as T, source: 'setting', user: row.user, at: row.at };
}

/** The environment's list without what was taken away, then what was added, oldest first. */
function listOf<T extends string | number>(
  kept: readonly Kept[],
  prefix: string,
  given: readonly T[],
  read: (name: string) => T | undefined,
): Sourced<T>[] {
  const rows = kept.flatMap(({ key, value, user, at }) => {
    const name = key.startsWith(prefix) ? read(key.slice(prefix.length)) : undefined;
    return name === undefined || typeof value !== 'boolean' ? [] : [{ name, isIn: value, user, at }];
  });
  const first = [...new Set(given)];
  const gone = new Set(rows.filter(({ isIn }) => !isIn).map(({ name }) => name));
  const added = rows.filter(({ name, isIn }) => isIn && !first.includes(name)).sort((a, b) => a.at - b.at);
  return [
    ...first.filter((value) => !gone.has(value)).map((value): Sourced<T> => ({ value, source: 'env' })),
    ...added.map(({ name, user, at }): Sourced<T> => ({ value: name, source: 'setting', user, at })),
  ];
}

import { unitName } from '../../kit/config.js';
import { PotionError } from '../../kit/errors.js';
import { isQuiet, parseQuiet, parseTimeOfDay, type QuietHours } from '../../kit/time-of-day.js';
import type { Language } from '../../kit/units.js';
import { adminOf } from '../../state/live-settings.js';

/** A change that was asked for, checked as far as it can be without looking at what there is. Plain JSON. */
export type Change =
  | { kind: 'threshold'; code: string; value: number | null }
  | { kind: 'silence'; code: string; minutes: number }
  | { kind: 'unsilence'; code: string }
  | { kind: 'service-add'; unit: string }
  | { kind: 'service-remove'; unit: string }
  | { kind: 'admin-invite'; id: number }
  | { kind: 'admin-remove'; id: number }
  | { kind: 'language'; value: Language | null }
  /** `false`: no quiet hours. */
  | { kind: 'quiet'; value: QuietHours | false | null }
  | { kind: 'backup'; value: string | null };

/** `null` in a change: back to what `.env` or the flow gives. */
const DEFAULT = new Set(['default', 'reset', 'bawaan', 'env', '.env']);
const OFF = new Set(['off', 'none', 'mati', 'matikan', 'tidak', 'no', '-']);

/** Whether a person wants back what counts without a setting. */
export function isDefault(text: string): boolean {
  return DEFAULT.has(text.trim().toLowerCase());
}

const LANGUAGE_NAMES: Record<string, Language> = {
  ...{ id: 'id', indonesia: 'id', indonesian: 'id', bahasa: 'id' },
  ...{ en: 'en-US', 'en-us': 'en-US', english: 'en-US', inggris: 'en-US' },
};

/** @throws PotionError INVALID */
export function wishedLanguage(text: string): Change {
  if (isDefault(text)) return { kind: 'language', value: null };
  const name = text.trim().toLowerCase();
  const value = Object.hasOwn(LANGUAGE_NAMES, name) ? LANGUAGE_NAMES[name] : undefined;
  if (!value) throw invalid('language', text);
  return { kind: 'language', value };
}

/** @throws PotionError INVALID */
export function wishedQuiet(text: string): Change {
  if (isDefault(text)) return { kind: 'quiet', value: null };
  if (OFF.has(text.trim().toLowerCase())) return { kind: 'quiet', value: false };
  const value = parseQuiet(text);
  if (!isQuiet(value)) throw invalid('quiet', text);
  return { kind: 'quiet', value };
}

/** @throws PotionError INVALID */
export function wishedBackup(text: string): Change {
  if (isDefault(text)) return { kind: 'backup', value: null };
  const value = parseTimeOfDay(text);
  if (!value) throw invalid('time', text);
  return { kind: 'backup', value };
}

/** @throws PotionError INVALID */
export function wishedAdmin(kind: 'admin-invite' | 'admin-remove', text: string): Change {
  const id = adminOf(text.trim());
  if (id === undefined) throw invalid('user-id', text);
  return { kind, id };
}

/** What the chat may take into the whitelist: never what would take the whole machine along. */
const TYPES = /\.(service|socket|timer|path)$/;

/** @throws PotionError INVALID */
export function wishedService(kind: 'service-add' | 'service-remove', text: string): Change {
  const unit = unitName(text.trim());
  if (!unit) throw invalid('unit', text);
  if (kind === 'service-add' && !TYPES.test(unit)) throw invalid('unit-type', unit);
  return { kind, unit };
}

/** Minutes that a code may be silenced for: a week at most. */
export const LONGEST_SILENCE = 10_080;

/** @throws PotionError INVALID */
export function wishedMinutes(value: unknown): number {
  const minutes = Number(value);
  if (!Number.isInteger(minutes) || minutes < 1 || minutes > LONGEST_SILENCE)
    throw new PotionError('INVALID', 'settings.errors.minutes', {
      given: shown(value),
      max: LONGEST_SILENCE,
    });
  return minutes;
}

/**
 * The change that a message carries, checked anew: it has waited for an answer, or a flow has made it.
 * @throws PotionError INVALID
 */
export function changeIn(payload: unknown): Change {
  const { change } = (payload ?? {}) as { change?: Change };
  switch (change?.kind) {
    case 'threshold':
      if (typeof change.code === 'string' && (change.value === null || Number.isFinite(change.value)))
        return change;
      break;
    case 'silence':
      return { kind: 'silence', code: String(change.code), minutes: wishedMinutes(change.minutes) };
    case 'unsilence':
      return { kind: 'unsilence', code: String(change.code) };
    case 'service-add':
    case 'service-remove':
      return wishedService(change.kind, String(change.unit));
    case 'admin-invite':
    case 'admin-remove':
      return wishedAdmin(change.kind, String(change.id));
    case 'language':
      return wishedLanguage(String(change.value ?? 'default'));
    case 'quiet':
      if (change.value === null || change.value === false || isQuiet(change.value)) return change;
      break;
    case 'backup':
      return wishedBackup(String(change.value ?? 'default'));
  }
  throw new PotionError('INVALID', 'settings.errors.no-change');
}

function invalid(what: 'language' | 'quiet' | 'time' | 'user-id' | 'unit' | 'unit-type', given: string) {
  return new PotionError('INVALID', `settings.errors.${what}`, { given: shown(given) });
}

function shown(given: unknown): string {
  return String(given ?? '')
    .slice(0, 64)
    .toWellFormed();
}

import type { Config } from '../kit/config.js';
import { PotionError } from '../kit/errors.js';
import type { Edit } from './live.js';
import { countingOf, KEYS } from './live-settings.js';
import type { Kept } from './settings.js';

/** The Telegram user ids that may use Potion. */
export function adminsNow(kept: readonly Kept[], given: Config): number[] {
  return countingOf(kept, given).admins.map(({ value }) => value);
}

/** Lets a person in. Nobody but an invitation that was accepted calls this. */
export function admit(kept: readonly Kept[], given: Config, id: number): Edit[] {
  if (adminsNow(kept, given).includes(id)) return [];
  return [{ key: KEYS.admin(id), value: true, from: 'no', to: 'admin' }];
}

/**
 * Takes a person's rights. Who stands in ADMIN_IDS stays out until someone invites that person again.
 * @throws PotionError NOT_FOUND for who is no admin, DENIED for the last one
 */
export function dismiss(kept: readonly Kept[], given: Config, id: number): Edit[] {
  const admins = adminsNow(kept, given);
  if (!admins.includes(id))
    throw new PotionError('NOT_FOUND', 'errors.no-admin', { id, admins: admins.join(', ') });
  if (admins.length === 1) throw new PotionError('DENIED', 'errors.last-admin', { id });
  const isGiven = given.adminIds.includes(id);
  return [{ key: KEYS.admin(id), value: isGiven ? false : undefined, from: 'admin', to: 'no' }];
}

import type { Database } from './database.js';
import { removeSetting, storedSettings, writeSetting } from './settings.js';

const PREFIX = 'stopped-by-admin:';

/** Remembers that a unit was stopped on purpose, so that nothing starts it again by itself: `user` is a Telegram user id. */
export async function markStopped(
  db: Database,
  unit: string,
  user: number | null,
  at: number,
): Promise<void> {
  await writeSetting(db, PREFIX + unit, true, { user, at });
}

/** A unit is wanted up again. @returns whether it had been stopped on purpose */
export function clearStopped(db: Database, unit: string): Promise<boolean> {
  return removeSetting(db, PREFIX + unit);
}

/** Whether a person has stopped this unit and wants it to stay down. */
export async function stoppedByAdmin(db: Database, unit: string): Promise<boolean> {
  return (await storedSettings(db, PREFIX + unit)).has(PREFIX + unit);
}

import type { Database } from './database.js';
import { removeSetting, storedSettings, writeSetting } from './settings.js';

const PREFIX = 'stopped-by-admin:';

/** A person has stopped this unit and wants it to stay down. */
export interface Stopped {
  /** Epoch ms. */
  at: number;
  /** Telegram user id; null when it was not a person's message. */
  user: number | null;
}

/** Remembers that a unit was stopped on purpose, so that nothing starts it again by itself. */
export async function markStopped(
  db: Database,
  unit: string,
  user: number | null,
  at: number,
): Promise<void> {
  await writeSetting(db, PREFIX + unit, { at, user } satisfies Stopped, { user, at });
}

/** A unit is wanted up again. @returns whether it had been stopped on purpose */
export function clearStopped(db: Database, unit: string): Promise<boolean> {
  return removeSetting(db, PREFIX + unit);
}

/** Who stopped this unit on purpose and when; undefined when nobody did. */
export async function stoppedByAdmin(db: Database, unit: string): Promise<Stopped | undefined> {
  const stored = await storedSettings(db, PREFIX + unit);
  return stored.get(PREFIX + unit) as Stopped | undefined;
}

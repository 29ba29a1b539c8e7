import { describe } from '../kit/errors.js';
import { ailing, alive, pulseOf } from '../kit/pulse.js';
import { damageSeen } from './damage.js';
import { database } from './database.js';

/** Shortest time between two test writes, so that asking for health often costs no disk writes. */
const AT_MOST_EVERY = 10_000;

/** Without a test write for this long, nobody knows whether writing still works. */
const WITHIN = 30_000;

/** Writes one row and says what came of it on the pulse of `database`. Never throws. */
export async function databaseWrites(now = Date.now()): Promise<void> {
  const last = pulseOf('database');
  if (last && last.ailing === undefined && Math.abs(now - last.at) < AT_MOST_EVERY) return;
  try {
    const db = await database();
    const row = { key: 'health.probe', value: String(now), updated_at: now, user_id: null };
    await db
      .insertInto('settings')
      .values(row)
      .onConflict((conflict) => conflict.column('key').doUpdateSet({ value: row.value, updated_at: now }))
      .execute();
    const damage = damageSeen();
    if (damage === undefined) alive('database', now, WITHIN);
    // Other rows may still be written, but nobody should rely on it.
    else ailing('database', `the file is damaged: ${damage}`, now);
  } catch (thrown) {
    ailing('database', `writing failed: ${describe(thrown)}`, now);
  }
}

import { describe } from '../../nodes/kit/errors.js';
import { ailing, alive, pulseOf } from '../../nodes/kit/pulse.js';
import { database } from '../../nodes/state/database.js';

/** Shortest time between two test writes, so that asking for health often costs no disk writes. */
const AT_MOST_EVERY = 10_000;

/** Writes one row and says what came of it on the pulse of `database`. */
export async function databaseWrites(within: number, now = Date.now()): Promise<void> {
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
    alive('database', now, within);
  } catch (thrown) {
    ailing('database', `writing failed: ${describe(thrown)}`, now);
  }
}

import type { Database } from './database.js';

/**
 * Everything that a self-heal node remembers of its units, by unit.
 * What can't be read (it was written by another version) is left out.
 */
export async function loadHeals(db: Database, node: string): Promise<Map<string, unknown>> {
  const rows = await db
    .selectFrom('heals')
    .select(['unit', 'state'])
    .where('node', '=', node)
    .orderBy('unit')
    .execute();
  return new Map(
    rows.flatMap(({ unit, state }) => {
      try {
        return [[unit, JSON.parse(state)] as const];
      } catch {
        return [];
      }
    }),
  );
}

/** Keeps the state of a unit, plain JSON. It is on the disk when this returns. */
export async function saveHeal(
  db: Database,
  node: string,
  unit: string,
  state: object,
  now: number,
): Promise<void> {
  const row = { state: JSON.stringify(state), updated_at: now };
  await db
    .insertInto('heals')
    .values({ node, unit, ...row })
    .onConflict((conflict) => conflict.columns(['node', 'unit']).doUpdateSet(row))
    .execute();
}

/** Forgets one unit of a node, or all of them. */
export async function forgetHeals(db: Database, node: string, unit?: string): Promise<void> {
  const query = db.deleteFrom('heals').where('node', '=', node);
  await (unit === undefined ? query : query.where('unit', '=', unit)).execute();
}

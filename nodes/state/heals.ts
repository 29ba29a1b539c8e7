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

/** A unit that a self-heal node has given up. */
export interface Surrendered {
  unit: string;
  /** When the trouble began, epoch ms. */
  since: number;
}

/** Units that are down and given up, of all self-heal nodes. */
export async function surrendered(db: Database): Promise<Surrendered[]> {
  const nodes = await db.selectFrom('heals').select('node').distinct().orderBy('node').execute();
  const all = await Promise.all(nodes.map(({ node }) => loadHeals(db, node)));
  return all.flatMap((units) =>
    [...units].flatMap(([unit, kept]) => {
      const { heal } = (kept ?? {}) as { heal?: { phase?: unknown; episode?: { since?: unknown } } };
      const since = heal?.episode?.since;
      return heal?.phase === 'gave-up' && typeof since === 'number' ? [{ unit, since }] : [];
    }),
  );
}

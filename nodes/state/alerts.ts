import type { Incident } from '../kit/messages.js';
import type { Database } from './database.js';

/** What is kept of one alert series. `state` belongs to whoever judges; it is kept as plain JSON. */
export interface AlertRecord<S> {
  /** Id of the node that judges. */
  node: string;
  /** Code of the series, e.g. `disk:/`. */
  code: string;
  /** Absent when all is well and the record is only kept for its messages. */
  state?: S;
  /** The incident as of its last change, told of or silenced. */
  incident?: Incident;
  /** Messages that were decided on and may not have been handed on: sent again after a crash. */
  unsent: object[];
}

/** What all alert nodes keep, or one of them. */
export async function readAlerts<S>(db: Database, node?: string): Promise<AlertRecord<S>[]> {
  let query = db.selectFrom('alerts').select(['node', 'series', 'state']).orderBy('series');
  if (node !== undefined) query = query.where('node', '=', node);
  const rows = await query.execute();
  return rows.map(({ node, series, state }) => ({ node, code: series, ...JSON.parse(state) }));
}

/** Keeps the records, all or none of them, with full sync. One without state and messages is forgotten. */
export async function writeAlerts<S>(
  db: Database,
  records: readonly AlertRecord<S>[],
  now: number,
): Promise<void> {
  if (records.length === 0) return;
  await db.transaction().execute(async (trx) => {
    for (const { node, code, state, incident, unsent } of records) {
      if (!state && unsent.length === 0) {
        await trx.deleteFrom('alerts').where('node', '=', node).where('series', '=', code).execute();
        continue;
      }
      const row = { state: JSON.stringify({ state, incident, unsent }), updated_at: now };
      await trx
        .insertInto('alerts')
        .values({ node, series: code, ...row })
        .onConflict((conflict) => conflict.columns(['node', 'series']).doUpdateSet(row))
        .execute();
    }
  });
}

/** Forgets what a node has kept, when it is deleted. */
export async function removeAlerts(db: Database, node: string): Promise<void> {
  await db.deleteFrom('alerts').where('node', '=', node).execute();
}

/** Incidents that are going on, oldest first. */
export async function openIncidents(db: Database): Promise<Incident[]> {
  const records = await readAlerts(db);
  return records
    .flatMap(({ state, incident }) => (state && incident?.state === 'firing' ? [incident] : []))
    .sort((a, b) => a.since - b.since);
}

/** Nobody is told of these codes before `until`, epoch ms. */
export interface Silence {
  /** `disk:/`, or `disk` for all disks, or `*` for everything. */
  code: string;
  until: number;
  /** Telegram user id of who asked for it; null: Potion itself. */
  user: number | null;
}

/** Silences a code in place of an earlier silence of it. Those that are over by `now` are forgotten. */
export async function silence(db: Database, { code, until, user }: Silence, now: number): Promise<void> {
  const row = { until, user_id: user };
  await db.deleteFrom('silences').where('until', '<=', now).execute();
  await db
    .insertInto('silences')
    .values({ code, ...row })
    .onConflict((conflict) => conflict.column('code').doUpdateSet(row))
    .execute();
}

/** Ends a silence. @returns whether there was one */
export async function unsilence(db: Database, code: string): Promise<boolean> {
  const { numDeletedRows } = await db.deleteFrom('silences').where('code', '=', code).executeTakeFirst();
  return numDeletedRows > 0n;
}

/** The silences in force, the first to end first. */
export async function activeSilences(db: Database, now: number): Promise<Silence[]> {
  const rows = await db
    .selectFrom('silences')
    .selectAll()
    .where('until', '>', now)
    .orderBy('until')
    .execute();
  return rows.map(({ code, until, user_id }) => ({ code, until, user: user_id }));
}

/** Whether one of the silences covers a code. */
export function isSilenced(code: string, silences: readonly Silence[]): boolean {
  return silences.some((one) => one.code === '*' || one.code === code || code.startsWith(`${one.code}:`));
}

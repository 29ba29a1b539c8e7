import type { Database } from './database.js';

/** What is known of a process of Potion. Times are epoch ms. */
export interface Life {
  /** The kernel's id of the boot that it ran in. */
  bootId: string;
  startedAt: number;
  /** When it was last known to run. */
  aliveAt: number;
  /** It was stopped in order. */
  clean: boolean;
}

const ROW = 1;

/** The life that was kept last; undefined on the very first start. */
export async function lastLife(db: Database): Promise<Life | undefined> {
  const row = await db.selectFrom('lifecycle').selectAll().where('id', '=', ROW).executeTakeFirst();
  if (!row) return undefined;
  return {
    bootId: row.boot_id,
    startedAt: Number(row.started_at),
    aliveAt: Number(row.alive_at),
    clean: row.clean === 1,
  };
}

/** Keeps a life in place of the one before. */
export async function keepLife(db: Database, life: Life): Promise<void> {
  const row = {
    boot_id: life.bootId,
    started_at: life.startedAt,
    alive_at: life.aliveAt,
    clean: life.clean ? 1 : 0,
  };
  await db
    .insertInto('lifecycle')
    .values({ id: ROW, ...row })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
    .execute();
}

/** Forgets it: the next start is a first one. */
export async function forgetLife(db: Database): Promise<void> {
  await db.deleteFrom('lifecycle').where('id', '=', ROW).execute();
}

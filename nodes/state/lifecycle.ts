import type { Database } from './database.js';
import type { PowerIntent } from './power-intent.js';
import { storedSettings, writeSetting } from './settings.js';

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

/** How a process of Potion came to run, as it was found out at its start. Times are epoch ms. */
export interface Beginning {
  /** `boot`: with the machine; `restart`: Potion alone; `first`: never before. */
  kind: 'boot' | 'restart' | 'first';
  bootId: string;
  at: number;
  /** What ran before had been stopped in order: no power cut, no crash. */
  clean: boolean;
  /** Seconds without Potion; null: not known. */
  off: number | null;
  /** What a person had asked for, if that was it. */
  asked?: PowerIntent['action'];
}

/** Keeps the beginning of this process, and of this boot if it is that too. */
export async function keepBeginning(db: Database, beginning: Beginning): Promise<void> {
  const author = { user: null, at: beginning.at };
  await writeSetting(db, 'beginning:process', beginning, author);
  if (beginning.kind !== 'restart') await writeSetting(db, 'beginning:boot', beginning, author);
}

/**
 * How this process began, and how this boot did. The latter is missing where Potion was not there to see it: it
 * came to the machine later.
 */
export async function beginnings(
  db: Database,
  bootId: string,
): Promise<{ process?: Beginning; boot?: Beginning }> {
  const kept = await storedSettings(db, 'beginning');
  const of = (name: string) => kept.get(`beginning:${name}`) as Beginning | undefined;
  const boot = of('boot');
  const isThis = boot?.bootId === bootId && boot.kind === 'boot';
  return { process: of('process'), ...(isThis ? { boot } : {}) };
}

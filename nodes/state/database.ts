import { closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import type { Kysely } from 'kysely';
import { config, overlayConfig } from '../kit/config.js';
import { describe, PotionError, toPotionError } from '../kit/errors.js';
import { damaged, isDamage, isSuspect, suspect, unsuspect } from './damage.js';
import { takeUp } from './live.js';
import { migrations } from './migrations.js';
import type { Schema } from './schema.js';

export type Database = Kysely<Schema>;

/**
 * Opens a database file and brings it up to date; makes it where there is none. Full sync: what was written is
 * there after a power cut, because the effects that it records must not be forgotten.
 * @throws PotionError UNAVAILABLE when the file can't be opened, is damaged or of a newer Potion; in the last two
 * cases `isFinal` says so, and nothing of it is changed
 */
export async function openDatabase(
  file: string,
  look: 'after-crash' | 'thoroughly' = 'after-crash',
): Promise<Database> {
  try {
    if (file === ':memory:') return await open(file);
    mkdirSync(dirname(file), { recursive: true, mode: 0o750 });
    if (!existsSync(file)) await make(file);
    return await openChecked(file, look === 'thoroughly');
  } catch (thrown) {
    if (thrown instanceof PotionError) throw thrown;
    if (isDamage(thrown)) throw damaged(file, describe(thrown));
    throw new PotionError('UNAVAILABLE', 'errors.database', { file }, thrown);
  }
}

/** Whether only a person can mend what an opening failed with. */
export function isFinal(error: PotionError): boolean {
  return /^errors\.database-(damaged|newer)/.test(error.cause.text);
}

/**
 * Makes a database under another name first: `potion.db` is there whole or not at all, so that an empty file is
 * always one that has lost its content, and never taken for a fresh start.
 */
async function make(file: string): Promise<void> {
  if (sizeOf(`${file}-wal`) > 0) throw damaged(file, 'only its log (-wal) is left');
  const fresh = `${file}.new`;
  for (const end of ['', '-wal', '-shm']) rmSync(fresh + end, { force: true });
  makePrivate(fresh);
  await (await open(fresh)).destroy();
  renameSync(fresh, file);
}

/**
 * A look at the whole file where it may have suffered: 0.7 ms for each MB after a crash (quick_check), twice that
 * when an earlier process has met damage.
 */
async function openChecked(file: string, thoroughly: boolean): Promise<Database> {
  if (sizeOf(file) === 0) throw damaged(file, 'the file is empty');
  const closely = thoroughly || isSuspect(file);
  const wasCrash = sizeOf(`${file}-wal`) > 0;
  if (closely || wasCrash) {
    const found = check(file, closely);
    if (found) throw damaged(file, found);
  }
  const db = await open(file);
  unsuspect(file);
  return db;
}

/** @returns what is wrong with the file, if anything is */
function check(file: string, thoroughly: boolean): string | undefined {
  const sqlite = new DatabaseSync(file, { timeout: 5000 });
  try {
    const found = sqlite.prepare(`PRAGMA ${thoroughly ? 'integrity' : 'quick'}_check(1)`).get();
    const words = String(Object.values(found ?? {})[0]);
    // Left open on purpose: closing would write its log into the file, of which the copy is yet to be made.
    if (words !== 'ok') return words.replace(/^\*.*\*\s|\s+/g, ' ').trim();
  } catch (thrown) {
    if (isDamage(thrown)) return describe(thrown);
    throw thrown;
  }
  sqlite.close();
  return undefined;
}

async function open(file: string): Promise<Database> {
  const { Kysely, Migrator, SqliteDialect } = await queryBuilder();
  const sqlite = new DatabaseSync(file, { timeout: 5000 });
  try {
    sqlite.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON');
    refuseNewer(sqlite, file);
    const db = new Kysely<Schema>({ dialect: new SqliteDialect({ database: forKysely(sqlite, file) }) });
    const provider = { getMigrations: async () => migrations };
    const { error } = await new Migrator({ db, provider }).migrateToLatest();
    if (error) throw error;
    return db;
  } catch (thrown) {
    if (!isDamage(thrown)) sqlite.close();
    throw thrown;
  }
}

/** A Potion of today does not know what a later one has stored, nor what it must keep up. */
function refuseNewer(sqlite: DatabaseSync, file: string): void {
  const kept = sqlite.prepare("SELECT 1 FROM sqlite_master WHERE name = 'kysely_migration'").get();
  const done = kept ? sqlite.prepare('SELECT name FROM kysely_migration').all() : [];
  const unknown = done.map(({ name }) => String(name)).filter((name) => !Object.hasOwn(migrations, name));
  if (unknown.length > 0)
    throw new PotionError('UNAVAILABLE', 'errors.database-newer', { file, detail: unknown.join(', ') });
}

/** It holds what was said and who may do what. SQLite gives the files that it puts beside it the same mode. */
function makePrivate(file: string): void {
  closeSync(openSync(file, 'a', 0o600));
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** Kysely, loaded with the first database: it is large, and the flows need not wait for it to start. */
async function queryBuilder() {
  await new Promise((resolve) => setImmediate(resolve));
  const { Kysely, SqliteDialect } = require('kysely') as typeof import('kysely');
  const { Migrator } = require('kysely/migration') as typeof import('kysely/migration');
  return { Kysely, SqliteDialect, Migrator };
}

// An orderly end writes the log into the file: the next start then need not look for damage.
const inUse = new Set<DatabaseSync>();
process.on('exit', () => {
  for (const sqlite of inUse) sqlite.close();
});

// Kysely's SQLite dialect was written for better-sqlite3, which takes parameters as one array and tells
// whether a statement returns rows.
function forKysely(sqlite: DatabaseSync, file: string) {
  inUse.add(sqlite);
  const watched = <T>(work: () => T): T => {
    try {
      return work();
    } catch (thrown) {
      if (isDamage(thrown)) suspect(file, thrown);
      throw thrown;
    }
  };
  return {
    close() {
      inUse.delete(sqlite);
      sqlite.close();
    },
    prepare(sql: string) {
      // A full disk makes SQLite roll back by itself; Kysely's own rollback would then hide that very error.
      if (sql === 'rollback' && !sqlite.isTransaction) sql = 'select 1 where 0';
      const statement = watched(() => sqlite.prepare(sql));
      const values = (parameters: readonly unknown[]) => parameters as SQLInputValue[];
      return {
        reader: statement.columns().length > 0,
        all: (parameters: readonly unknown[]) => watched(() => statement.all(...values(parameters))),
        run: (parameters: readonly unknown[]) => watched(() => statement.run(...values(parameters))),
        iterate: (parameters: readonly unknown[]) =>
          statement.iterate(...values(parameters)) as IterableIterator<unknown>,
      };
    },
  };
}

/** After a failed opening the next one is tried no sooner than this, ms: many ask, again and again. */
const TRY_AGAIN_AFTER = 2000;

let opened: Promise<Database> | undefined;
let onFinal: (error: PotionError) => void = () => {};

/**
 * The database of this process, opened at first use in DATA_DIR. When that fails for a passing reason (no space,
 * no right) a later call tries again.
 */
export function database(): Promise<Database> {
  if (opened) return opened;
  const opening = openDatabase(join(config().dataDir, 'potion.db')).then(withSettings);
  opened = opening;
  opening.catch((error: PotionError) => {
    if (isFinal(error)) onFinal(error);
    else
      setTimeout(() => {
        if (opened === opening) opened = undefined;
      }, TRY_AGAIN_AFTER).unref();
  });
  return opening;
}

/** What was set in the chat counts before anybody gets to the database. */
async function withSettings(db: Database): Promise<Database> {
  try {
    await takeUp(db);
  } catch (thrown) {
    throw toPotionError(thrown);
  }
  return db;
}

/** Says what happens when only a person can mend the database; a guest in another Node-RED just goes without. */
export function whenFinal(listener: (error: PotionError) => void): void {
  onFinal = listener;
}

/** Puts another database in its place, for tests; `undefined` opens the configured one at next use. */
export function useDatabase(db: Database | undefined): void {
  opened = db && withSettings(db);
  opened?.catch(() => {});
  if (!db) overlayConfig(undefined);
}

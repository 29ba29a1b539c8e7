import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import type { Kysely } from 'kysely';
import { config } from '../kit/config.js';
import { PotionError } from '../kit/errors.js';
import { migrations } from './migrations.js';
import type { Schema } from './schema.js';

export type Database = Kysely<Schema>;

/**
 * Opens a database file and brings it up to date. Full sync: what was written is there after a power cut,
 * because the effects that it records must not be forgotten.
 * @throws PotionError UNAVAILABLE when the file can't be opened or is damaged
 */
export async function openDatabase(file: string): Promise<Database> {
  try {
    if (file !== ':memory:') makePrivate(file);
    const { Kysely, Migrator, SqliteDialect } = await queryBuilder();
    const sqlite = new DatabaseSync(file, { timeout: 5000 });
    sqlite.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON');
    const db = new Kysely<Schema>({ dialect: new SqliteDialect({ database: forKysely(sqlite) }) });
    const { error } = await new Migrator({
      db,
      provider: { getMigrations: async () => migrations },
    }).migrateToLatest();
    if (error) throw error;
    return db;
  } catch (thrown) {
    throw new PotionError('UNAVAILABLE', 'errors.database', { file }, thrown);
  }
}

/** It holds what was said and who may do what. SQLite gives the files that it puts beside it the same mode. */
function makePrivate(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o750 });
  closeSync(openSync(file, 'a', 0o600));
}

/** Kysely, loaded with the first database: it is large, and the flows need not wait for it to start. */
async function queryBuilder() {
  await new Promise((resolve) => setImmediate(resolve));
  const { Kysely, SqliteDialect } = require('kysely') as typeof import('kysely');
  const { Migrator } = require('kysely/migration') as typeof import('kysely/migration');
  return { Kysely, SqliteDialect, Migrator };
}

// Kysely's SQLite dialect was written for better-sqlite3, which takes parameters as one array and tells
// whether a statement returns rows.
function forKysely(sqlite: DatabaseSync) {
  return {
    close: () => sqlite.close(),
    prepare(sql: string) {
      // A full disk makes SQLite roll back by itself; Kysely's own rollback would then hide that very error.
      if (sql === 'rollback' && !sqlite.isTransaction) sql = 'select 1 where 0';
      const statement = sqlite.prepare(sql);
      const values = (parameters: readonly unknown[]) => parameters as SQLInputValue[];
      return {
        reader: statement.columns().length > 0,
        all: (parameters: readonly unknown[]) => statement.all(...values(parameters)),
        run: (parameters: readonly unknown[]) => statement.run(...values(parameters)),
        iterate: (parameters: readonly unknown[]) =>
          statement.iterate(...values(parameters)) as IterableIterator<unknown>,
      };
    },
  };
}

let opened: Promise<Database> | undefined;

/** The database of this process, opened at first use in DATA_DIR. */
export function database(): Promise<Database> {
  opened ??= openDatabase(join(config().dataDir, 'potion.db'));
  return opened;
}

/** Puts another database in its place, for tests; `undefined` opens the configured one at next use. */
export function useDatabase(db: Database | undefined): void {
  opened = db && Promise.resolve(db);
}

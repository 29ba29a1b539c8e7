import { copyFileSync, existsSync, renameSync, rmSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { describe } from '../kit/errors.js';
import { unsuspect } from './damage.js';
import { openDatabase } from './database.js';

/** What became of one table. */
export interface Salvaged {
  table: string;
  rows: number;
  /** Why reading ended early; absent when everything was read. */
  lost?: string;
}

const PARTS = ['', '-wal', '-shm'];
/** What must not be missed comes first. */
const FIRST = ['settings', 'outbox', 'alerts', 'heals', 'lifecycle'];
const BATCH = 200;

/** Puts a database aside, so that the next start makes a new one. @returns where it is now */
export function putAside(file: string, now: Date): string {
  const aside = `${file}.aside-${now.toISOString().slice(0, 19).replaceAll(':', '')}Z`;
  for (const part of PARTS) if (existsSync(file + part)) renameSync(file + part, aside + part);
  unsuspect(file);
  return aside;
}

/**
 * Copies what can still be read, table by table, into a new database, which takes the place of the damaged one;
 * that is put aside.
 */
export async function salvage(file: string, now: Date): Promise<{ aside: string; tables: Salvaged[] }> {
  const fresh = `${file}.salvaged`;
  const work = `${file}.salvaging`;
  const clear = () => {
    for (const part of PARTS) for (const name of [fresh, work]) rmSync(name + part, { force: true });
  };
  clear();
  // From a copy: SQLite writes into a file with a log, even when it only reads.
  for (const part of PARTS) if (existsSync(file + part)) copyFileSync(file + part, work + part);
  await (await openDatabase(fresh)).destroy();
  const tables = copyTables(work, fresh);
  const aside = putAside(file, now);
  renameSync(fresh, file);
  clear();
  return { aside, tables };
}

function copyTables(from: string, to: string): Salvaged[] {
  const target = new DatabaseSync(to);
  const names = namesOf(target);
  const order = [...FIRST.filter((name) => names.includes(name)), ...names.filter((n) => !FIRST.includes(n))];
  try {
    const source = new DatabaseSync(from);
    try {
      return order.map((table) => copyTable(source, target, table));
    } finally {
      source.close();
    }
  } catch (thrown) {
    return order.map((table) => ({ table, rows: 0, lost: describe(thrown) }));
  } finally {
    target.close();
  }
}

function namesOf(db: DatabaseSync): string[] {
  const sql =
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'kysely%'";
  return db
    .prepare(sql)
    .all()
    .map(({ name }) => String(name));
}

function columnsOf(db: DatabaseSync, table: string): string[] {
  return db
    .prepare(`PRAGMA table_info("${table}")`)
    .all()
    .map(({ name }) => String(name));
}

/** Reads from the first row on, and where that ends in damage from the last row back. */
function copyTable(source: DatabaseSync, target: DatabaseSync, table: string): Salvaged {
  try {
    const there = columnsOf(source, table);
    const columns = columnsOf(target, table).filter((name) => there.includes(name));
    const list = columns.map((name) => `"${name}"`).join(', ');
    const places = columns.map(() => '?').join(', ');
    const insert = target.prepare(`INSERT OR IGNORE INTO "${table}" (${list}) VALUES (${places})`);
    const keep = (row: Record<string, unknown>) =>
      Number(insert.run(...columns.map((name) => row[name] as SQLInputValue)).changes);
    const read = (back: boolean) => copyRows(source, `"${table}"`, list, back, keep);
    const on = read(false);
    if (on.lost === undefined) return { table, rows: on.rows };
    return { table, rows: on.rows + read(true).rows, lost: on.lost };
  } catch (thrown) {
    return { table, rows: 0, lost: describe(thrown) };
  }
}

function copyRows(
  source: DatabaseSync,
  table: string,
  columns: string,
  back: boolean,
  keep: (row: Record<string, unknown>) => number,
): { rows: number; lost?: string } {
  // Walks along the table itself: its indexes may be damaged too.
  const sql = (first: boolean) =>
    `SELECT rowid AS "row id", ${columns} FROM ${table} NOT INDEXED ${first ? '' : `WHERE rowid ${back ? '<' : '>'} ?`} ORDER BY rowid ${back ? 'DESC' : ''} LIMIT ?`;
  let rows = 0;
  let size = BATCH;
  let last: SQLInputValue | undefined;
  for (;;) {
    try {
      const batch = source.prepare(sql(last === undefined)).all(...(last === undefined ? [] : [last]), size);
      for (const row of batch) rows += keep(row);
      if (batch.length < size) return { rows };
      last = batch.at(-1)?.['row id'] as SQLInputValue;
    } catch (thrown) {
      if (size === 1) return { rows, lost: describe(thrown) };
      size = 1;
    }
  }
}

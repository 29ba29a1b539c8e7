import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';

/** What is wrong with the database at the end: damage, and work that was left undone. */
export function wrongIn(db: DatabaseSync): string[] {
  const damage = db
    .prepare('PRAGMA integrity_check')
    .all()
    .map((row) => String(row.integrity_check))
    .filter((line) => line !== 'ok');
  const waiting = db
    .prepare(
      `SELECT state, count(*) AS count FROM outbox WHERE state NOT IN ('sent', 'merged') GROUP BY state`,
    )
    .all()
    .map(({ state, count }) => `${count} message(s) of the outbox are ${state}`);
  const open = db
    .prepare('SELECT state, count(*) AS count FROM requests WHERE answered_at IS NULL GROUP BY state')
    .all()
    .map(({ state, count }) => `${count} request(s) are ${state} and not answered`);
  return [...damage, ...waiting, ...open];
}

/** The files of a folder, and the console, in which a secret stands. */
export function spilled(secret: string, logs: string, console: string): string[] {
  const texts = readdirSync(logs).map((name) => ({ name, text: readFileSync(join(logs, name), 'utf8') }));
  return [...texts, { name: 'the console', text: console }]
    .filter(({ text }) => text.includes(secret))
    .map(({ name }) => `the token stands in ${name}`);
}

/** What the database has kept about one thing. */
export function keptAbout(db: DatabaseSync, kind: string, n: string): string[] {
  const outbox = db
    .prepare('SELECT id, chat, state, tries, error, created_at, finished_at FROM outbox WHERE draft LIKE ?')
    .all(`%${kind} #${n}%`);
  const requests = db
    .prepare('SELECT id, state, received_at, answered_at FROM requests WHERE message LIKE ?')
    .all(`%"command":"${kind}","args":["${n}"]%`);
  return [...outbox, ...requests].slice(0, 10).map((row) => JSON.stringify(row));
}

/** The lines of a file that may not be there yet. */
export function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(Boolean);
  } catch {
    return [];
  }
}

import { type Config, config, givenConfig, overlayConfig } from '../kit/config.js';
import { type AuditEntry, auditLine, auditRow } from './audit.js';
import type { Database } from './database.js';
import { overlaid } from './live-settings.js';
import { type Author, type Kept, keptSettings, removeSetting, writeSetting } from './settings.js';

/** One setting that is to change. */
export interface Edit {
  key: string;
  /** Plain JSON; undefined takes the setting back. */
  value: unknown;
  /** What counted before and what counts then, as the audit log is to have it. */
  from: string;
  to: string;
}

/** Decides what is to change by what is stored; what it throws leaves everything as it is. */
export type Decide = (kept: readonly Kept[], given: Config) => readonly Edit[];

let last: Promise<void> = Promise.resolve();

/**
 * Lets what is stored count, for everything that asks `config()`. Called when the database is opened, and after
 * each change. One after the other, so that what was read earlier never takes the place of something newer.
 */
export function takeUp(db: Database): Promise<void> {
  const turn = last.then(async () => {
    const kept = await keptSettings(db);
    overlayConfig((given) => overlaid(kept, given));
  });
  last = turn.catch(() => {});
  return turn;
}

/**
 * Changes settings: they are kept with full sync, together with their audit entries, and count from then on. A
 * crash after they were kept loses nothing: the next start takes them up.
 * @returns what counted before and what counts now
 */
export async function changeSettings(
  db: Database,
  author: Author,
  decide: Decide,
): Promise<{ before: Config; now: Config }> {
  const before = config();
  const entries = await db.transaction().execute((trx) => applyEdits(trx, author, decide));
  await takeUp(db);
  for (const entry of entries) auditLine(entry);
  return { before, now: config() };
}

/** The part of `changeSettings` inside a transaction; call `takeUp` and `auditLine` once it is committed. */
export async function applyEdits(db: Database, author: Author, decide: Decide): Promise<AuditEntry[]> {
  const entries: AuditEntry[] = [];
  for (const { key, value, from, to } of decide(await keptSettings(db), givenConfig())) {
    if (value === undefined) await removeSetting(db, key);
    else await writeSetting(db, key, value, author);
    const entry = { ...author, event: 'setting', action: key, result: 'changed', detail: { from, to } };
    await auditRow(db, entry);
    entries.push(entry);
  }
  return entries;
}

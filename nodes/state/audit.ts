import { join } from 'node:path';
import { config } from '../kit/config.js';
import { LogFile } from '../kit/log-file.js';
import { redact } from '../kit/redact.js';
import type { Database } from './database.js';

/** Who did what, and what came of it. Lengths are cut and secrets taken out before it is kept. */
export interface AuditEntry {
  /** Epoch ms. */
  at: number;
  /** Telegram user id; null: Potion itself, or nobody that Telegram names. */
  user: number | null;
  /** `request`, `refused`, `confirm`, `result` … */
  event: string;
  /** Command or action, e.g. `svc`. */
  action: string;
  target?: string | null;
  result?: string | null;
  /** More facts, plain JSON. */
  detail?: object;
}

/** Entries are kept for 90 days (brief §9). */
export const AUDIT_KEPT = 90 * 86_400_000;

const LONGEST = { event: 32, action: 64, target: 512, result: 256, detail: 2048 };

/**
 * Keeps an entry in the table, with full sync, and adds its line to `actions.log`. Inside a transaction use
 * `auditRow`, and `auditLine` once it is committed.
 */
export async function audit(db: Database, entry: AuditEntry): Promise<void> {
  await auditRow(db, entry);
  auditLine(entry);
}

/** The table's part of `audit`. */
export async function auditRow(db: Database, entry: AuditEntry): Promise<void> {
  const clean = cleaned(entry);
  await db
    .insertInto('audit')
    .values({
      at: entry.at,
      user_id: entry.user,
      event: clean.event,
      action: clean.action,
      target: clean.target,
      result: clean.result,
      detail: clean.detail,
    })
    .execute();
}

let file: LogFile | undefined;

/**
 * The log file's part of `audit`: one line in LOG_DIR/actions.log. A full disk or a missing folder costs the
 * line and is said once on stderr; the table is what counts.
 */
export function auditLine(entry: AuditEntry): void {
  const path = join(config().logDir, 'actions.log');
  if (file?.path !== path) {
    file?.close();
    file = new LogFile(path, {
      onTrouble: (thrown) => process.stderr.write(`potion: ${path} can't be written: ${thrown}\n`),
    });
  }
  file.write(formatAudit(entry));
}

/** One entry as one line, local time with its offset first. No value can break the line or forge another. */
export function formatAudit(entry: AuditEntry): string {
  const clean = cleaned(entry);
  const fields = [
    localIso(entry.at),
    `user=${entry.user ?? '-'}`,
    `event=${quoted(clean.event)}`,
    `action=${quoted(clean.action)}`,
  ];
  if (clean.target !== null) fields.push(`target=${quoted(clean.target)}`);
  if (clean.result !== null) fields.push(`result=${quoted(clean.result)}`);
  if (clean.detail !== null) fields.push(`detail=${quoted(clean.detail)}`);
  return fields.join(' ');
}

/** Deletes at most `limit` entries older than 90 days. @returns how many */
export async function pruneAudit(db: Database, now: number, limit = 1000): Promise<number> {
  const old = db
    .selectFrom('audit')
    .select('id')
    .where('at', '<', now - AUDIT_KEPT)
    .limit(limit);
  const { numDeletedRows } = await db.deleteFrom('audit').where('id', 'in', old).executeTakeFirst();
  return Number(numDeletedRows);
}

function cleaned(entry: AuditEntry) {
  const part = (name: keyof typeof LONGEST, value: string | null | undefined) =>
    value === null || value === undefined ? null : cut(redact(value), LONGEST[name]);
  return {
    event: part('event', entry.event) ?? '',
    action: part('action', entry.action) ?? '',
    target: part('target', entry.target),
    result: part('result', entry.result),
    detail: part('detail', entry.detail && JSON.stringify(entry.detail)),
  };
}

function cut(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, longest).toWellFormed()}…`;
}

// JSON leaves these alone, yet they end a line or turn the reading direction in some viewers.
const UNPRINTABLE =
  /[\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

function quoted(value: string): string {
  if (/^[\w.:@/+-]+$/.test(value)) return value;
  return JSON.stringify(value).replace(
    UNPRINTABLE,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function localIso(at: number): string {
  const minutes = -new Date(at).getTimezoneOffset();
  const local = new Date(at + minutes * 60_000).toISOString().slice(0, -1);
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  const east = Math.abs(minutes);
  return `${local}${minutes < 0 ? '-' : '+'}${two(east / 60)}:${two(east % 60)}`;
}

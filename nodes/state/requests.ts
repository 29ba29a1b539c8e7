import type { Request } from '../kit/messages.js';
import { redact } from '../kit/redact.js';
import { type AuditEntry, auditLine, auditRow } from './audit.js';
import type { Database } from './database.js';
import type { RequestTable } from './schema.js';

/** An update that passed the gate, before it takes effect. */
export interface NewRequest {
  request: Request;
  /** It changes something, so it is never repeated by itself. */
  changes: boolean;
  /** What is handed on, plain JSON: enough to hand it on again. */
  message: object;
  /** Epoch ms at which it reached the gate. */
  at: number;
}

/** A request as it is kept. */
export interface KeptRequest {
  id: string;
  user: number;
  chat: number;
  /** Empty: nothing was dispatched, `message` is an answer of the gate itself. */
  command: string;
  changes: boolean;
  state: RequestTable['state'];
  message: Record<string, unknown>;
  at: number;
}

/** Requests are kept for 30 days: Telegram repeats an update for at most one. */
export const REQUESTS_KEPT = 30 * 86_400_000;

const UNANSWERED = ['received', 'repeated', 'asking'] as const;

/** Whether this update has been through the gate before. */
export async function isKnown(db: Database, id: string): Promise<boolean> {
  const row = await db.selectFrom('requests').select('id').where('id', '=', id).executeTakeFirst();
  return row !== undefined;
}

/**
 * Keeps an update and its audit entry, with full sync. Whatever the update leads to comes after this.
 * @returns false when it is known already: it must not take effect again
 */
export async function received(db: Database, fresh: NewRequest, entry: AuditEntry): Promise<boolean> {
  const isNew = await inTransaction(db, async (trx) => {
    const isNew = await insert(trx, fresh);
    if (isNew) await auditRow(trx, entry);
    return isNew;
  });
  if (isNew) auditLine(entry);
  return isNew;
}

/** The insert alone, for a caller with a transaction of its own. @returns false when the id is known */
export async function insert(db: Database, { request, changes, message, at }: NewRequest): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('requests')
    .values({
      id: request.id,
      user_id: request.user,
      chat: request.chat,
      command: request.command,
      changes: changes ? 1 : 0,
      state: 'received',
      // No command takes a token; who sends one by mistake must not find it in the database.
      message: redact(JSON.stringify(message)),
      received_at: at,
      answered_at: null,
    })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .executeTakeFirstOrThrow();
  return numInsertedOrUpdatedRows === 1n;
}

/**
 * Records that whoever asked was told how it went. `say` calls this in the transaction that puts the message
 * into the outbox; not for the PROCESSING text, which is no answer. For a command that changes something it
 * leaves the audit entry `result`. Calling it again, or for an unknown id, does nothing.
 * @param outcome `ok`, or the code of the error that was said
 */
export async function answered(db: Database, id: string, at: number, outcome = 'ok'): Promise<void> {
  const entry = await inTransaction(db, async (trx) => {
    const row = await trx.selectFrom('requests').selectAll().where('id', '=', id).executeTakeFirst();
    if (!row || row.answered_at !== null) return undefined;
    // An interrupted one stays what it is: only its notice has been given.
    const state = row.state === 'interrupted' ? 'interrupted' : 'answered';
    const { numUpdatedRows } = await trx
      .updateTable('requests')
      .set({ state, answered_at: at })
      .where('id', '=', id)
      .where('answered_at', 'is', null)
      .executeTakeFirst();
    if (numUpdatedRows !== 1n) return undefined;
    if (!row.changes || (row.state !== 'received' && row.state !== 'repeated')) return undefined;
    const entry = resultOf(row, at, outcome);
    await auditRow(trx, entry);
    return entry;
  });
  if (entry) auditLine(entry);
  for (const listener of listeners) listener(id);
}

/** A question to the person is on its way instead of a result; what answers next is no result of a change. */
export async function asking(db: Database, id: string): Promise<void> {
  await db
    .updateTable('requests')
    .set({ state: 'asking' })
    .where('id', '=', id)
    .where('state', 'in', ['received', 'repeated'])
    .execute();
}

const listeners = new Set<(id: string) => void>();

/** Tells of every request that is answered, or spoken of, in this process. The returned function ends that. */
export function onAnswered(listener: (id: string) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Whoever asked has heard something that is no answer yet, e.g. how far it is. */
export function spoken(id: string): void {
  for (const listener of listeners) listener(id);
}

/** Requests that nobody has answered, oldest first, with the interrupted ones whose notice was never given. */
export async function unanswered(db: Database, limit = 500): Promise<KeptRequest[]> {
  const rows = await db
    .selectFrom('requests')
    .selectAll()
    .where('state', 'in', [...UNANSWERED, 'interrupted'])
    .where('answered_at', 'is', null)
    .orderBy('received_at', 'desc')
    .limit(limit)
    .execute();
  return rows.reverse().map((row) => ({
    id: row.id,
    user: row.user_id,
    chat: row.chat,
    command: row.command,
    changes: row.changes === 1,
    state: row.state,
    message: JSON.parse(row.message),
    at: row.received_at,
  }));
}

/** Claims a request for its one repetition. @returns false when it has been answered or repeated before */
export async function repeat(db: Database, id: string): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('requests')
    .set({ state: 'repeated' })
    .where('id', '=', id)
    .where('state', '=', 'received')
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/**
 * Marks requests that ended without a result, with the process or with their node; for those that change
 * something leaves the entry `result`. Whoever asked is still to be told.
 */
export async function interrupt(
  db: Database,
  ids: readonly string[],
  at: number,
  result = 'interrupted',
): Promise<void> {
  const entries = await inTransaction(db, async (trx) => {
    const entries: AuditEntry[] = [];
    for (const id of ids) {
      const row = await trx
        .updateTable('requests')
        .set({ state: 'interrupted' })
        .where('id', '=', id)
        .where('state', 'in', UNANSWERED)
        .returningAll()
        .executeTakeFirst();
      if (row?.changes) entries.push(resultOf(row, at, result));
    }
    for (const entry of entries) await auditRow(trx, entry);
    return entries;
  });
  for (const entry of entries) auditLine(entry);
}

/** Deletes at most `limit` requests older than 30 days. @returns how many */
export async function pruneRequests(db: Database, now: number, limit = 1000): Promise<number> {
  const old = db
    .selectFrom('requests')
    .select('id')
    .where('received_at', '<', now - REQUESTS_KEPT)
    .limit(limit);
  const { numDeletedRows } = await db.deleteFrom('requests').where('id', 'in', old).executeTakeFirst();
  return Number(numDeletedRows);
}

function resultOf(row: { user_id: number; command: string; message: string }, at: number, result: string) {
  const args: unknown = JSON.parse(row.message)?.request?.args;
  const target = Array.isArray(args) && args.length > 0 ? args.join(' ') : null;
  return { at, user: row.user_id, event: 'result', action: row.command, target, result };
}

/** Runs in the caller's transaction where there is one. */
function inTransaction<T>(db: Database, work: (trx: Database) => Promise<T>): Promise<T> {
  return db.isTransaction ? work(db) : db.transaction().execute(work);
}

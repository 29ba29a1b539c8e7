import { type AuditEntry, auditLine, auditRow } from './audit.js';
import type { Database } from './database.js';
import { asking, insert, type NewRequest } from './requests.js';

/** A question that waits for a yes, bound to one person, one chat and one thing. */
export interface Question {
  /** Cannot be guessed; sorts by the time of asking. At most 40 characters of [A-Za-z0-9_-]. */
  id: string;
  /** Id of the confirm node that asks. */
  node: string;
  user: number;
  chat: number;
  /** What it is about, as the person reads it. */
  target: string;
  /** The message to go on with, plain JSON. */
  message: Record<string, unknown>;
  /** Epoch ms. */
  expiresAt: number;
}

/** Why a question could not be answered, or that it was. `known`: this very answer has been taken before. */
export type Claim = 'taken' | 'known' | 'missing' | 'not-yours' | 'used' | 'expired';

/** Answered questions are kept for 30 days, as the requests that answered them. */
const KEPT = 30 * 86_400_000;

/**
 * Keeps a question, with full sync, before it is asked. The request that led to it is answered by the question.
 * @param request id of that request
 */
export async function ask(db: Database, question: Question, request: string, entry: AuditEntry) {
  await db.transaction().execute(async (trx) => {
    await trx
      .insertInto('confirmations')
      .values({
        id: question.id,
        node: question.node,
        user_id: question.user,
        chat: question.chat,
        target: question.target,
        message: JSON.stringify(question.message),
        expires_at: question.expiresAt,
        state: 'open',
      })
      .execute();
    await asking(trx, request);
    await auditRow(trx, entry);
  });
  auditLine(entry);
}

/** A question by its id, whatever has become of it. */
export async function question(db: Database, id: string): Promise<Question | undefined> {
  const row = await db.selectFrom('confirmations').selectAll().where('id', '=', id).executeTakeFirst();
  return row && fromRow(row);
}

/** The newest question of this person in this chat that can still be answered. */
export async function newestOpen(
  db: Database,
  user: number,
  chat: number,
  now: number,
): Promise<Question | undefined> {
  const row = await db
    .selectFrom('confirmations')
    .selectAll()
    .where('user_id', '=', user)
    .where('chat', '=', chat)
    .where('state', '=', 'open')
    .where('expires_at', '>', now)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row && fromRow(row);
}

/** The open questions of a confirm node, expired ones included. */
export async function openQuestions(db: Database, node: string): Promise<Question[]> {
  const rows = await db
    .selectFrom('confirmations')
    .selectAll()
    .where('node', '=', node)
    .where('state', '=', 'open')
    .execute();
  return rows.map(fromRow);
}

/**
 * Takes the one answer to a question. Question, answering request and audit entry change in one transaction,
 * so that an answer is never taken twice, nor taken and forgotten.
 */
export async function claim(
  db: Database,
  id: string,
  yes: boolean,
  answer: NewRequest,
  entry: AuditEntry,
): Promise<Claim> {
  const { user, chat } = answer.request;
  const outcome = await db
    .transaction()
    .execute(async (trx): Promise<Claim> => {
      const { numUpdatedRows } = await trx
        .updateTable('confirmations')
        .set({ state: yes ? 'yes' : 'no' })
        .where('id', '=', id)
        .where('user_id', '=', user)
        .where('chat', '=', chat)
        .where('state', '=', 'open')
        .where('expires_at', '>', answer.at)
        .executeTakeFirst();
      if (numUpdatedRows !== 1n) return whyNot(trx, id, answer);
      if (!(await insert(trx, answer))) throw new AnswerKnown();
      await auditRow(trx, entry);
      return 'taken';
    })
    .catch((thrown: unknown) => {
      // Thrown to undo the update.
      if (thrown instanceof AnswerKnown) return 'known' as const;
      throw thrown;
    });
  if (outcome === 'taken') auditLine(entry);
  return outcome;
}

class AnswerKnown extends Error {}

async function whyNot(db: Database, id: string, answer: NewRequest): Promise<Claim> {
  const row = await db.selectFrom('confirmations').selectAll().where('id', '=', id).executeTakeFirst();
  if (!row) return 'missing';
  if (row.user_id !== answer.request.user || row.chat !== answer.request.chat) return 'not-yours';
  return row.state === 'expired' || row.state === 'open' ? 'expired' : 'used';
}

/** Ends a question whose time is over. @returns false when it had been answered, or ended before */
export async function expire(db: Database, id: string, entry: AuditEntry): Promise<boolean> {
  const ended = await db.transaction().execute(async (trx) => {
    const { numUpdatedRows } = await trx
      .updateTable('confirmations')
      .set({ state: 'expired' })
      .where('id', '=', id)
      .where('state', '=', 'open')
      .executeTakeFirst();
    if (numUpdatedRows !== 1n) return false;
    await auditRow(trx, entry);
    return true;
  });
  if (ended) auditLine(entry);
  return ended;
}

/** Deletes at most `limit` questions that ended more than 30 days ago. @returns how many */
export async function pruneConfirmations(db: Database, now: number, limit = 1000): Promise<number> {
  const old = db
    .selectFrom('confirmations')
    .select('id')
    .where('expires_at', '<', now - KEPT)
    .limit(limit);
  const { numDeletedRows } = await db.deleteFrom('confirmations').where('id', 'in', old).executeTakeFirst();
  return Number(numDeletedRows);
}

function fromRow(row: {
  id: string;
  node: string;
  user_id: number;
  chat: number;
  target: string;
  message: string;
  expires_at: number;
}): Question {
  return {
    id: row.id,
    node: row.node,
    user: row.user_id,
    chat: row.chat,
    target: row.target,
    message: JSON.parse(row.message),
    expiresAt: row.expires_at,
  };
}

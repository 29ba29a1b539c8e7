import type { Request } from '../kit/messages.js';
import type { Database } from './database.js';
import { answered } from './requests.js';
import type { BroadcastTargetTable } from './schema.js';

/** One text for many chats. */
export interface Broadcast {
  /** Id of the request that confirmed it. */
  id: string;
  request: Request;
  text: string;
  /** Epoch ms. */
  at: number;
}

/** A draft's part in a broadcast. */
export interface Part {
  job: string;
  /** Telegram chat id. */
  target: number;
}

/** Why a target did not get it. */
export type Failure =
  /** The chat takes nothing from the bot: blocked, or never started. */
  | 'closed'
  /** It was handed to Telegram, and nobody knows whether it has arrived. */
  | 'unknown'
  /** Telegram refuses the message. */
  | 'refused'
  /** It could not be handed to Telegram in time. */
  | 'late'
  /** A person stopped it. */
  | 'stopped';

/** How far a broadcast is. */
export interface Tally {
  total: number;
  sent: number;
  /** Pending or with the outbox. */
  waiting: number;
  failed: { target: number; why: Failure; words: string }[];
}

/** Broadcasts are kept for 30 days, longer than Telegram may repeat an update. */
const KEPT = 30 * 86_400_000;

/**
 * Keeps a broadcast with its targets and records that its request is answered: from here on it goes on by itself,
 * whatever happens to the process.
 * @returns false when it is known already
 */
export async function begin(db: Database, job: Broadcast, targets: readonly number[]): Promise<boolean> {
  return db.transaction().execute(async (trx) => {
    const { numInsertedOrUpdatedRows } = await trx
      .insertInto('broadcast_jobs')
      .values({
        id: job.id,
        request: JSON.stringify(job.request),
        text: job.text,
        created_at: job.at,
        ended_at: targets.length === 0 ? job.at : null,
      })
      .onConflict((conflict) => conflict.column('id').doNothing())
      .executeTakeFirstOrThrow();
    if (numInsertedOrUpdatedRows !== 1n) return false;
    for (const target of new Set(targets))
      await trx
        .insertInto('broadcast_targets')
        .values({ job: job.id, target, state: 'pending', error: null, updated_at: job.at })
        .execute();
    await answered(trx, job.request.id, job.at, 'begun');
    return true;
  });
}

/** A broadcast by its id. */
export async function broadcast(db: Database, id: string): Promise<Broadcast | undefined> {
  const row = await db.selectFrom('broadcast_jobs').selectAll().where('id', '=', id).executeTakeFirst();
  return row && { id: row.id, request: JSON.parse(row.request), text: row.text, at: row.created_at };
}

/** Ids of the broadcasts that go on, and of those that ended after `since` (epoch ms), oldest first. */
export async function broadcastsSince(db: Database, since: number): Promise<string[]> {
  const rows = await db
    .selectFrom('broadcast_jobs')
    .select('id')
    .where((e) => e.or([e('ended_at', 'is', null), e('ended_at', '>', since)]))
    .orderBy('created_at')
    .execute();
  return rows.map(({ id }) => id);
}

/** Targets that the outbox does not have yet. */
export async function pendingTargets(db: Database, job: string): Promise<number[]> {
  const rows = await db
    .selectFrom('broadcast_targets')
    .select('target')
    .where('job', '=', job)
    .where('state', '=', 'pending')
    .orderBy('target')
    .execute();
  return rows.map(({ target }) => target);
}

export async function tallyOf(db: Database, job: string): Promise<Tally> {
  const rows = await db
    .selectFrom('broadcast_targets')
    .selectAll()
    .where('job', '=', job)
    .orderBy('target')
    .execute();
  const failed = rows.filter(({ state }) => state === 'failed');
  return {
    total: rows.length,
    sent: rows.filter(({ state }) => state === 'sent').length,
    waiting: rows.filter(({ state }) => state === 'pending' || state === 'sending').length,
    failed: failed.map(({ target, error }) => ({ target, ...readFailure(error ?? '') })),
  };
}

/** Why a target failed, as it is kept: one word, and Telegram's own after a colon. */
export function failureText(why: Failure, words = ''): string {
  return words ? `${why}: ${words}` : why;
}

function readFailure(error: string): { why: Failure; words: string } {
  const [, why = 'refused', words = ''] = /^(\w+)(?:: (.*))?$/s.exec(error) ?? [];
  return { why: why as Failure, words };
}

/**
 * The outbox takes a target over, in the transaction that keeps its message.
 * @returns false when it was taken before, or is over: there must be no second message
 */
export async function takeOver(trx: Database, part: Part, at: number): Promise<boolean> {
  return move(trx, part, ['pending'], { state: 'sending', error: null, updated_at: at });
}

/** Ends a target, in the transaction that ends its message. What has its end keeps it. */
export async function settle(
  trx: Database,
  part: Part,
  state: 'sent' | 'failed',
  error: string | null,
  at: number,
): Promise<void> {
  if (!(await move(trx, part, ['pending', 'sending'], { state, error, updated_at: at }))) return;
  const left = await trx
    .selectFrom('broadcast_targets')
    .select('target')
    .where('job', '=', part.job)
    .where('state', 'in', ['pending', 'sending'])
    .executeTakeFirst();
  if (left) return;
  await trx.updateTable('broadcast_jobs').set({ ended_at: at }).where('id', '=', part.job).execute();
}

async function move(
  trx: Database,
  { job, target }: Part,
  from: BroadcastTargetTable['state'][],
  to: Pick<BroadcastTargetTable, 'state' | 'error' | 'updated_at'>,
): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('broadcast_targets')
    .set(to)
    .where('job', '=', job)
    .where('target', '=', target)
    .where('state', 'in', from)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/**
 * Gives up the targets that have not been handed to Telegram. What is on its way at this moment goes on.
 * @returns how many were given up
 */
export async function giveUpWaiting(db: Database, job: string, why: Failure, at: number): Promise<number> {
  const count = await db.transaction().execute(async (trx) => {
    const rows = await trx
      .updateTable('outbox')
      .set({ state: 'failed', error: why, finished_at: at })
      .where('broadcast', '=', job)
      .where('state', '=', 'queued')
      .returning('draft')
      .execute();
    const queued = rows.map(({ draft }) => (JSON.parse(draft).broadcast as Part).target);
    const all = [...new Set([...queued, ...(await pendingTargets(trx, job))])];
    for (const target of all) await settle(trx, { job, target }, 'failed', why, at);
    return all.length;
  });
  changed(job);
  return count;
}

const listeners = new Set<(job: string) => void>();

/** Tells, in this process, that a target of a broadcast has its end. The returned function ends that. */
export function onBroadcast(listener: (job: string) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Called once the transaction of `settle` is over. */
export function changed(job: string): void {
  for (const listener of listeners) listener(job);
}

/** Deletes broadcasts that ended more than 30 days ago. */
export async function pruneBroadcasts(db: Database, now: number): Promise<void> {
  const old = db
    .selectFrom('broadcast_jobs')
    .select('id')
    .where('ended_at', '<', now - KEPT);
  await db.deleteFrom('broadcast_targets').where('job', 'in', old).execute();
  await db
    .deleteFrom('broadcast_jobs')
    .where('ended_at', '<', now - KEPT)
    .execute();
}

import type { Selectable } from 'kysely';
import { changed, type Failure, failureText, settle } from './broadcasts.js';
import type { Database } from './database.js';
import { finish, slotMessage } from './outbox.js';
import type { StoredDraft } from './outbox-digest.js';
import type { OutboxTable } from './schema.js';

type Row = Selectable<OutboxTable>;

/** A message that a chat's courier has taken, to deliver it part by part. */
export interface Taken {
  id: number;
  chat: number;
  draft: StoredDraft;
  /** Attempts that failed. */
  tries: number;
  /** Parts that Telegram has acknowledged. */
  partsSent: number;
  /** Telegram's id of the first part, once that was sent. */
  messageId?: number;
  /** The message that its slot has in the chat. */
  slotMessage?: number;
  /** The message of the question that it settles. */
  settledMessage?: number;
}

/** Sent messages are kept for a week, so that one handed in twice is recognised; failed ones for a month. */
export const SENT_KEPT = 7 * 86_400_000;
export const FAILED_KEPT = 30 * 86_400_000;
/** No wait is longer, ms. One that seems to be was noted before the clock was set back: it is over. */
const LONGEST_WAIT = 3_600_000;
/** Telegram lets a bot edit its message for about as long. */
export const SLOTS_KEPT = 30 * 86_400_000;

/**
 * Takes the next message of a chat that has none under way. It is marked as `sending`, so that nothing merges
 * into it any more; one that is marked already was stranded and is taken again, but for a part of a broadcast,
 * which then counts as failed.
 * @returns the message, or when the next one is due (epoch ms), or undefined when none waits
 */
export async function take(
  db: Database,
  chat: number,
  now: number,
): Promise<{ taken: Taken } | { due: number } | undefined> {
  await strandBroadcasts(db, now, chat);
  return db.transaction().execute(async (trx) => {
    const first = await nextOf(trx, chat);
    if (!first) return undefined;
    const isDue = first.due_at <= now || first.due_at - now > LONGEST_WAIT;
    const row = isDue ? first : await overtaking(trx, first);
    if (!row) return { due: first.due_at };
    await trx.updateTable('outbox').set({ state: 'sending' }).where('id', '=', row.id).execute();
    const draft: StoredDraft = JSON.parse(row.draft);
    const messageOf = (slot: string | undefined) =>
      slot === undefined ? undefined : slotMessage(trx, chat, slot);
    const slot = await messageOf(draft.slot);
    return { taken: { ...takenFrom(row, draft, slot), settledMessage: await messageOf(draft.settles) } };
  });
}

function nextOf(db: Database, chat: number): Promise<Row | undefined> {
  return db
    .selectFrom('outbox')
    .selectAll()
    .where('state', 'in', ['queued', 'sending'])
    .where('chat', '=', chat)
    .orderBy('id')
    .executeTakeFirst();
}

/**
 * A part of a broadcast does not wait behind what a closed chat has refused: its author wants to know now whom it
 * does not reach.
 */
function overtaking(db: Database, first: Row): Promise<Row | undefined> {
  if (!first.error?.startsWith('chat-closed')) return Promise.resolve(undefined);
  return db
    .selectFrom('outbox')
    .selectAll()
    .where('state', '=', 'queued')
    .where('chat', '=', first.chat)
    .where('broadcast', 'is not', null)
    .where('due_at', '=', 0)
    .orderBy('id')
    .executeTakeFirst();
}

function takenFrom(row: Row, draft: StoredDraft, slot: number | undefined): Taken {
  const { id, chat, tries, parts_sent: partsSent } = row;
  return { id, chat, draft, tries, partsSent, messageId: row.message_id ?? undefined, slotMessage: slot };
}

/**
 * Puts back what was on its way when the process ended or something broke: of one chat, or of all. It may have
 * arrived all the same, and then arrives twice; so a part of a broadcast is not put back but has failed.
 */
export async function putBack(db: Database, now: number, chat?: number): Promise<void> {
  await strandBroadcasts(db, now, chat);
  let stranded = db.updateTable('outbox').set({ state: 'queued' }).where('state', '=', 'sending');
  if (chat !== undefined) stranded = stranded.where('chat', '=', chat);
  await stranded.execute();
}

/** Ends the parts of broadcasts that were on their way, though nobody has heard what became of them. */
async function strandBroadcasts(db: Database, now: number, chat: number | undefined): Promise<void> {
  let stranded = db
    .selectFrom('outbox')
    .select(['id', 'draft'])
    .where('state', '=', 'sending')
    .where('broadcast', 'is not', null);
  if (chat !== undefined) stranded = stranded.where('chat', '=', chat);
  for (const { id, draft } of await stranded.execute())
    await giveUp(db, { id, draft: JSON.parse(draft) }, 'unknown', '', now);
}

/** Ends a message that will not be tried again. */
export async function giveUp(
  db: Database,
  { id, draft }: Pick<Taken, 'id' | 'draft'>,
  why: Failure,
  words: string,
  now: number,
): Promise<void> {
  const { broadcast } = draft;
  if (!broadcast) return finish(db, id, 'failed', words, now);
  await db.transaction().execute(async (trx) => {
    const error = failureText(why, words);
    await finish(trx, id, 'failed', error, now);
    await settle(trx, broadcast, 'failed', error, now);
  });
  changed(broadcast.job);
}

/**
 * Records that Telegram has one more part. The last one finishes the message; the first one becomes the
 * message of the draft's slot.
 * @param messageId Telegram's id, as far as it told one
 */
export async function acknowledge(
  db: Database,
  { id, chat, draft, messageId: first }: Taken,
  part: { index: number; last: boolean; messageId?: number },
  now: number,
): Promise<void> {
  const messageId = part.index === 0 ? part.messageId : first;
  const progress = {
    parts_sent: part.index + 1,
    message_id: messageId ?? null,
    ...(part.last ? { state: 'sent' as const, error: null, finished_at: now } : {}),
  };
  const write = (to: Database) => to.updateTable('outbox').set(progress).where('id', '=', id).execute();
  const { broadcast, slot } = draft;
  if (broadcast && part.last) {
    await db.transaction().execute(async (trx) => {
      await write(trx);
      await settle(trx, broadcast, 'sent', null, now);
    });
    changed(broadcast.job);
    return;
  }
  if (slot === undefined || draft.reply || part.index > 0 || messageId === undefined) {
    await write(db);
    return;
  }
  await db.transaction().execute(async (trx) => {
    await write(trx);
    await trx
      .insertInto('slots')
      .values({ chat, slot, message_id: messageId, at: now })
      .onConflict((c) => c.columns(['chat', 'slot']).doUpdateSet({ message_id: messageId, at: now }))
      .execute();
  });
}

/** Puts a message back, to be tried again at `dueAt`. */
export async function postpone(
  db: Database,
  id: number,
  { tries, dueAt, error }: { tries: number; dueAt: number; error: string },
): Promise<void> {
  await db
    .updateTable('outbox')
    .set({ state: 'queued', tries, due_at: dueAt, error })
    .where('id', '=', id)
    .execute();
}

/** Lets what waits for a chat go at once. */
export async function hurry(db: Database, chat: number): Promise<void> {
  await db
    .updateTable('outbox')
    .set({ due_at: 0 })
    .where('state', '=', 'queued')
    .where('chat', '=', chat)
    .execute();
}

/** A group became a supergroup: what waits goes there; messages of the old one can't be edited any more. */
export async function moveChat(db: Database, from: number, to: number): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await trx
      .updateTable('outbox')
      .set({ chat: to, due_at: 0 })
      .where('state', 'in', ['queued', 'sending'])
      .where('chat', '=', from)
      .execute();
    await trx.deleteFrom('slots').where('chat', '=', from).execute();
  });
}

/** What waits, in all. */
export async function waiting(db: Database): Promise<{ count: number; oldest: number | undefined }> {
  const { count, oldest } = await db
    .selectFrom('outbox')
    .select((e) => [e.fn.countAll<number>().as('count'), e.fn.min('created_at').as('oldest')])
    .where('state', 'in', ['queued', 'sending'])
    .executeTakeFirstOrThrow();
  return { count: Number(count), oldest: oldest === null ? undefined : Number(oldest) };
}

/**
 * What has been due longest and is not delivered, as a mark that changes with each attempt to deliver it.
 * @returns undefined when nothing is due
 */
export async function oldestDue(db: Database, now: number): Promise<string | undefined> {
  const row = await db
    .selectFrom('outbox')
    .select(['id', 'tries', 'parts_sent', 'due_at'])
    .where('state', 'in', ['queued', 'sending'])
    .where('due_at', '<=', now)
    .orderBy('id')
    .limit(1)
    .executeTakeFirst();
  return row && `${row.id}/${row.tries}/${row.parts_sent}/${row.due_at}`;
}

/** Whether nothing waits for a chat any more. */
export async function isDelivered(db: Database, chat: number): Promise<boolean> {
  const row = await db
    .selectFrom('outbox')
    .select('id')
    .where('state', 'in', ['queued', 'sending'])
    .where('chat', '=', chat)
    .limit(1)
    .executeTakeFirst();
  return row === undefined;
}

/** Chats that something waits for. */
export async function waitingChats(db: Database): Promise<number[]> {
  const rows = await db
    .selectFrom('outbox')
    .select('chat')
    .distinct()
    .where('state', 'in', ['queued', 'sending'])
    .execute();
  return rows.map((row) => row.chat);
}

/** Deletes what is past its time, at most `limit` rows of each sort. */
export async function pruneOutbox(db: Database, now: number, limit = 5000): Promise<void> {
  const old = (states: OutboxTable['state'][], before: number) =>
    db
      .selectFrom('outbox')
      .select('id')
      .where('state', 'in', states)
      .where('finished_at', '<', before)
      .limit(limit);
  await db
    .deleteFrom('outbox')
    .where('id', 'in', old(['sent', 'merged', 'dropped'], now - SENT_KEPT))
    .execute();
  await db
    .deleteFrom('outbox')
    .where('id', 'in', old(['failed'], now - FAILED_KEPT))
    .execute();
  await db
    .deleteFrom('slots')
    .where('at', '<', now - SLOTS_KEPT)
    .execute();
}

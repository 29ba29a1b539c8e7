import type { Selectable } from 'kysely';
import type { Draft } from '../kit/messages.js';
import { takeOver } from './broadcasts.js';
import type { Database } from './database.js';
import { absorb, drop, type StoredDraft, startDigest } from './outbox-digest.js';
import { merge } from './outbox-merge.js';
import { answered, spoken } from './requests.js';
import type { OutboxTable } from './schema.js';

type Row = Selectable<OutboxTable>;

/** How much may wait. Beyond it, notices and then replies are given up and counted, alerts folded together. */
export interface Limits {
  messages: number;
  /** Characters of all waiting drafts as JSON. */
  characters: number;
}

export interface Enqueued {
  /** Chats that have something new to send. */
  chats: number[];
  /** Handed in before, or a progress text after the answer. */
  skipped: number;
  /** Given up for space, all counted in a digest. */
  dropped: number;
}

/** Marks the row of a chat that stands for many messages. */
const DIGEST_SLOT = 'outbox:digest';

/**
 * Keeps messages with full sync, in one transaction with the fact that their requests are answered. Whoever
 * handed them in may forget them when this returns.
 */
export async function enqueue(
  db: Database,
  drafts: readonly Draft[],
  now: number,
  limits: Limits,
): Promise<Enqueued> {
  return db.transaction().execute(async (trx) => {
    const done = await alreadyAnswered(trx, drafts);
    const chats = new Set<number>();
    let skipped = 0;
    for (const draft of drafts) {
      const late = draft.request !== undefined && done.has(draft.request);
      if ((draft.interim && late) || (await isKnown(trx, draft))) skipped++;
      else if (draft.broadcast && !(await takeOver(trx, draft.broadcast, now))) skipped++;
      else {
        // A second answer must not overwrite the first.
        await keep(
          trx,
          late && !draft.overwrite ? { ...draft, slot: undefined, edit: undefined } : draft,
          now,
        );
        chats.add(draft.chat);
      }
    }
    for (const { request } of drafts.filter((draft) => draft.request && draft.interim))
      spoken(request as string);
    for (const { request, outcome } of drafts.filter((draft) => draft.request && !draft.interim))
      await answered(trx, request as string, now, outcome);
    return { chats: [...chats], skipped, dropped: await makeRoom(trx, limits, now) };
  });
}

async function alreadyAnswered(db: Database, drafts: readonly Draft[]): Promise<Set<string>> {
  const ids = drafts.flatMap((draft) => draft.request ?? []);
  if (ids.length === 0) return new Set();
  const rows = await db
    .selectFrom('requests')
    .select('id')
    .where('id', 'in', ids)
    .where('answered_at', 'is not', null)
    .execute();
  return new Set(rows.map((row) => row.id));
}

async function isKnown(db: Database, { chat, dedupe }: Draft): Promise<boolean> {
  if (dedupe === undefined) return false;
  const row = await db
    .selectFrom('outbox')
    .select('id')
    .where('chat', '=', chat)
    .where('dedupe', '=', dedupe)
    .executeTakeFirst();
  return row !== undefined;
}

async function keep(db: Database, draft: Draft, now: number): Promise<void> {
  const into = await mergeWithWaiting(db, draft);
  await db
    .insertInto('outbox')
    .values({
      chat: draft.chat,
      kind: draft.kind,
      draft: JSON.stringify(draft),
      slot: draft.slot ?? null,
      dedupe: draft.dedupe ?? null,
      broadcast: draft.broadcast?.job ?? null,
      state: into === undefined ? 'queued' : 'merged',
      created_at: now,
      due_at: 0,
      tries: 0,
      parts_sent: 0,
      message_id: null,
      error: into === undefined ? null : `went out with ${into}`,
      finished_at: into === undefined ? null : now,
    })
    .execute();
}

/** @returns id of the waiting row that now tells this too */
async function mergeWithWaiting(db: Database, draft: Draft): Promise<number | undefined> {
  if (draft.slot === undefined) return undefined;
  const row = await db
    .selectFrom('outbox')
    .selectAll()
    .where('chat', '=', draft.chat)
    .where('slot', '=', draft.slot)
    .where('state', '=', 'queued')
    .where('parts_sent', '=', 0)
    .orderBy('id', 'desc')
    .executeTakeFirst();
  if (!row) return undefined;
  const older: StoredDraft = JSON.parse(row.draft);
  const isNews = older.edit === undefined && !(await hasMessage(db, draft.chat, draft.slot, row.id));
  const both = merge(older, draft, isNews);
  if (!both) return undefined;
  await rewrite(db, row.id, both);
  return row.id;
}

/** Whether a slot has a message in the chat, or will have one by the time that a row is sent. */
async function hasMessage(db: Database, chat: number, slot: string, before: number): Promise<boolean> {
  if ((await slotMessage(db, chat, slot)) !== undefined) return true;
  const underWay = await db
    .selectFrom('outbox')
    .select('id')
    .where('chat', '=', chat)
    .where('slot', '=', slot)
    .where('state', 'in', ['queued', 'sending'])
    .where('id', '<', before)
    .executeTakeFirst();
  return underWay !== undefined;
}

/** The Telegram message that a slot has in a chat, once it was sent. */
export async function slotMessage(db: Database, chat: number, slot: string): Promise<number | undefined> {
  const row = await db
    .selectFrom('slots')
    .select('message_id')
    .where('chat', '=', chat)
    .where('slot', '=', slot)
    .executeTakeFirst();
  return row?.message_id;
}

async function makeRoom(db: Database, limits: Limits, now: number): Promise<number> {
  let dropped = 0;
  for (;;) {
    const { messages, characters } = await db
      .selectFrom('outbox')
      .select((e) => [
        e.fn.countAll<number>().as('messages'),
        e.fn.sum<number>(e.fn('length', ['draft'])).as('characters'),
      ])
      .where('state', 'in', ['queued', 'sending'])
      .executeTakeFirstOrThrow();
    if (Number(messages) <= limits.messages && Number(characters ?? 0) <= limits.characters) return dropped;
    const victim = (await oldest(db, 'notice')) ?? (await oldest(db, 'reply')) ?? (await oldest(db, 'alert'));
    if (!victim) return dropped;
    await intoDigest(db, victim, now);
    if (victim.kind !== 'alert') dropped++;
  }
}

function oldest(db: Database, kind: Draft['kind']): Promise<Row | undefined> {
  return db
    .selectFrom('outbox')
    .selectAll()
    .where('state', '=', 'queued')
    .where('kind', '=', kind)
    .where('broadcast', 'is', null)
    .where('parts_sent', '=', 0)
    .where((e) => e.or([e('slot', 'is', null), e('slot', '!=', DIGEST_SLOT)]))
    .orderBy('id')
    .executeTakeFirst();
}

/** The chat's digest, counting or telling one more; begun in the row's own place if there is none. */
async function intoDigest(db: Database, row: Row, now: number): Promise<void> {
  const draft: StoredDraft = JSON.parse(row.draft);
  const host = await waitingDigest(db, row.chat);
  const digest = host ? (JSON.parse(host.draft) as StoredDraft) : startDigest(draft);
  const before = digest.digest ?? startDigest(draft).digest;
  const after = row.kind === 'alert' ? absorb(before, draft) : drop(before);
  await rewrite(db, host?.id ?? row.id, { ...digest, digest: after }, DIGEST_SLOT);
  if (host)
    await finish(db, row.id, row.kind === 'alert' ? 'merged' : 'dropped', `in digest ${host.id}`, now);
}

function waitingDigest(db: Database, chat: number): Promise<Row | undefined> {
  return db
    .selectFrom('outbox')
    .selectAll()
    .where('chat', '=', chat)
    .where('slot', '=', DIGEST_SLOT)
    .where('state', '=', 'queued')
    .where('parts_sent', '=', 0)
    .executeTakeFirst();
}

/**
 * Makes one digest of what waits for a chat, when more than `count` messages do and the oldest of them has
 * waited for longer than `age` ms. Answers to persons, files and edits of messages that are there stay.
 * @returns how many messages became one; 0: nothing was done
 */
export async function fold(
  db: Database,
  chat: number,
  now: number,
  { count, age }: { count: number; age: number },
): Promise<number> {
  return db.transaction().execute(async (trx) => {
    const rows = await trx
      .selectFrom('outbox')
      .selectAll()
      .where('state', '=', 'queued')
      .where('chat', '=', chat)
      .where('kind', '!=', 'reply')
      .where('broadcast', 'is', null)
      .where('parts_sent', '=', 0)
      .orderBy('id')
      .execute();
    const slots = await trx.selectFrom('slots').select('slot').where('chat', '=', chat).execute();
    const there = new Set(slots.map((row) => row.slot));
    const foldable = rows
      .map((row) => ({ row, draft: JSON.parse(row.draft) as StoredDraft }))
      .filter(({ draft }) => isFoldable(draft, there));
    const first = foldable[0];
    if (!first || foldable.length <= count || now - first.row.created_at <= age) return 0;
    const begun = first.draft.digest
      ? (first.draft as ReturnType<typeof startDigest>)
      : startDigest(first.draft);
    const rest = first.draft.digest ? foldable.slice(1) : foldable;
    const digest = rest.reduce((sum, { draft }) => absorb(sum, draft), begun.digest);
    await rewrite(trx, first.row.id, { ...begun, digest }, DIGEST_SLOT);
    const others = foldable.slice(1).map(({ row }) => row.id);
    await trx
      .updateTable('outbox')
      .set({ state: 'merged', error: `in digest ${first.row.id}`, finished_at: now })
      .where('id', 'in', others)
      .execute();
    return foldable.length;
  });
}

function isFoldable(draft: StoredDraft, there: ReadonlySet<string>): boolean {
  if (draft.file || draft.keyboard || draft.edit !== undefined) return false;
  return draft.reply === true || draft.slot === undefined || !there.has(draft.slot);
}

async function rewrite(db: Database, id: number, draft: StoredDraft, slot?: string): Promise<void> {
  await db
    .updateTable('outbox')
    .set({ draft: JSON.stringify(draft), kind: draft.kind, slot: slot ?? draft.slot ?? null })
    .where('id', '=', id)
    .execute();
}

/** Ends a row for a reason other than that it was sent. */
export async function finish(
  db: Database,
  id: number,
  state: 'merged' | 'dropped' | 'failed',
  why: string,
  now: number,
): Promise<void> {
  await db.updateTable('outbox').set({ state, error: why, finished_at: now }).where('id', '=', id).execute();
}

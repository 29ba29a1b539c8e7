import assert from 'node:assert/strict';
import type { Draft } from '../../nodes/kit/messages.js';
import { type Database, openDatabase } from '../../nodes/state/database.js';
import { enqueue } from '../../nodes/state/outbox.js';
import { acknowledge, type Taken, take, waiting } from '../../nodes/state/outbox-delivery.js';

export const ROOMY = { messages: 1000, characters: 1e6 };
export const CHAT = 42;
export const NOW = Date.UTC(2026, 0, 1);

export const draft = (html: string, more: Partial<Draft> = {}): Draft => ({
  chat: CHAT,
  html,
  kind: 'notice',
  at: NOW,
  ...more,
});
export const alert = (html: string, more: Partial<Draft> = {}) => draft(html, { kind: 'alert', ...more });

/** For the tests of a describe: an empty outbox table, new for each, and what an outbox does with it. */
export function useTable() {
  let db: Database;
  beforeEach(async () => {
    db = await openDatabase(':memory:');
  });
  afterEach(() => db.destroy());

  const add = (drafts: Draft[], limits = ROOMY, now = NOW) => enqueue(db, drafts, now, limits);
  const rows = () => db.selectFrom('outbox').selectAll().orderBy('id').execute();
  const states = async () => (await rows()).map((row) => row.state);
  const takeNext = async (now = NOW, chat = CHAT): Promise<Taken> => {
    const next = await take(db, chat, now);
    assert.ok(next && 'taken' in next, 'nothing to take');
    return next.taken;
  };
  const send = async (messageId: number, now = NOW): Promise<string> => {
    const taken = await takeNext(now);
    await acknowledge(db, taken, { index: 0, last: true, messageId }, now);
    return taken.draft.html;
  };
  const sendAll = async () => {
    const sent: string[] = [];
    for (let id = 1; (await waiting(db)).count > 0; id++) sent.push(await send(id));
    return sent;
  };

  return {
    get db() {
      return db;
    },
    add,
    rows,
    states,
    takeNext,
    send,
    sendAll,
  };
}

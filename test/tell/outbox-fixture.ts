import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Draft } from '../../nodes/kit/messages.js';
import { type Database, openDatabase } from '../../nodes/state/database.js';
import type { Sandbox } from '../../ops/sandbox/server.js';
import type { Running } from '../support/node-red.ts';
import { botNode, deliveryNodes, draftFor, startTelegram, telegramFlow } from '../support/telegram.ts';

/**
 * For the tests of a describe: an outbox with the real sender node and a Bot API server, new for each. The
 * database outlives a stop of the flow.
 */
export function useOutbox() {
  let telegram: Sandbox;
  let db: Database;
  let flow: Running;

  beforeEach(async () => {
    telegram = await startTelegram();
    db = await openDatabase(':memory:');
  });
  afterEach(async () => {
    await flow.stop();
    await telegram.stop();
    await db.destroy();
  });

  const startWith = async (nodes: object[]) => {
    flow = await telegramFlow(['tell/outbox'], [botNode(telegram.url), ...nodes], db);
  };
  const start = (outbox: object = {}) => startWith(deliveryNodes(outbox));
  const draft = (html: string, more: Partial<Draft> = {}) => draftFor(telegram, html, more);
  const put = (...drafts: Draft[]) => flow.give('outbox', { payload: drafts });
  const texts = (chat?: number) => telegram.messages(chat).map((message) => message.text ?? message.caption);
  const arrives = (text: string, ms = 5000) => telegram.waitFor((message) => message.text === text, ms);
  const stateOf = async (html: string) => {
    const rows = await db.selectFrom('outbox').selectAll().execute();
    return rows.find((row) => JSON.parse(row.draft).html === html);
  };
  const waiting = () =>
    db.selectFrom('outbox').selectAll().where('state', 'in', ['queued', 'sending']).execute();
  /** Waits until something is so; fails with what is there instead. */
  const until = async (fits: () => Promise<boolean> | boolean, ms = 5000) => {
    for (const end = Date.now() + ms; !(await fits()); await sleep(10))
      if (Date.now() > end)
        assert.fail(`${JSON.stringify(texts())}, waiting: ${JSON.stringify(await waiting())}`);
  };
  const sends = (method = 'sendMessage') => telegram.requests.filter((request) => request.method === method);
  const shows = (text: RegExp) => until(() => text.test(flow.statuses('outbox').at(-1)?.text ?? ''));
  const group = (id: number) => {
    telegram.say('hello', { chat: { id, type: 'group', title: 'Home' } });
    return id;
  };

  return {
    get telegram() {
      return telegram;
    },
    get db() {
      return db;
    },
    get flow() {
      return flow;
    },
    start,
    startWith,
    draft,
    put,
    texts,
    arrives,
    stateOf,
    waiting,
    until,
    sends,
    shows,
    group,
  };
}

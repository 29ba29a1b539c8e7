import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig, setConfig } from '../../nodes/kit/config.js';
import { ask, claim, pruneConfirmations, type Question } from '../../nodes/state/confirmations.js';
import { type Database, openDatabase } from '../../nodes/state/database.js';
import {
  answered,
  asking,
  interrupt,
  onAnswered,
  pruneRequests,
  received,
  repeat,
  unanswered,
} from '../../nodes/state/requests.js';

const NOW = Date.UTC(2026, 0, 1);
const DAY = 86_400_000;
const request = (id: string, user = 1, chat = 1) => ({
  id,
  user,
  chat,
  command: 'svc',
  args: ['stop', 'x'],
  startedAt: NOW,
});
const entry = { at: NOW, user: 1, event: 'request', action: 'svc', result: 'accepted' };

describe('requests and their answers', () => {
  let home: string;
  let db: Database;
  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'potion-requests-'));
    setConfig(readConfig({}, home));
    db = await openDatabase(':memory:');
  });
  afterEach(async () => {
    await db.destroy();
    setConfig(undefined);
    rmSync(home, { recursive: true });
  });

  const fresh = (id: string, changes = true, at = NOW) => ({
    request: request(id),
    changes,
    message: { request: request(id) },
    at,
  });
  const results = async () =>
    (await db.selectFrom('audit').selectAll().where('event', '=', 'result').execute()).map(
      (row) => `${row.user_id} ${row.action} ${row.target} ${row.result}`,
    );
  const state = async (id: string) =>
    (await db.selectFrom('requests').select('state').where('id', '=', id).executeTakeFirst())?.state;

  it('are new once, however many at a time say otherwise', async () => {
    const news = await Promise.all(Array.from({ length: 20 }, () => received(db, fresh('a'), entry)));
    assert.equal(news.filter(Boolean).length, 1);
    assert.equal((await db.selectFrom('audit').select('id').execute()).length, 1);
  });

  it('of what changes something leave one result, also when answered twice at once', async () => {
    await received(db, fresh('a'), entry);
    await Promise.all([answered(db, 'a', NOW, 'FAILED'), answered(db, 'a', NOW), answered(db, 'a', NOW)]);
    assert.deepEqual(await results(), ['1 svc stop x FAILED']);
  });

  it('of what only reads leave none', async () => {
    await received(db, fresh('a', false), entry);
    await answered(db, 'a', NOW);
    assert.deepEqual(await results(), []);
    assert.equal(await state('a'), 'answered');
  });

  it('that lead to a question have no result yet', async () => {
    await received(db, fresh('a'), entry);
    await asking(db, 'a');
    await answered(db, 'a', NOW);
    assert.deepEqual(await results(), []);
  });

  it('are answered together with what the caller does, or not at all', async () => {
    await received(db, fresh('a'), entry);
    const undone = db.transaction().execute(async (trx) => {
      await answered(trx, 'a', NOW);
      throw new Error('disk full');
    });
    await assert.rejects(undone);
    assert.equal(await state('a'), 'received');
    assert.deepEqual(await results(), []);
  });

  it('tell whoever listens, until they no longer do', async () => {
    const heard: string[] = [];
    const stop = onAnswered((id) => heard.push(id));
    await answered(db, 'unknown', NOW);
    await received(db, fresh('a'), entry);
    await answered(db, 'a', NOW);
    stop();
    await answered(db, 'a', NOW);
    assert.deepEqual(heard, ['unknown', 'a']);
  });

  it('are repeated once at most', async () => {
    await received(db, fresh('a', false), entry);
    const claims = await Promise.all([repeat(db, 'a'), repeat(db, 'a'), repeat(db, 'a')]);
    assert.deepEqual(claims.filter(Boolean), [true]);
    await interrupt(db, ['a'], NOW);
    assert.equal(await repeat(db, 'a'), false);
  });

  it('that were interrupted stay so, and are done with once that has been told', async () => {
    await received(db, fresh('a'), entry);
    await interrupt(db, ['a'], NOW);
    await interrupt(db, ['a'], NOW);
    assert.deepEqual(await results(), ['1 svc stop x interrupted']);
    assert.equal((await unanswered(db)).length, 1);
    await answered(db, 'a', NOW);
    assert.equal(await state('a'), 'interrupted');
    assert.deepEqual(await unanswered(db), []);
    assert.equal((await results()).length, 1);
  });

  it('are forgotten after 30 days, some at a time', async () => {
    for (const [i, age] of [1, 29, 31, 32, 33].entries())
      await received(db, fresh(`r${i}`, false, NOW - age * DAY), entry);
    assert.deepEqual(
      [await pruneRequests(db, NOW, 2), await pruneRequests(db, NOW, 2), await pruneRequests(db, NOW, 2)],
      [2, 1, 0],
    );
    assert.equal((await unanswered(db)).length, 2);
  });

  describe('a question', () => {
    const QUESTION: Question = {
      id: 'q',
      node: 'n',
      user: 1,
      chat: -5,
      target: 'stop x',
      message: { request: request('a', 1, -5) },
      expiresAt: NOW + 60_000,
    };
    const answer = (id: string, user = 1, chat = -5, at = NOW) => ({
      request: request(id, user, chat),
      changes: true,
      message: {},
      at,
    });
    beforeEach(() => ask(db, QUESTION, 'a', entry));

    it('is taken once of twenty at a time', async () => {
      const claims = await Promise.all(
        Array.from({ length: 20 }, (_, i) => claim(db, 'q', true, answer(`cb:${i}`), entry)),
      );
      assert.deepEqual(
        claims.filter((one) => one !== 'used'),
        ['taken'],
      );
      assert.equal((await unanswered(db)).length, 1);
    });

    it('belongs to one person and one chat', async () => {
      assert.equal(await claim(db, 'q', true, answer('1', 2), entry), 'not-yours');
      assert.equal(await claim(db, 'q', true, answer('2', 1, 1), entry), 'not-yours');
      assert.equal(await claim(db, 'other', true, answer('3'), entry), 'missing');
      assert.equal(await claim(db, 'q', true, answer('4'), entry), 'taken');
    });

    it('is no longer open at its last moment', async () => {
      assert.equal(await claim(db, 'q', true, answer('1', 1, -5, NOW + 60_000), entry), 'expired');
    });

    it('stays open when the very update has been taken before', async () => {
      await received(db, { ...answer('1'), message: {} }, entry);
      assert.equal(await claim(db, 'q', true, answer('1'), entry), 'known');
      assert.equal(await claim(db, 'q', true, answer('2'), entry), 'taken');
    });

    it('is forgotten 30 days later', async () => {
      assert.equal(await pruneConfirmations(db, NOW + 30 * DAY), 0);
      assert.equal(await pruneConfirmations(db, NOW + 31 * DAY), 1);
    });
  });
});

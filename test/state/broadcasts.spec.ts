import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Draft } from '../../nodes/kit/messages.js';
import {
  begin,
  broadcastsSince,
  giveUpWaiting,
  onBroadcast,
  pendingTargets,
  pruneBroadcasts,
  tallyOf,
} from '../../nodes/state/broadcasts.js';
import { type Database, openDatabase } from '../../nodes/state/database.js';
import { enqueue } from '../../nodes/state/outbox.js';
import {
  acknowledge,
  giveUp,
  postpone,
  pruneOutbox,
  putBack,
  type Taken,
  take,
} from '../../nodes/state/outbox-delivery.js';

const NOW = Date.UTC(2026, 0, 1);
const DAY = 86_400_000;
const TARGETS = [11, 22, 33];
const LIMITS = { messages: 100, characters: 1e6 };
const request = { id: 'cb:1', user: 11, chat: 11, command: 'broadcast', args: [], startedAt: NOW };
const JOB = { id: request.id, request, text: 'halo', at: NOW };

const part = (target: number): Draft => ({
  chat: target,
  html: 'halo',
  kind: 'notice',
  at: NOW,
  dedupe: `broadcast:${JOB.id}:${target}`,
  broadcast: { job: JOB.id, target },
});

describe('broadcasts', () => {
  let db: Database;
  beforeEach(async () => {
    db = await openDatabase(':memory:');
  });
  afterEach(() => db.destroy());

  const offer = async () => {
    const pending = await pendingTargets(db, JOB.id);
    return enqueue(db, pending.map(part), NOW, LIMITS);
  };
  const taken = async (chat: number) => {
    const next = await take(db, chat, NOW);
    assert.ok(next && 'taken' in next);
    return next.taken;
  };

  it('are begun once, however often their request comes', async () => {
    assert.equal(await begin(db, JOB, [...TARGETS, 11]), true);
    assert.equal(await begin(db, JOB, [44]), false);
    assert.deepEqual(await tallyOf(db, JOB.id), { total: 3, sent: 0, waiting: 3, failed: [] });
  });

  it('are not offered to the outbox twice, not even by one who did not look', async () => {
    await begin(db, JOB, TARGETS);
    assert.deepEqual((await offer()).chats, TARGETS);
    assert.deepEqual(await pendingTargets(db, JOB.id), []);
    const again = TARGETS.map((target) => ({ ...part(target), dedupe: undefined }));
    assert.deepEqual(await enqueue(db, again, NOW, LIMITS), { chats: [], skipped: 3, dropped: 0 });
  });

  it('have their end with their last target, and are told of each', async () => {
    await begin(db, JOB, [11, 22]);
    await offer();
    const heard: string[] = [];
    const off = onBroadcast((job) => heard.push(job));
    await acknowledge(db, await taken(11), { index: 0, last: true, messageId: 1 }, NOW);
    assert.deepEqual(await broadcastsSince(db, NOW), [JOB.id]);
    await giveUp(db, await taken(22), 'closed', 'Forbidden: blocked', NOW);
    off();
    assert.deepEqual(heard, [JOB.id, JOB.id]);
    assert.deepEqual(await broadcastsSince(db, NOW), []);
    assert.deepEqual(await broadcastsSince(db, NOW - 1), [JOB.id]);
    assert.deepEqual((await tallyOf(db, JOB.id)).failed, [
      { target: 22, why: 'closed', words: 'Forbidden: blocked' },
    ]);
  });

  it('never become part of a digest, nor are given up for space', async () => {
    await begin(db, JOB, [11]);
    await offer();
    const notices = Array.from({ length: 20 }, (_, i) => ({ ...part(11), html: `n${i}`, dedupe: undefined }));
    const plain = notices.map(({ broadcast, ...draft }) => draft);
    await enqueue(db, plain, NOW, { messages: 3, characters: 1e6 });
    const first = await taken(11);
    assert.equal(first.draft.broadcast?.target, 11);
    assert.equal(first.draft.html, 'halo');
  });

  it('are forgotten a month after their end, not before', async () => {
    await begin(db, JOB, [11]);
    await pruneBroadcasts(db, NOW + 400 * DAY);
    assert.equal((await tallyOf(db, JOB.id)).total, 1);
    await giveUpWaiting(db, JOB.id, 'stopped', NOW);
    await pruneBroadcasts(db, NOW + 29 * DAY);
    assert.equal((await tallyOf(db, JOB.id)).total, 1);
    await pruneBroadcasts(db, NOW + 31 * DAY);
    assert.equal((await tallyOf(db, JOB.id)).total, 0);
  });

  type Step =
    | { do: 'offer' | 'crash' | 'stop' | 'prune' }
    | { do: 'take' | 'ack' | 'refuse' | 'later'; who: number };
  const steps = fc.array(
    fc.oneof(
      fc.constantFrom<Step>({ do: 'offer' }, { do: 'crash' }, { do: 'prune' }),
      { weight: 1, arbitrary: fc.constant<Step>({ do: 'stop' }) },
      {
        weight: 8,
        arbitrary: fc.record({
          do: fc.constantFrom('take', 'ack', 'refuse', 'later'),
          who: fc.constantFrom(...TARGETS),
        }) as fc.Arbitrary<Step>,
      },
    ),
    { maxLength: 30 },
  );

  it('hand no target over twice, and go only forward, whatever happens in whatever order', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (some) => {
        const own = await openDatabase(':memory:');
        const flights = new Map<number, Taken>();
        /** Handed to Telegram with nothing known of it, per target. */
        const handed = new Map<number, number>();
        const ends = new Map<number, string>();
        try {
          await begin(own, JOB, TARGETS);
          for (const step of [...some, { do: 'crash' } as Step]) {
            await follow(own, step, flights, handed);
            for (const { target, state } of await own.selectFrom('broadcast_targets').selectAll().execute()) {
              const end = ends.get(target);
              if (end) assert.equal(state, end, 'an end is final');
              if (state === 'sent' || state === 'failed') ends.set(target, state);
              if (state === 'pending') assert.equal(handed.get(target) ?? 0, 0);
            }
          }
          for (const times of handed.values()) assert.ok(times <= 1, `handed over ${times} times`);
          const { total, sent, waiting, failed } = await tallyOf(own, JOB.id);
          assert.equal(total, sent + waiting + failed.length);
        } finally {
          await own.destroy();
        }
      }),
      { numRuns: 300 },
    );
  }).timeout(60_000);

  async function follow(
    own: Database,
    step: Step,
    flights: Map<number, Taken>,
    handed: Map<number, number>,
  ): Promise<void> {
    if (step.do === 'offer') await enqueue(own, TARGETS.map(part), NOW, LIMITS);
    else if (step.do === 'crash') {
      flights.clear();
      await putBack(own, NOW);
    } else if (step.do === 'stop') await giveUpWaiting(own, JOB.id, 'stopped', NOW);
    else if (step.do === 'prune') await pruneOutbox(own, NOW + 365 * DAY);
    else if ('who' in step && step.do === 'take') {
      if (flights.has(step.who)) return;
      const next = await take(own, step.who, NOW);
      if (!next || !('taken' in next)) return;
      flights.set(step.who, next.taken);
      handed.set(step.who, (handed.get(step.who) ?? 0) + 1);
    } else if ('who' in step) {
      const flight = flights.get(step.who);
      if (!flight) return;
      flights.delete(step.who);
      if (step.do === 'ack') await acknowledge(own, flight, { index: 0, last: true, messageId: 1 }, NOW);
      else if (step.do === 'refuse') await giveUp(own, flight, 'refused', 'no', NOW);
      else {
        // Telegram has surely not taken it.
        handed.set(step.who, 0);
        await postpone(own, flight.id, { tries: 1, dueAt: 0, error: 'flood: wait' });
      }
    }
  }
});

import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Draft } from '../../nodes/kit/messages.js';
import { type Database, openDatabase } from '../../nodes/state/database.js';
import { enqueue, fold } from '../../nodes/state/outbox.js';
import {
  acknowledge,
  moveChat,
  postpone,
  pruneOutbox,
  putBack,
  SENT_KEPT,
  type Taken,
  take,
  waiting,
} from '../../nodes/state/outbox-delivery.js';
import { absorb, drop, type StoredDraft, startDigest } from '../../nodes/state/outbox-digest.js';
import { insert } from '../../nodes/state/requests.js';

const ROOMY = { messages: 1000, characters: 1e6 };
const CHAT = 42;
const NOW = Date.UTC(2026, 0, 1);

const draft = (html: string, more: Partial<Draft> = {}): Draft => ({
  chat: CHAT,
  html,
  kind: 'notice',
  at: NOW,
  ...more,
});
const alert = (html: string, more: Partial<Draft> = {}) => draft(html, { kind: 'alert', ...more });

describe('the outbox table', () => {
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

  it('gives messages back in the order of each chat', async () => {
    await add([draft('one'), draft('two', { chat: 7 }), draft('three')]);
    assert.deepEqual([await send(1), await send(2)], ['one', 'three']);
    assert.equal((await takeNext(NOW, 7)).draft.html, 'two');
  });

  it('says when the next one is due, and passes over nothing that is not', async () => {
    await add([draft('one'), draft('two')]);
    const { id } = await takeNext();
    await postpone(db, id, { tries: 1, dueAt: NOW + 500, error: 'network' });
    assert.deepEqual(await take(db, CHAT, NOW), { due: NOW + 500 });
    assert.equal((await takeNext(NOW + 500)).tries, 1);
  });

  it('resumes after a crash at the part that Telegram does not have yet', async () => {
    await add([draft('long')]);
    await acknowledge(db, await takeNext(), { index: 0, last: false, messageId: 5 }, NOW);
    await putBack(db);
    const again = await takeNext();
    assert.deepEqual([again.partsSent, again.messageId], [1, 5]);
  });

  describe('takes one message only once', () => {
    it('when it is handed in again with the same key, before and after it was sent', async () => {
      await add([alert('disk', { dedupe: 'disk:1' })]);
      const again = await add([
        alert('disk', { dedupe: 'disk:1' }),
        alert('disk', { dedupe: 'disk:1', chat: 7 }),
      ]);
      assert.deepEqual([again.skipped, again.chats], [1, [7]]);
      await send(1);
      assert.equal((await add([alert('disk', { dedupe: 'disk:1' })])).skipped, 1);
    });

    it('when it went out within another', async () => {
      await add([
        alert('on', { slot: 'i', dedupe: '1' }),
        alert('off', { slot: 'i', dedupe: '2', reply: true }),
      ]);
      assert.equal((await add([alert('off', { slot: 'i', dedupe: '2', reply: true })])).skipped, 1);
    });
  });

  describe('a slot is one message in the chat', () => {
    it('its newest state replaces one that still waits, in the place of the old', async () => {
      await add([draft('1 of 3', { slot: 'job' }), draft('other'), draft('3 of 3', { slot: 'job' })]);
      assert.deepEqual(await sendAll(), ['3 of 3', 'other']);
      assert.deepEqual(await states(), ['sent', 'sent', 'merged']);
    });

    it('later ones know the message they edit', async () => {
      await add([draft('on', { slot: 'job' })]);
      await send(77);
      await add([draft('off', { slot: 'job' })]);
      assert.equal((await takeNext()).slotMessage, 77);
    });

    it('what is on its way is left alone', async () => {
      await add([draft('1 of 3', { slot: 'job' })]);
      const under = await takeNext();
      await add([draft('2 of 3', { slot: 'job' }), draft('3 of 3', { slot: 'job' })]);
      await acknowledge(db, under, { index: 0, last: true, messageId: 9 }, NOW);
      assert.equal(under.draft.html, '1 of 3');
      assert.deepEqual(await sendAll(), ['3 of 3']);
    });

    it('over before it was told: one message says both, with both times', async () => {
      await add([alert('🔴 hot', { slot: 'i' })]);
      await add([alert('✅ cool', { slot: 'i', reply: true, at: NOW + 60_000 })]);
      const { draft: both } = await takeNext();
      assert.equal(both.html, '🔴 hot\n\n✅ cool');
      assert.deepEqual([both.at, both.until, both.reply], [NOW, NOW + 60_000, false]);
    });

    it('reminders of what was not told yet do not pile up: the newest, with when it began', async () => {
      await add([alert('🔴 hot', { slot: 'i', over: false })]);
      for (const minute of [15, 30])
        await add([
          alert(`🔴 hot for ${minute} min`, {
            slot: 'i',
            reply: true,
            over: false,
            at: NOW + minute * 60_000,
          }),
        ]);
      const { draft: both } = await takeNext();
      assert.equal(both.html, '🔴 hot for 30 min');
      assert.deepEqual([both.at, both.until], [NOW, NOW + 30 * 60_000]);
      assert.equal((await waiting(db)).count, 1);
    });

    it('a mere newer state never takes back that it is over', async () => {
      await add([alert('🔴 hot', { slot: 'i' }), alert('✅ cool', { slot: 'i', reply: true, over: true })]);
      await add([alert('trying', { slot: 'i' })]);
      assert.deepEqual(await sendAll(), ['🔴 hot\n\n✅ cool', 'trying']);
    });

    it('told already: the answer goes out by itself', async () => {
      await add([alert('🔴 hot', { slot: 'i' })]);
      await send(5);
      await add([alert('trying', { slot: 'i' }), alert('✅ cool', { slot: 'i', reply: true })]);
      assert.deepEqual(await sendAll(), ['trying', '✅ cool']);
    });

    it('an answer does not disappear in a change of a message that is just being sent', async () => {
      await add([alert('trying', { slot: 'i', silent: true })]);
      const trying = await takeNext();
      await add([alert('gave up', { slot: 'i', silent: true })]);
      await add([alert('gave up, and why', { slot: 'i', reply: true })]);
      await acknowledge(db, trying, { index: 0, last: true, messageId: 7 }, NOW);
      assert.deepEqual(await states(), ['sent', 'queued', 'queued']);
      const last: Draft = JSON.parse((await rows())[2]?.draft ?? '{}');
      assert.deepEqual([last.reply, last.silent ?? false], [true, false]);
    });

    it('two alerts of different incidents never merge', async () => {
      await add([alert('a', { slot: 'i:1' }), alert('b', { slot: 'i:2' })]);
      assert.deepEqual(await sendAll(), ['a', 'b']);
    });

    it('never loses that something happened, however the states come', async () => {
      const step = fc.record({
        slot: fc.constantFrom('a', 'b'),
        reply: fc.boolean(),
        sendFirst: fc.boolean(),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
          const own = await openDatabase(':memory:');
          try {
            const told: string[] = [];
            const deliver = async () => {
              const next = await take(own, CHAT, NOW);
              if (!next || !('taken' in next)) return false;
              told.push(next.taken.draft.html);
              await acknowledge(own, next.taken, { index: 0, last: true, messageId: told.length }, NOW);
              return true;
            };
            const answers: string[] = [];
            let last: Record<string, string> = {};
            for (const [n, { slot, reply, sendFirst }] of steps.entries()) {
              if (sendFirst) await deliver();
              const html = `<${slot}${n}>`;
              if (reply) answers.push(html);
              else last = { ...last, [slot]: html };
              await enqueue(own, [alert(html, { slot, reply })], NOW, ROOMY);
            }
            while (await deliver());
            const all = told.join(' ');
            for (const html of [...answers, ...Object.values(last)])
              assert.ok(all.includes(html), `${html} is missing in ${all}`);
          } finally {
            await own.destroy();
          }
        }),
        { numRuns: 60 },
      );
    });
  });

  describe('a request', () => {
    const request = { id: '1:2:3', user: 1, chat: CHAT, command: 'status', args: [], startedAt: NOW };
    const ask = () => insert(db, { request, changes: false, message: {}, at: NOW });
    const stateOf = async () =>
      (await db.selectFrom('requests').select('state').executeTakeFirstOrThrow()).state;
    const answer = (html: string, more: Partial<Draft> = {}) =>
      draft(html, { kind: 'reply', slot: 'request:1:2:3', request: '1:2:3', ...more });

    it('counts as answered in the same instant as its answer is kept', async () => {
      await ask();
      await add([answer('…', { interim: true })]);
      assert.equal(await stateOf(), 'received');
      await add([answer('done')]);
      assert.equal(await stateOf(), 'answered');
    });

    it('is answered in place of the processing text that still waits', async () => {
      await ask();
      await add([answer('…', { interim: true })]);
      await add([answer('done')]);
      assert.deepEqual(await sendAll(), ['done']);
    });

    it('a processing text that comes after the answer is dropped', async () => {
      await ask();
      await add([answer('done')]);
      assert.equal((await add([answer('…', { interim: true })])).skipped, 1);
      assert.deepEqual(await sendAll(), ['done']);
    });

    it('a second answer does not overwrite the first', async () => {
      await ask();
      await add([answer('first')]);
      await add([answer('second')]);
      assert.deepEqual(await sendAll(), ['first', 'second']);
    });

    it('unless it is meant to change what was said', async () => {
      await ask();
      await add([answer('sure?')]);
      await send(31);
      await add([answer('too late', { overwrite: true })]);
      assert.equal((await takeNext()).slotMessage, 31);
    });
  });

  describe('after an outage', () => {
    const many = (n: number) => Array.from({ length: n }, (_, i) => alert(`alert ${i}`, { slot: `i:${i}` }));
    const rule = { count: 10, age: 300_000 };
    const digestOf = async () => ((await takeNext(NOW + 1e6)).draft as StoredDraft).digest;

    it('many messages become one that tells of each', async () => {
      await add(many(12));
      assert.equal(await fold(db, CHAT, NOW + 300_001, rule), 12);
      const digest = await digestOf();
      assert.deepEqual(
        digest?.entries.map((entry) => entry.line),
        many(12).map((one) => one.html),
      );
      assert.equal((await waiting(db)).count, 1);
    });

    it('a few, or fresh ones, stay as they are', async () => {
      await add(many(10));
      assert.equal(await fold(db, CHAT, NOW + 1e6, rule), 0);
      await add(many(1));
      assert.equal(await fold(db, CHAT, NOW + 1000, rule), 0);
    });

    it('answers to persons and files stay, in their order behind the digest', async () => {
      await add([
        ...many(12),
        draft('answer', { kind: 'reply' }),
        alert('file', { file: { name: 'x', path: '/x' } }),
      ]);
      await fold(db, CHAT, NOW + 1e6, rule);
      assert.deepEqual(await sendAll(), ['', 'answer', 'file']);
    });

    it('an edit of a message that is there stays an edit', async () => {
      await add([alert('known', { slot: 'k' })]);
      await send(1);
      await add([...many(12), alert('newer', { slot: 'k' })]);
      await fold(db, CHAT, NOW + 1e6, rule);
      assert.deepEqual(await sendAll(), ['', 'newer']);
    });
  });

  describe('when there is no more room', () => {
    const small = { messages: 3, characters: 1e6 };

    it('the oldest notices go first, then answers, and a digest in their place counts them', async () => {
      await add([draft('n1'), draft('r1', { kind: 'reply' }), alert('a1'), draft('n2')], ROOMY);
      const { dropped } = await add([alert('a2')], small);
      assert.equal(dropped, 3);
      const digest = await takeNext();
      assert.equal(digest.draft.digest?.dropped, 3);
      await acknowledge(db, digest, { index: 0, last: true, messageId: 1 }, NOW);
      assert.deepEqual(await sendAll(), ['a1', 'a2']);
    });

    it('alerts are folded together, never dropped', async () => {
      await add(
        Array.from({ length: 50 }, (_, i) => alert(`alert ${i}`)),
        small,
      );
      const lines: string[] = [];
      for (let id = 1; (await waiting(db)).count > 0; id++) {
        const taken = await takeNext();
        lines.push(...(taken.draft.digest?.entries.map((entry) => entry.line) ?? [taken.draft.html]));
        await acknowledge(db, taken, { index: 0, last: true, messageId: id }, NOW);
      }
      assert.deepEqual(lines.sort(), Array.from({ length: 50 }, (_, i) => `alert ${i}`).sort());
      assert.ok(!(await states()).includes('dropped'));
    });

    it('bytes count as well as messages', async () => {
      await add([draft('x'.repeat(5000)), draft('y'.repeat(5000)), alert('a')], {
        messages: 99,
        characters: 7000,
      });
      const digest = (await takeNext()).draft.digest;
      assert.equal(digest?.dropped, 1);
    });
  });

  it('a group that became another takes its messages along', async () => {
    await add([draft('one', { slot: 's' })]);
    await send(5);
    await add([draft('two', { slot: 's' })]);
    await moveChat(db, CHAT, -100);
    const { taken } = (await take(db, -100, NOW)) as { taken: Taken };
    assert.deepEqual([taken.draft.html, taken.slotMessage], ['two', undefined]);
  });

  it('forgets after a week what was sent, never what waits', async () => {
    await add([draft('one')]);
    await send(1);
    await add([draft('two')]);
    await pruneOutbox(db, NOW + SENT_KEPT + 1);
    assert.deepEqual(await states(), ['queued']);
  });
});

describe('a digest', () => {
  const empty = startDigest(draft('')).digest;

  it('joins what began with what ended', () => {
    const on = alert('🔴 disk full', { slot: 'i', at: 1000 });
    const off = alert('✅ disk free', { slot: 'i', at: 2000, reply: true, over: true });
    assert.deepEqual([on, off].reduce(absorb, empty).entries, [
      { at: 1000, kind: 'alert', line: '🔴 disk full', slot: 'i', over: 2000 },
    ]);
  });

  it('does not call over what goes on', () => {
    const on = alert('🔴 disk full', { slot: 'i', at: 1000, over: false });
    const still = alert('🔴 disk still full', { slot: 'i', at: 2000, reply: true, over: false });
    assert.deepEqual([on, still].reduce(absorb, empty).entries, [
      { at: 1000, kind: 'alert', line: '🔴 disk full', slot: 'i', over: undefined },
    ]);
  });

  it('tells every alert, or counts it: none is lost, and its size has an end', () => {
    const message = fc.record({
      html: fc.string({ minLength: 1, maxLength: 300 }),
      kind: fc.constantFrom('alert' as const, 'notice' as const),
      slot: fc.option(fc.constantFrom('a', 'b', 'c'), { nil: undefined }),
    });
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 600, size: 'max' }),
        fc.nat({ max: 9 }),
        (messages, drops) => {
          let digest = messages.reduce((sum, one) => absorb(sum, draft(one.html, one)), empty);
          for (let i = 0; i < drops; i++) digest = drop(digest);
          const joined = messages.length - digest.entries.length - digest.moreAlerts - digest.moreNotices;
          const inSlots = messages.filter(({ slot }) => slot !== undefined).length;
          assert.ok(joined >= 0 && joined <= inSlots, `${joined} joined of ${inSlots}`);
          assert.equal(digest.dropped, drops);
          assert.ok(JSON.stringify(digest).length < 100_000);
          const alone = messages.filter((one) => one.slot === undefined && one.kind === 'alert').length;
          const told = digest.entries.filter((one) => one.slot === undefined && one.kind === 'alert').length;
          assert.ok(told + digest.moreAlerts >= alone);
        },
      ),
      { numRuns: 30 },
    );
  });
});

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { fold } from '../../nodes/state/outbox.js';
import { acknowledge, waiting } from '../../nodes/state/outbox-delivery.js';
import { absorb, drop, type StoredDraft, startDigest } from '../../nodes/state/outbox-digest.js';
import { alert, CHAT, draft, NOW, ROOMY, useTable } from './outbox-fixture.ts';

describe('the outbox table', () => {
  const table = useTable();
  const { add, states, takeNext, send, sendAll } = table;

  describe('after an outage', () => {
    const many = (n: number) => Array.from({ length: n }, (_, i) => alert(`alert ${i}`, { slot: `i:${i}` }));
    const rule = { count: 10, age: 300_000 };
    const digestOf = async () => ((await takeNext(NOW + 1e6)).draft as StoredDraft).digest;

    it('many messages become one that tells of each', async () => {
      await add(many(12));
      assert.equal(await fold(table.db, CHAT, NOW + 300_001, rule), 12);
      const digest = await digestOf();
      assert.deepEqual(
        digest?.entries.map((entry) => entry.line),
        many(12).map((one) => one.html),
      );
      assert.equal((await waiting(table.db)).count, 1);
    });

    it('a few, or fresh ones, stay as they are', async () => {
      await add(many(10));
      assert.equal(await fold(table.db, CHAT, NOW + 1e6, rule), 0);
      await add(many(1));
      assert.equal(await fold(table.db, CHAT, NOW + 1000, rule), 0);
    });

    it('answers to persons and files stay, in their order behind the digest', async () => {
      await add([
        ...many(12),
        draft('answer', { kind: 'reply' }),
        alert('file', { file: { name: 'x', path: '/x' } }),
      ]);
      await fold(table.db, CHAT, NOW + 1e6, rule);
      assert.deepEqual(await sendAll(), ['', 'answer', 'file']);
    });

    it('an edit of a message that is there stays an edit', async () => {
      await add([alert('known', { slot: 'k' })]);
      await send(1);
      await add([...many(12), alert('newer', { slot: 'k' })]);
      await fold(table.db, CHAT, NOW + 1e6, rule);
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
      await acknowledge(table.db, digest, { index: 0, last: true, messageId: 1 }, NOW);
      assert.deepEqual(await sendAll(), ['a1', 'a2']);
    });

    it('alerts are folded together, never dropped', async () => {
      await add(
        Array.from({ length: 50 }, (_, i) => alert(`alert ${i}`)),
        small,
      );
      const lines: string[] = [];
      for (let id = 1; (await waiting(table.db)).count > 0; id++) {
        const taken = await takeNext();
        lines.push(...(taken.draft.digest?.entries.map((entry) => entry.line) ?? [taken.draft.html]));
        await acknowledge(table.db, taken, { index: 0, last: true, messageId: id }, NOW);
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

import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Draft } from '../../nodes/kit/messages.js';
import { openDatabase } from '../../nodes/state/database.js';
import { enqueue } from '../../nodes/state/outbox.js';
import { acknowledge, take, waiting } from '../../nodes/state/outbox-delivery.js';
import { alert, CHAT, draft, NOW, ROOMY, useTable } from './outbox-fixture.ts';

describe('the outbox table', () => {
  const table = useTable();
  const { add, rows, states, takeNext, send, sendAll } = table;

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
      await acknowledge(table.db, under, { index: 0, last: true, messageId: 9 }, NOW);
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
      assert.equal((await waiting(table.db)).count, 1);
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
      await acknowledge(table.db, trying, { index: 0, last: true, messageId: 7 }, NOW);
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
});

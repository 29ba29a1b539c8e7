import assert from 'node:assert/strict';
import type { Draft } from '../../nodes/kit/messages.js';
import { enqueue } from '../../nodes/state/outbox.js';
import { useOutbox } from './outbox-fixture.ts';

describe('outbox, with the real sender node and a Bot API server: its order', () => {
  const bench = useOutbox();
  const { start, draft, put, texts, arrives, stateOf, waiting, until, shows } = bench;

  it('delivers what it gets, in order, and is empty then', async () => {
    await start();
    put(draft('<b>one</b>'), draft('two'));
    put(draft('three'));
    await arrives('three');
    assert.deepEqual(texts(), ['one', 'two', 'three']);
    await until(async () => (await waiting()).length === 0);
    await shows(/^semua terkirim$/);
  });

  it('sends what an earlier process has left, before what is new', async () => {
    await enqueue(bench.db, [draft('one'), draft('two')], Date.now(), { messages: 99, characters: 1e6 });
    await bench.db.updateTable('outbox').set({ state: 'sending' }).where('id', '=', 1).execute();
    await start();
    put(draft('three'));
    await arrives('three');
    assert.deepEqual(texts(), ['one', 'two', 'three']);
  });

  it('loses nothing and keeps the order when its flow is stopped in the midst, again and again', async () => {
    const all = Array.from({ length: 30 }, (_, i) => `m${i}`);
    await start();
    put(...all.map((text) => draft(text)));
    for (let stop = 0; stop < 5; stop++) {
      await until(() => texts().length > 0 && texts().length >= stop * 4);
      await bench.flow.stop();
      await start();
    }
    await arrives('m29');
    await until(async () => (await waiting()).length === 0);
    const seen = texts();
    assert.deepEqual([...new Set(seen)], all);
    assert.ok(seen.length <= all.length + 5, `${seen.length - all.length} duplicates of 5 stops`);
  });

  describe('after a long outage', () => {
    const ago = (minutes: number) => Date.now() - minutes * 60_000;
    const left = (drafts: Draft[], at: number) =>
      enqueue(bench.db, drafts, at, { messages: 999, characters: 1e7 });

    it('a late message says when it happened', async () => {
      await left([draft('one', { at: ago(10) })], ago(10));
      await start();
      const { text } = await bench.telegram.waitFor((message) => /one$/.test(message.text ?? ''));
      assert.match(text ?? '', /^🕓 Telat: ini kejadian .*\d{2}\.\d{2}\.\none$/);
    });

    it('many become one message that tells of each, with when it began and ended', async () => {
      const alerts = Array.from({ length: 20 }, (_, i) =>
        draft(`🔴 alert ${i}`, { kind: 'alert', slot: `i:${i}`, at: ago(60 - i) }),
      );
      await left([...alerts, draft('a notice', { at: ago(30) })], ago(60));
      await left(
        [draft('✅ over', { kind: 'alert', slot: 'i:3', reply: true, over: true, at: ago(20) })],
        ago(20),
      );
      await start();
      const { text = '' } = await bench.telegram.waitFor((message) => /📬/.test(message.text ?? ''));
      await until(async () => (await waiting()).length === 0);
      assert.equal(
        texts().length,
        2,
        'the first by itself, which shows that Telegram is back, then the digest',
      );
      assert.match(texts()[0] ?? '', /🔴 alert 0/);
      for (let i = 1; i < 20; i++) assert.match(text, new RegExp(`🔴 alert ${i}\\b`));
      assert.match(text, /19 peringatan, 1 pesan lain/);
      assert.match(text, /a notice/);
      assert.match(text, /\d{2}\.\d{2} – \d{2}\.\d{2} ✅ 🔴 alert 3\n/);
    });

    it('the queue has an end: notices are given up for space and counted, alerts are told', async () => {
      await bench.telegram.faults.down();
      await start({ maxMessages: 5 });
      for (let i = 0; i < 20; i++) put(draft(`notice ${i}`));
      put(draft('🔴 alert', { kind: 'alert' }));
      await until(async () => (await stateOf('🔴 alert')) !== undefined);
      await bench.telegram.faults.up();
      await until(async () => (await waiting()).length === 0, 8000);
      const all = texts().join('\n');
      assert.match(all, /🔴 alert/);
      const told = texts().filter((text) => /^notice/.test(text ?? '')).length;
      const dropped = Number(/(\d+) pesan biasa tidak kebagian tempat/.exec(all)?.[1]);
      assert.equal(told + dropped, 20);
    }).timeout(15_000);
  });
});

import assert from 'node:assert/strict';
import { incident, NOW, request, SAY, useSay } from './say-fixture.ts';

describe('say: to whom, and as what', () => {
  const node = useSay();
  const { start, said, first, fails } = node;

  describe('tells', () => {
    it('whoever asked, and otherwise all admins', async () => {
      await start({ text: 'done.ok' });
      const [answer] = await said({ request });
      assert.deepEqual(
        [answer?.chat, answer?.kind, answer?.slot, answer?.request],
        [7, 'reply', 'request:7:1:2', '7:1:2'],
      );
      const notices = await said({});
      assert.deepEqual(
        notices.map(({ chat, kind, slot }) => [chat, kind, slot]),
        [
          [1, 'notice', undefined],
          [2, 'notice', undefined],
        ],
      );
    });

    it('all admins of what one asked for; only there it is an answer', async () => {
      await start({ text: 'done.ok', to: 'admins', editPressed: true });
      const drafts = await said({ request: { ...request, chat: 2, messageId: 9 } });
      assert.deepEqual(
        drafts.map((draft) => [draft.chat, draft.request, draft.edit]),
        [
          [1, undefined, undefined],
          [2, '7:1:2', 9],
        ],
      );
    });

    it('a chat of its own', async () => {
      await start({ text: 'done.ok', to: 'chat', chat: '-100123' });
      assert.deepEqual(
        (await said({ request })).map(({ chat }) => chat),
        [-100123],
      );
    });

    it('nobody: that is an error', async () => {
      await start({ text: 'done.ok' }, { ADMIN_IDS: '' });
      assert.equal(await fails({}), 'say.nobody');
    });
  });

  describe('a request', () => {
    it('is not answered by the processing text, nor by progress', async () => {
      await start({ text: 'done.ok' });
      assert.equal((await first({ request, say: { text: 'processing' } })).interim, true);
      assert.equal((await first({ request, say: { text: 'confirm', interim: true } })).interim, true);
      assert.equal((await first({ request })).interim, undefined);
    });

    it('from a button changes the message that carries it, where the node says so', async () => {
      await start({ text: 'done.ok', editPressed: true });
      const pressed = { ...request, messageId: 55 };
      assert.equal((await first({ request: pressed })).edit, 55);
      assert.equal((await first({ request: pressed, say: { text: 'processing' } })).edit, undefined);
      await node.flow.stop();
      await start({ text: 'done.ok' });
      assert.equal((await first({ request: pressed })).edit, undefined);
      const asked = await first({ request: pressed, say: { text: 'confirm', edit: true } });
      assert.deepEqual([asked.edit, asked.overwrite], [55, true]);
    });
  });

  describe('an incident', () => {
    it('is one message: edited as it proceeds, answered when it is over', async () => {
      await start({ text: 'done.ok' });
      const on = await first({ incident, timestamp: NOW - 5 });
      assert.deepEqual(
        [on.slot, on.kind, on.reply, on.over, on.silent, on.at],
        ['incident:i1', 'alert', false, false, false, NOW - 5],
      );
      const off = await first({ incident: { ...incident, state: 'resolved' } });
      assert.deepEqual([off.slot, off.reply, off.over], ['incident:i1', true, true]);
    });

    it('of little weight makes no sound, nor does one that asks for silence', async () => {
      await start({ text: 'done.ok' });
      assert.equal((await first({ incident: { ...incident, severity: 'info' } })).silent, true);
      assert.equal((await first({ incident, say: { text: 'done.ok', silent: true } })).silent, true);
    });

    it('rings again for a reminder', async () => {
      await start({ text: 'done.ok' });
      const again = await first({ incident, say: { text: 'done.ok', reply: true } });
      assert.deepEqual([again.reply, again.over], [true, false]);
    });

    it('has a key, so that one handed in twice is said once', async () => {
      await start({ text: 'done.ok' });
      const keys = await Promise.all([
        first({ incident, payload: { sequence: 3 } }).then((draft) => draft.dedupe),
      ]);
      const other = await first({ incident, payload: { sequence: 4 } });
      assert.equal(keys[0], 'say i1 firing 3');
      assert.notEqual(other.dedupe, keys[0]);
      assert.equal((await first({ say: { text: 'done.ok', dedupe: 'boot:1' } })).dedupe, 'say boot:1');
    });
  });

  it('needs no more than its type', async () => {
    const { id, type, z, x, y, wires } = SAY;
    await start({}, {}, { id, type, z, x, y, wires });
    const [draft] = await said({ say: { text: 'done.ok' } });
    assert.deepEqual([draft?.chat, draft?.kind, draft?.file], [1, 'notice', undefined]);
  });

  it('keeps the rest of the message', async () => {
    await start({ text: 'done.ok' });
    const next = node.flow.next('out');
    node.flow.give('say', { payload: 1, topic: 'cpu', mine: true });
    const { topic, mine } = await next;
    assert.deepEqual([topic, mine], ['cpu', true]);
  });
});

import assert from 'node:assert/strict';
import {
  acknowledge,
  moveChat,
  postpone,
  pruneOutbox,
  putBack,
  SENT_KEPT,
  type Taken,
  take,
} from '../../nodes/state/outbox-delivery.js';
import { alert, CHAT, draft, NOW, useTable } from './outbox-fixture.ts';

describe('the outbox table', () => {
  const table = useTable();
  const { add, states, takeNext, send } = table;

  it('gives messages back in the order of each chat', async () => {
    await add([draft('one'), draft('two', { chat: 7 }), draft('three')]);
    assert.deepEqual([await send(1), await send(2)], ['one', 'three']);
    assert.equal((await takeNext(NOW, 7)).draft.html, 'two');
  });

  it('says when the next one is due, and passes over nothing that is not', async () => {
    await add([draft('one'), draft('two')]);
    const { id } = await takeNext();
    await postpone(table.db, id, { tries: 1, dueAt: NOW + 500, error: 'network' });
    assert.deepEqual(await take(table.db, CHAT, NOW), { due: NOW + 500 });
    assert.equal((await takeNext(NOW + 500)).tries, 1);
  });

  it('resumes after a crash at the part that Telegram does not have yet', async () => {
    await add([draft('long')]);
    await acknowledge(table.db, await takeNext(), { index: 0, last: false, messageId: 5 }, NOW);
    await putBack(table.db, NOW);
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

  it('a group that became another takes its messages along', async () => {
    await add([draft('one', { slot: 's' })]);
    await send(5);
    await add([draft('two', { slot: 's' })]);
    await moveChat(table.db, CHAT, -100);
    const { taken } = (await take(table.db, -100, NOW)) as { taken: Taken };
    assert.deepEqual([taken.draft.html, taken.slotMessage], ['two', undefined]);
  });

  it('forgets after a week what was sent, never what waits', async () => {
    await add([draft('one')]);
    await send(1);
    await add([draft('two')]);
    await pruneOutbox(table.db, NOW + SENT_KEPT + 1);
    assert.deepEqual(await states(), ['queued']);
  });
});

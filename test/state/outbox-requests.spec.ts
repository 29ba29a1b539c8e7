import assert from 'node:assert/strict';
import type { Draft } from '../../nodes/kit/messages.js';
import { insert } from '../../nodes/state/requests.js';
import { CHAT, draft, NOW, useTable } from './outbox-fixture.ts';

describe('the outbox table', () => {
  const table = useTable();
  const { add, takeNext, send, sendAll } = table;

  describe('a request', () => {
    const request = { id: '1:2:3', user: 1, chat: CHAT, command: 'status', args: [], startedAt: NOW };
    const ask = () => insert(table.db, { request, changes: false, message: {}, at: NOW });
    const stateOf = async () =>
      (await table.db.selectFrom('requests').select('state').executeTakeFirstOrThrow()).state;
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
});

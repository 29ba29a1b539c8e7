import assert from 'node:assert/strict';
import { sql } from 'kysely';
import { deliveryNodes } from '../support/telegram.ts';
import { useOutbox } from './outbox-fixture.ts';

describe('outbox, when the database can’t keep a message', () => {
  const bench = useOutbox();
  const { startWith, draft, put, texts, arrives, until, waiting } = bench;
  const writable = (yes: boolean) => sql.raw(`pragma query_only = ${yes ? 'off' : 'on'}`).execute(bench.db);

  it('sends it all the same, once, and reports the failure', async () => {
    await startWith([
      ...deliveryNodes(),
      { id: 'catch', type: 'catch', z: 'tab', scope: ['outbox'], wires: [['caught']] },
      { id: 'caught', type: 'helper', z: 'tab' },
    ]);
    put(draft('before'));
    await arrives('before');
    await until(async () => (await waiting()).length === 0);
    await writable(false);
    const caught = bench.flow.next('caught');
    put(draft('disk is full'));
    await arrives('disk is full');
    assert.equal((await caught).error?.cause?.text, 'errors.database-use');
    await writable(true);
    put(draft('after'));
    await arrives('after');
    assert.deepEqual(texts(), ['before', 'disk is full', 'after']);
  });
});

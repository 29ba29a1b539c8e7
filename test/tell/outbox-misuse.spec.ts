import assert from 'node:assert/strict';
import { deliveryNodes } from '../support/telegram.ts';
import { useOutbox } from './outbox-fixture.ts';

describe('outbox, with the real sender node and a Bot API server: wired or fed wrongly', () => {
  const bench = useOutbox();
  const { startWith, draft, put, texts, arrives, sends, shows } = bench;

  it('sends nothing while the sender’s outputs do not lead back, and says so', async () => {
    await startWith(
      deliveryNodes().map((node) => ('bot' in node ? { ...node, wires: [['outbox'], []] } : node)),
    );
    put(draft('one'));
    await shows(/dua outputnya kembali ke sini/);
    assert.equal(sends().length, 0);
  });

  it('refuses what is no message', async () => {
    await startWith([
      ...deliveryNodes(),
      { id: 'catch', type: 'catch', z: 'tab', scope: ['outbox'], wires: [['caught']] },
      { id: 'caught', type: 'helper', z: 'tab' },
    ]);
    const caught = bench.flow.next('caught');
    bench.flow.give('outbox', { payload: 'hello' });
    assert.equal((await caught).error?.cause?.text, 'outbox.not-a-draft');
  });

  it('there is only one: a second one says so and keeps nothing', async () => {
    await startWith([...deliveryNodes(), { id: 'second', type: 'potion-outbox', z: 'tab', wires: [[]] }]);
    bench.flow.give('second', { payload: [draft('twice')] });
    put(draft('once'));
    await arrives('once');
    assert.deepEqual(texts(), ['once']);
    assert.match(bench.flow.statuses('second').at(-1)?.text ?? '', /outbox/);
  });
});

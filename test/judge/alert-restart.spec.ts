import assert from 'node:assert/strict';
import { readAlerts } from '../../nodes/state/alerts.js';
import { AlertFlow } from './alert-flow.ts';

describe('alert, in bad times,', () => {
  let flow: AlertFlow;

  beforeEach(async () => {
    flow = await AlertFlow.open();
  });
  afterEach(() => flow.close());

  describe('over a restart', () => {
    it('what fires goes on without being told again, and is resolved under its own incident', async () => {
      await flow.start();
      await flow.load(0.95);
      const { incident } = flow.running.got('say')[0] ?? {};
      // Long enough ago to have been handed on.
      flow.clock.advance(15_000);
      await flow.restart();
      await flow.load(0.95);
      assert.deepEqual(flow.told, []);
      await flow.load(0.1);
      assert.deepEqual(flow.told, ['cpu resolved']);
      assert.equal(flow.running.got('say')[0]?.incident?.id, incident?.id);
      flow.clock.advance(15_000);
      await flow.restart();
      assert.deepEqual(await readAlerts(flow.db), []);
    });

    it('what was pending goes on waiting', async () => {
      await flow.start({ for: 60 });
      await flow.load(0.95);
      flow.clock.advance(30_000);
      await flow.restart({ for: 60 });
      await flow.load(0.95);
      assert.deepEqual(flow.told, []);
      flow.clock.advance(30_000);
      await flow.load(0.95);
      assert.deepEqual(flow.told, ['cpu firing']);
    });

    it('a message that may not have been handed on goes out again as the same one', async () => {
      await flow.start();
      await flow.load(0.95);
      const [first] = flow.running.got('say');
      await flow.restart();
      const again = flow.running.got('say')[0] ?? (await flow.running.next('say'));
      for (const property of ['payload', 'incident', 'say', 'topic', 'timestamp'])
        assert.deepEqual(again[property], first?.[property]);
      assert.equal(flow.running.got('say').length, 1);
    });

    it('is not resolved because the first sample after it has no rates yet', async () => {
      await flow.start();
      await flow.load(0.95);
      await flow.restart();
      flow.clock.advance(1000);
      await flow.give({});
      assert.ok(!flow.told.includes('cpu resolved'));
    });
  });

  describe('when something fails', () => {
    it('an alert gets out although the database can’t be written, and the failure is reported', async () => {
      await flow.start();
      await flow.load(0.5);
      await flow.db.schema.dropTable('alerts').execute();
      await flow.load(0.95);
      assert.deepEqual(flow.told, ['cpu firing']);
      await flow.load(0.96);
      await flow.load(0.5);
      assert.deepEqual(flow.told, ['cpu firing', 'cpu resolved']);
      const [failure, ...more] = flow.running.got('caught');
      assert.match(failure?.error?.message ?? '', /no such table/);
      assert.equal(more.length, 0, 'it is reported once, not with every message');
    });

    it('a message without what the code is made of is refused by name', async () => {
      await flow.start({ property: 'payload.condition', code: 'service:{payload.unit}' });
      flow.running.give('alert', { payload: {} });
      const { error } = await flow.running.next('caught');
      assert.equal(error?.code, 'INVALID');
      assert.match(error?.message ?? '', /payload\.unit/);
    });

    it('a configuration that makes no sense is said on the node', async () => {
      await flow.start({ threshold: 'a lot' });
      const status = flow.running.statuses('alert').at(-1);
      assert.equal(status?.fill, 'red');
      assert.match(status?.text ?? '', /threshold can't be used: "a lot"/);
    });
  });

  it('writes the database when something changes that must last, and not for every sample', async () => {
    await flow.start({ for: 30 });
    const { db } = flow;
    let writes = 0;
    const { transaction } = db;
    db.transaction = () => {
      writes++;
      return transaction.call(db);
    };
    for (const value of [0.5, 0.6, 0.95, 0.96, 0.97, 0.5, 0.6]) {
      await flow.load(value);
      flow.clock.advance(5000);
    }
    // It became pending, and it was well again.
    assert.equal(writes, 2);
  });
});

import assert from 'node:assert/strict';
import type { AlertPayload } from '../../nodes/judge/alert/delivery.js';
import { ManualClock, systemClock } from '../../nodes/kit/clock.js';
import { setClock } from '../../nodes/kit/define-node.js';
import type { Message } from '../../nodes/kit/messages.js';
import { openIncidents, readAlerts, silence } from '../../nodes/state/alerts.js';
import { type Database, openDatabase } from '../../nodes/state/database.js';
import { writeSetting } from '../../nodes/state/settings.js';
import { type Running, startFlow } from '../support/node-red.ts';

const NODE = {
  id: 'alert',
  type: 'potion-alert',
  z: 'tab',
  version: 1,
  property: 'payload.cpu.load',
  code: 'cpu',
  label: '',
  unit: 'ratio',
  severity: 'critical',
  operator: 'above',
  threshold: '90%',
  clear: '',
  values: '',
  for: 0,
  keepFiring: 0,
  repeat: 0,
  missing: 'resolve',
  missingAfter: 300,
  wires: [['say'], ['changes']],
};
const REST = [
  { id: 'tab', type: 'tab' },
  { id: 'say', type: 'helper', z: 'tab' },
  { id: 'changes', type: 'helper', z: 'tab' },
  { id: 'catch', type: 'catch', z: 'tab', x: 0, y: 0, wires: [['caught']] },
  { id: 'caught', type: 'helper', z: 'tab' },
];
const DISKS = { property: 'payload.disks.*.ratio', code: 'disk:{series}' };

const payloadOf = (msg: Message) => msg.payload as AlertPayload;
const states = (all: Message[]) => all.map((msg) => `${payloadOf(msg).code} ${payloadOf(msg).state}`);

describe('alert', () => {
  let flow: Running;
  let db: Database;
  let clock: ManualClock;

  beforeEach(async () => {
    // Now, because the node compares the time with the boot of the machine.
    clock = new ManualClock(Date.now());
    setClock(clock);
    db = await openDatabase(':memory:');
  });
  afterEach(async () => {
    await flow.stop();
    await db.destroy();
    setClock(systemClock);
  });

  const start = async (config: object = {}) => {
    flow = await startFlow(['judge/alert'], [{ ...NODE, ...config }, ...REST], db);
  };
  const restart = async (config: object = {}) => {
    await flow.stop();
    await start(config);
  };

  /** Gives a message and waits until the node is done with it. */
  const give = async (payload: unknown, more: Message = {}) => {
    const before = flow.statuses('alert').length;
    flow.give('alert', { payload, timestamp: clock.now(), ...more });
    const done = () => flow.statuses('alert').length > before;
    while (!done()) await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
  };
  const load = (value: number | undefined, more?: Message) => give({ cpu: { load: value } }, more);
  const told = () => states(flow.got('say'));

  it('tells once when it fires and once when it is over, under one incident', async () => {
    await start();
    await load(0.5);
    await load(0.95, { request: undefined, extra: 'kept' });
    clock.advance(10_000);
    await load(0.96);
    clock.advance(10_000);
    await load(0.4);
    const [firing, resolved] = flow.got('say');
    assert.deepEqual(told(), ['cpu firing', 'cpu resolved']);
    const at = clock.now() - 20_000;
    assert.deepEqual(firing?.payload, {
      code: 'cpu',
      family: 'cpu',
      series: '',
      severity: 'critical',
      state: 'firing',
      value: 0.95,
      threshold: 0.9,
      operator: 'above',
      unit: 'ratio',
      label: '',
      since: at,
      at,
      duration: 0,
      sequence: 1,
    });
    assert.equal(firing?.extra, 'kept');
    assert.deepEqual(firing?.incident, {
      id: firing?.incident?.id,
      code: 'cpu',
      severity: 'critical',
      state: 'firing',
      since: at,
    });
    assert.deepEqual(resolved?.incident, { ...firing?.incident, state: 'resolved' });
    assert.equal(payloadOf(resolved as Message).duration, 20);
    assert.notEqual(resolved?.say?.dedupe, firing?.say?.dedupe);
  });

  it('shows pending, firing and well as its status, and every change on its second output', async () => {
    await start({ for: 60 });
    await load(0.95);
    const pending = flow.statuses('alert').at(-1);
    clock.advance(60_000);
    await load(0.95);
    const firing = flow.statuses('alert').at(-1);
    await load(0.1);
    const well = flow.statuses('alert').at(-1);
    assert.deepEqual(
      [pending, firing, well].map((status) => [status?.fill, status?.text]),
      [
        ['yellow', 'ditunggu: cpu 95%'],
        ['red', 'menyala: cpu 95%'],
        ['green', 'aman 10%'],
      ],
    );
    assert.deepEqual(states(flow.got('changes')), ['cpu pending', 'cpu firing', 'cpu resolved']);
    assert.deepEqual(told(), ['cpu firing', 'cpu resolved']);
  });

  it('watches each disk by itself', async () => {
    await start(DISKS);
    await give({ disks: { '/': { ratio: 0.95 }, '/a': { ratio: 0.5 }, '/b': { ratio: 0.99 } } });
    assert.deepEqual(told(), ['disk:/ firing', 'disk:/b firing']);
    assert.notEqual(flow.got('say')[0]?.incident?.id, flow.got('say')[1]?.incident?.id);
    assert.equal(payloadOf(flow.got('say')[1] as Message).series, '/b');
    assert.equal(flow.statuses('alert').at(-1)?.text, '2 menyala: disk:/, disk:/b');
    assert.deepEqual(
      (await openIncidents(db)).map(({ code }) => code),
      ['disk:/', 'disk:/b'],
    );
  });

  it('takes a disk that a sample lacks for missing', async () => {
    await start({ ...DISKS, missing: 'fire', missingAfter: 30 });
    await give({ disks: { '/': { ratio: 0.5 }, '/a': { ratio: 0.5 } } });
    clock.advance(31_000);
    await give({ disks: { '/': { ratio: 0.5 } } });
    assert.deepEqual(told(), ['disk:/a firing']);
    assert.equal(payloadOf(flow.got('say')[0] as Message).missing, true);
  });

  it('judges words, and events that each show one of many', async () => {
    await start({
      property: 'payload.condition',
      code: 'service:{payload.unit}',
      operator: 'oneOf',
      values: 'failed, start-limit-hit',
      missing: 'resolve',
      missingAfter: 1,
    });
    await give({ unit: 'a.service', condition: 'failed' });
    clock.advance(60_000);
    await give({ unit: 'b.service', condition: 'active' });
    await give({ unit: 'a.service', condition: 'active' });
    assert.deepEqual(told(), ['service:a.service firing', 'service:a.service resolved']);
  });

  it('notices that messages have stopped coming, also when none has ever come', async () => {
    await start({ missing: 'fire', missingAfter: 60 });
    const said = flow.next('say');
    clock.advance(75_000);
    assert.equal(payloadOf(await said).missing, true);
    await load(0.1);
    assert.deepEqual(told(), ['cpu firing', 'cpu resolved']);
  });

  it('takes the time from the message, so that a recorded series replays as it was', async () => {
    await start({ for: 300, clear: '80%', repeat: 600 });
    const T0 = Date.UTC(2025, 5, 1);
    for (let minute = 0; minute < 40; minute++)
      await load(minute < 25 ? 0.95 : 0.5, { timestamp: T0 + minute * 60_000 });
    const minutes = flow.got('say').map((msg) => [payloadOf(msg).state, (payloadOf(msg).at - T0) / 60_000]);
    assert.deepEqual(minutes, [
      ['firing', 5],
      ['firing', 15],
      ['resolved', 25],
    ]);
    assert.equal(payloadOf(flow.got('say')[1] as Message).reminder, true);
    assert.equal(flow.got('say')[1]?.say?.reply, true);
  });

  describe('thresholds and silences', () => {
    it('a threshold that a person sets takes effect with the next message', async () => {
      await start();
      await load(0.85);
      await writeSetting(db, 'threshold.cpu', 0.8, { user: 1, at: clock.now() });
      await load(0.85);
      assert.deepEqual(told(), ['cpu firing']);
      assert.equal(payloadOf(flow.got('say')[0] as Message).threshold, 0.8);
    });

    it('the environment’s threshold counts over the node’s', async () => {
      process.env.THRESHOLD_CPU = '50%';
      try {
        await start();
        await load(0.6);
        assert.deepEqual(told(), ['cpu firing']);
      } finally {
        delete process.env.THRESHOLD_CPU;
      }
    });

    it('a silence holds the news back until it is over; changes are on the second output all the same', async () => {
      await start();
      await silence(db, { code: '*', until: clock.now() + 60_000, user: 1 }, clock.now());
      await load(0.95);
      assert.deepEqual(told(), []);
      assert.equal(payloadOf(flow.got('changes')[0] as Message).silenced, true);
      clock.advance(60_000);
      await load(0.95);
      assert.deepEqual(told(), ['cpu firing']);
      assert.equal(payloadOf(flow.got('say')[0] as Message).duration, 60);
    });

    it('what was told is told to be over, in a silence too, without a sound', async () => {
      await start();
      await load(0.95);
      await silence(db, { code: 'cpu', until: clock.now() + 60_000, user: 1 }, clock.now());
      await load(0.1);
      assert.deepEqual(told(), ['cpu firing', 'cpu resolved']);
      assert.equal(flow.got('say')[1]?.say?.silent, true);
    });
  });

  describe('over a restart', () => {
    it('what fires goes on without being told again, and is resolved under its own incident', async () => {
      await start();
      await load(0.95);
      const { incident } = flow.got('say')[0] as Message;
      // Long enough ago to have been handed on.
      clock.advance(15_000);
      await restart();
      await load(0.95);
      assert.deepEqual(told(), []);
      await load(0.1);
      assert.deepEqual(told(), ['cpu resolved']);
      assert.equal(flow.got('say')[0]?.incident?.id, incident?.id);
      clock.advance(15_000);
      await restart();
      assert.deepEqual(await readAlerts(db), []);
    });

    it('what was pending goes on waiting', async () => {
      await start({ for: 60 });
      await load(0.95);
      clock.advance(30_000);
      await restart({ for: 60 });
      await load(0.95);
      assert.deepEqual(told(), []);
      clock.advance(30_000);
      await load(0.95);
      assert.deepEqual(told(), ['cpu firing']);
    });

    it('a message that may not have been handed on goes out again as the same one', async () => {
      await start();
      await load(0.95);
      const [first] = flow.got('say');
      await restart();
      const again = flow.got('say')[0] ?? (await flow.next('say'));
      for (const property of ['payload', 'incident', 'say', 'topic', 'timestamp'])
        assert.deepEqual(again[property], first?.[property]);
      assert.equal(flow.got('say').length, 1);
    });

    it('is not resolved because the first sample after it has no rates yet', async () => {
      await start();
      await load(0.95);
      await restart();
      clock.advance(1000);
      await give({});
      assert.ok(!told().includes('cpu resolved'));
    });
  });

  describe('when something fails', () => {
    it('an alert gets out although the database can’t be written, and the failure is reported', async () => {
      await start();
      await load(0.5);
      await db.schema.dropTable('alerts').execute();
      await load(0.95);
      assert.deepEqual(told(), ['cpu firing']);
      assert.match(flow.got('caught')[0]?.error?.message ?? '', /no such table/);
    });

    it('a message without what the code is made of is refused by name', async () => {
      await start({ property: 'payload.condition', code: 'service:{payload.unit}' });
      flow.give('alert', { payload: {} });
      const { error } = await flow.next('caught');
      assert.equal(error?.code, 'INVALID');
      assert.match(error?.message ?? '', /payload\.unit/);
    });

    it('a configuration that makes no sense is said on the node', async () => {
      await start({ threshold: 'a lot' });
      const status = flow.statuses('alert').at(-1);
      assert.equal(status?.fill, 'red');
      assert.match(status?.text ?? '', /threshold can't be used: "a lot"/);
    });
  });

  it('writes the database when something changes that must last, and not for every sample', async () => {
    await start({ for: 30 });
    let writes = 0;
    const { transaction } = db;
    db.transaction = () => {
      writes++;
      return transaction.call(db);
    };
    for (const value of [0.5, 0.6, 0.95, 0.96, 0.97, 0.5, 0.6]) {
      await load(value);
      clock.advance(5000);
    }
    // It became pending, and it was well again.
    assert.equal(writes, 2);
  });
});

import assert from 'node:assert/strict';
import { openIncidents, silence } from '../../nodes/state/alerts.js';
import { writeSetting } from '../../nodes/state/settings.js';
import { AlertFlow, payloadOf, states } from './alert-flow.ts';

const DISKS = { property: 'payload.disks.*.ratio', code: 'disk:{series}' };

describe('alert', () => {
  let flow: AlertFlow;

  beforeEach(async () => {
    flow = await AlertFlow.open();
  });
  afterEach(() => flow.close());

  it('tells once when it fires and once when it is over, under one incident', async () => {
    await flow.start();
    await flow.load(0.5);
    await flow.load(0.95, { request: undefined, extra: 'kept' });
    flow.clock.advance(10_000);
    await flow.load(0.96);
    flow.clock.advance(10_000);
    await flow.load(0.4);
    const [firing, resolved] = flow.running.got('say');
    assert.deepEqual(flow.told, ['cpu firing', 'cpu resolved']);
    const at = flow.clock.now() - 20_000;
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
    assert.equal(payloadOf(resolved).duration, 20);
    assert.notEqual(resolved?.say?.dedupe, firing?.say?.dedupe);
  });

  it('shows pending, firing and well as its status, and every change on its second output', async () => {
    await flow.start({ for: 60 });
    await flow.load(0.95);
    const pending = flow.running.statuses('alert').at(-1);
    flow.clock.advance(60_000);
    await flow.load(0.95);
    const firing = flow.running.statuses('alert').at(-1);
    await flow.load(0.1);
    const well = flow.running.statuses('alert').at(-1);
    assert.deepEqual(
      [pending, firing, well].map((status) => [status?.fill, status?.text]),
      [
        ['yellow', 'ditunggu: cpu 95%'],
        ['red', 'menyala: cpu 95%'],
        ['green', 'aman 10%'],
      ],
    );
    assert.deepEqual(states(flow.running.got('changes')), ['cpu pending', 'cpu firing', 'cpu resolved']);
    assert.deepEqual(flow.told, ['cpu firing', 'cpu resolved']);
  });

  it('watches each disk by itself', async () => {
    await flow.start(DISKS);
    await flow.give({ disks: { '/': { ratio: 0.95 }, '/a': { ratio: 0.5 }, '/b': { ratio: 0.99 } } });
    assert.deepEqual(flow.told, ['disk:/ firing', 'disk:/b firing']);
    assert.notEqual(flow.running.got('say')[0]?.incident?.id, flow.running.got('say')[1]?.incident?.id);
    assert.equal(payloadOf(flow.running.got('say')[1]).series, '/b');
    assert.equal(flow.running.statuses('alert').at(-1)?.text, '2 menyala: disk:/, disk:/b');
    assert.deepEqual(
      (await openIncidents(flow.db)).map(({ code }) => code),
      ['disk:/', 'disk:/b'],
    );
  });

  it('takes a disk that a sample lacks for missing', async () => {
    await flow.start({ ...DISKS, missing: 'fire', missingAfter: 30 });
    await flow.give({ disks: { '/': { ratio: 0.5 }, '/a': { ratio: 0.5 } } });
    flow.clock.advance(31_000);
    await flow.give({ disks: { '/': { ratio: 0.5 } } });
    assert.deepEqual(flow.told, ['disk:/a firing']);
    assert.equal(payloadOf(flow.running.got('say')[0]).missing, true);
  });

  it('judges words, and events that each show one of many', async () => {
    await flow.start({
      property: 'payload.condition',
      code: 'service:{payload.unit}',
      operator: 'oneOf',
      values: 'failed, start-limit-hit',
      missing: 'resolve',
      missingAfter: 1,
    });
    await flow.give({ unit: 'a.service', condition: 'failed' });
    flow.clock.advance(60_000);
    await flow.give({ unit: 'b.service', condition: 'active' });
    await flow.give({ unit: 'a.service', condition: 'active' });
    assert.deepEqual(flow.told, ['service:a.service firing', 'service:a.service resolved']);
  });

  it('notices that messages have stopped coming, also when none has ever come', async () => {
    await flow.start({ missing: 'fire', missingAfter: 60 });
    const said = flow.running.next('say');
    flow.clock.advance(75_000);
    assert.equal(payloadOf(await said).missing, true);
    await flow.load(0.1);
    assert.deepEqual(flow.told, ['cpu firing', 'cpu resolved']);
  });

  it('takes the time from the message, so that a recorded series replays as it was', async () => {
    await flow.start({ for: 300, clear: '80%', repeat: 600 });
    const T0 = Date.UTC(2025, 5, 1);
    for (let minute = 0; minute < 40; minute++)
      await flow.load(minute < 25 ? 0.95 : 0.5, { timestamp: T0 + minute * 60_000 });
    const minutes = flow.running
      .got('say')
      .map((msg) => [payloadOf(msg).state, (payloadOf(msg).at - T0) / 60_000]);
    assert.deepEqual(minutes, [
      ['firing', 5],
      ['firing', 15],
      ['resolved', 25],
    ]);
    assert.equal(payloadOf(flow.running.got('say')[1]).reminder, true);
    assert.equal(flow.running.got('say')[1]?.say?.reply, true);
  });

  describe('thresholds and silences', () => {
    it('a threshold that a person sets takes effect with the next message', async () => {
      await flow.start();
      await flow.load(0.85);
      await writeSetting(flow.db, 'threshold.cpu', 0.8, { user: 1, at: flow.clock.now() });
      await flow.load(0.85);
      assert.deepEqual(flow.told, ['cpu firing']);
      assert.equal(payloadOf(flow.running.got('say')[0]).threshold, 0.8);
    });

    it('the environment’s threshold counts over the node’s', async () => {
      process.env.THRESHOLD_CPU = '50%';
      try {
        await flow.start();
        await flow.load(0.6);
        assert.deepEqual(flow.told, ['cpu firing']);
      } finally {
        delete process.env.THRESHOLD_CPU;
      }
    });

    it('a silence holds the news back until it is over; changes are on the second output all the same', async () => {
      await flow.start();
      await silence(flow.db, { code: '*', until: flow.clock.now() + 60_000, user: 1 }, flow.clock.now());
      await flow.load(0.95);
      assert.deepEqual(flow.told, []);
      assert.equal(payloadOf(flow.running.got('changes')[0]).silenced, true);
      flow.clock.advance(60_000);
      await flow.load(0.95);
      assert.deepEqual(flow.told, ['cpu firing']);
      assert.equal(payloadOf(flow.running.got('say')[0]).duration, 60);
    });

    it('what was told is told to be over, in a silence too, without a sound', async () => {
      await flow.start();
      await flow.load(0.95);
      await silence(flow.db, { code: 'cpu', until: flow.clock.now() + 60_000, user: 1 }, flow.clock.now());
      await flow.load(0.1);
      assert.deepEqual(flow.told, ['cpu firing', 'cpu resolved']);
      assert.equal(flow.running.got('say')[1]?.say?.silent, true);
    });
  });
});

import assert from 'node:assert/strict';
import { ManualClock, systemClock } from '../../nodes/kit/clock.js';
import { setClock } from '../../nodes/kit/define-node.js';
import type { Message } from '../../nodes/kit/messages.js';
import { forget, pulseOf } from '../../nodes/kit/pulse.js';
import type { Sample } from '../../nodes/sense/metrics/sampler.js';
import { type Running, startFlow } from '../support/node-red.ts';

const NODE = { id: 'metrics', type: 'potion-metrics', z: 'tab', version: 1, wires: [['out']] };
const REST = [
  { id: 'tab', type: 'tab' },
  { id: 'out', type: 'helper', z: 'tab' },
  { id: 'catch', type: 'catch', z: 'tab', x: 0, y: 0, wires: [['caught']] },
  { id: 'caught', type: 'helper', z: 'tab' },
];

describe('metrics', () => {
  let flow: Running;
  let clock: ManualClock;

  beforeEach(() => {
    clock = new ManualClock();
    setClock(clock);
    forget('sampler');
  });
  afterEach(async () => {
    await flow.stop();
    setClock(systemClock);
    forget('sampler');
  });

  const start = async (config: object) => {
    flow = await startFlow(['sense/metrics'], [{ ...NODE, ...config }, ...REST]);
  };

  it('answers a message with a sample, its time, and everything that was on the message', async () => {
    await start({ interval: 0, memory: true, uptime: true });
    flow.give('metrics', { payload: 'x', request: { id: '1' } as never });
    const msg = await flow.next('out');
    const sample = msg.payload as Sample;
    assert.deepEqual(Object.keys(sample).sort(), ['bootTime', 'memory', 'missing', 'uptime']);
    assert.equal(msg.timestamp, clock.now());
    assert.deepEqual(msg.request, { id: '1' });
  });

  const first = () => {
    const msg = flow.next('out');
    clock.advance(1000);
    return msg;
  };

  it('samples soon after the start and then at its interval', async () => {
    await start({ interval: 10, cpu: true });
    const early = await first();
    assert.deepEqual(early.payload, { missing: { cpu: 'first-sample' } });
    const second = flow.next('out');
    clock.advance(9_000);
    const { timestamp = 0 } = await second;
    assert.equal(timestamp - (early.timestamp ?? 0), 9_000);
  });

  it('measures on demand against the last sample of the node that measures all the time', async () => {
    const regular = { ...NODE, id: 'regular', interval: 10, cpu: true, wires: [['out']] };
    const asked = { ...NODE, id: 'asked', interval: 0, cpu: true, wires: [['answer']] };
    flow = await startFlow(
      ['sense/metrics'],
      [regular, asked, ...REST, { id: 'answer', type: 'helper', z: 'tab' }],
    );
    await first();
    clock.advance(700);
    const end = performance.now() + 30;
    while (performance.now() < end); // The kernel counts processor time in steps of 10 ms.
    flow.give('asked', { payload: '' });
    const { cpu } = (await flow.next('answer')).payload as Sample;
    assert.ok(cpu && cpu.load >= 0 && cpu.load <= 1, 'the very first answer has a load');
  });

  it('gives out the last sample of another node while that is young enough, without measuring', async () => {
    const regular = { ...NODE, id: 'regular', interval: 10, memory: true, uptime: true, wires: [['out']] };
    const asked = { ...NODE, id: 'asked', interval: 0, maxAge: 15, uptime: true, wires: [['answer']] };
    flow = await startFlow(
      ['sense/metrics'],
      [regular, asked, ...REST, { id: 'answer', type: 'helper', z: 'tab' }],
    );
    await first();
    const [taken] = flow.got('out') as [Message];
    const ask = async () => {
      const answer = flow.next('answer');
      flow.give('asked', { topic: 'before' });
      return answer;
    };
    clock.advance(9000);
    const soon = await ask();
    assert.equal(soon.timestamp, taken.timestamp);
    const { uptime, bootTime } = taken.payload as Sample;
    assert.deepEqual(soon.payload, { uptime, bootTime, missing: {} }, 'only what it was asked for');
    clock.jump(clock.now() + 60_000);
    assert.equal((await ask()).timestamp, taken.timestamp, 'a jump of the wall clock makes no sample older');
  });

  it('leaves a turn out while the last sample is still being taken', async () => {
    await start({ interval: 10, memory: true });
    await first();
    const next = flow.next('out');
    // Nothing can finish between these three turns.
    clock.advance(30_000);
    await next;
    const another = flow.next('out');
    clock.advance(10_000);
    await another;
    assert.equal(flow.got('out').length, 3);
  });

  it('is the pulse of the sampler, patient for three intervals and at least a minute', async () => {
    await start({ interval: 10, memory: true });
    await first();
    assert.deepEqual(pulseOf('sampler'), { at: clock.now(), within: 60_000 });
    await flow.stop();
    await start({ interval: 300, memory: true });
    await first();
    assert.equal(pulseOf('sampler')?.within, 900_000);
  });

  it('is no pulse when it only measures for a command', async () => {
    await start({ interval: 0, memory: true });
    flow.give('metrics', {});
    await flow.next('out');
    assert.equal(pulseOf('sampler'), undefined);
  });

  it('shows what matters as its status', async () => {
    await start({ interval: 0, memory: true, disks: true });
    flow.give('metrics', {});
    await flow.next('out');
    const status = flow.statuses('metrics').at(-1);
    assert.equal(status?.fill, 'green');
    assert.match(status?.text ?? '', /^RAM \d+% disk \d+%$/);
  });

  for (const [what, config, message] of [
    ['an interval that makes no sense', { interval: 0.01, cpu: true }, /interval of 0.01 s makes no sense/],
    ['nothing to measure', { interval: 10 }, /nothing is chosen/],
  ] as const)
    it(`refuses ${what} and says so`, async () => {
      await start(config);
      flow.give('metrics', {});
      const { error } = await flow.next('caught');
      assert.equal(error?.code, 'INVALID');
      assert.match(error?.message ?? '', message);
      assert.equal(flow.statuses('metrics').at(-1)?.fill, 'red');
    });
});

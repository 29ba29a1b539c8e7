import assert from 'node:assert/strict';
import type { UnitState } from '../../nodes/host/systemd.js';
import { needs } from '../support/needs.ts';
import { Driver, InsideError, until } from './driver.ts';
import { bootMachine, type Machine } from './machine.ts';
import { UNITS } from './units.ts';

interface Told {
  unit?: string;
  condition?: string;
  previous?: string | null;
  state?: UnitState;
  lost?: string;
  back?: boolean;
}

describe('systemd over its bus, on a booted machine', function () {
  this.timeout(60_000);
  let machine: Machine;
  let systemd: Driver<Told>;

  before(async function () {
    needs(this, 'root', 'systemd-nspawn');
    machine = await bootMachine({ units: UNITS, mask: ['masked.service'] });
    await machine.run(['systemctl', 'enable', '--quiet', 'nickname.service']);
  });

  after(() => machine?.stop());

  beforeEach(async () => {
    systemd = new Driver(machine, 'systemd');
    await systemd.ask('connect', {});
  });

  afterEach(async () => {
    systemd.stop();
    await machine.exec(['systemctl', 'stop', ...Object.keys(UNITS).filter((name) => !name.includes('@.'))]);
    await machine.exec(['systemctl', 'reset-failed']);
  });

  const systemctl = (...args: string[]) => machine.run(['systemctl', ...args]);
  const kill = (unit: string) => systemctl('kill', '--signal=KILL', '--kill-whom=main', unit);
  const conditions = async (...units: string[]) =>
    (await systemd.ask<UnitState[]>('states', ...units)).map(({ condition }) => condition);
  const told = (unit: string) =>
    systemd.events.filter((event) => event.unit === unit).map(({ condition }) => condition);
  const change = (unit: string, condition: string) =>
    systemd.event((event) => event.unit === unit && event.condition === condition && event.previous !== null);
  const failure = (method: string, ...args: unknown[]) =>
    systemd.ask(method, ...args).then(
      () => assert.fail(`${method} ${args} did not fail`),
      (thrown: InsideError) => thrown,
    );

  it('tells apart every way in which a unit can be', async () => {
    await systemctl('start', 'sleeper', 'mark', 'job', 'web@1', 'tick.timer', 'ear.socket', 'scratch.mount');
    await machine.exec(['systemctl', 'start', 'bad-job']);
    const expected = {
      sleeper: 'active',
      other: 'inactive',
      mark: 'exited',
      job: 'inactive',
      'bad-job': 'failed',
      broken: 'failed',
      masked: 'masked',
      nowhere: 'missing',
      'web@1': 'active',
      'web@2': 'inactive',
      'none@1': 'missing',
      'tick.timer': 'active',
      'ear.socket': 'active',
      'scratch.mount': 'active',
      '-.mount': 'active',
      'multi-user.target': 'inactive',
    };
    assert.deepEqual(await conditions(...Object.keys(expected)), Object.values(expected));
    const [job, broken] = await systemd.ask<UnitState[]>('states', 'job', 'broken');
    assert.equal(job?.health, 'ok', 'a oneshot that has done its work is well');
    assert.match(broken?.problem ?? '', /bad unit file setting/);
  });

  it('gives the facts of a unit in plain values', async () => {
    await systemctl('start', 'sleeper');
    const state = await systemd.ask<UnitState>('state', 'sleeper');
    const show = await systemctl('show', '-P', 'MainPID', 'sleeper');
    assert.equal(state.mainPid, Number(show));
    assert.equal(state.invocation, await systemctl('show', '-P', 'InvocationID', 'sleeper'));
    assert.deepEqual(
      [state.type, state.restart, state.load, state.sub],
      ['simple', 'no', 'loaded', 'running'],
    );
    assert.ok(Math.abs(state.since - Date.now()) < 60_000);
  });

  it('follows an alias to the unit behind it', async () => {
    await systemd.ask('watch', 'nick');
    await systemd.event(({ unit, condition }) => unit === 'nick.service' && condition === 'inactive');
    await systemctl('start', 'nickname');
    const event = await change('nick.service', 'active');
    assert.equal(event.state?.id, 'nickname.service');
  });

  it('tells at once that a unit was killed', async () => {
    await systemctl('start', 'sleeper');
    await systemd.ask('watch', 'sleeper');
    await systemd.event(({ condition }) => condition === 'active');
    await kill('sleeper');
    const { state, previous } = await change('sleeper.service', 'failed');
    assert.deepEqual([previous, state?.result, state?.health], ['active', 'signal', 'failed']);
  });

  it('tells of an automatic restart without crying failed first', async () => {
    await systemctl('start', 'revived');
    await systemd.ask('watch', 'revived');
    await systemd.event(({ condition }) => condition === 'active');
    await kill('revived');
    await change('revived.service', 'auto-restart');
    await systemd.event(({ condition, state }) => condition === 'active' && state?.restarts === 1);
    assert.ok(!told('revived.service').includes('failed'));
  });

  it('tells a crash loop from the moment when systemd has had enough', async () => {
    await systemd.ask('watch', 'crasher');
    await systemctl('start', 'crasher');
    await change('crasher.service', 'start-limit-hit');
    const seen = told('crasher.service');
    assert.ok(seen.includes('auto-restart'));
    assert.ok(!seen.includes('failed'), seen.join(' '));
    const refused = await failure('start', 'crasher');
    assert.match(refused.message, /too often/);
    await systemd.ask('resetFailed', 'crasher');
    assert.deepEqual(await conditions('crasher'), ['inactive']);
    await systemd.ask('start', 'crasher').catch(() => {});
  });

  it('does not take a service that failed while it was stopped for one that hit its limit', async () => {
    // It can only be stubborn once its shell has come to the trap.
    const isReady = () =>
      until(async () =>
        (await machine.exec(['test', '-e', '/run/stubborn'])).code === 0 ? true : undefined,
      );
    await systemctl('start', 'stubborn');
    await isReady();
    await machine.run(['rm', '/run/stubborn']);
    await systemctl('kill', '--signal=KILL', '--kill-whom=main', 'stubborn');
    await isReady();
    await until(async () => ((await conditions('stubborn'))[0] === 'active' ? true : undefined));
    await systemctl('stop', 'stubborn');
    const state = await systemd.ask<UnitState>('state', 'stubborn');
    assert.deepEqual([state.condition, state.result], ['failed', 'exit-code']);
  });

  it('notices a unit that is created, started, masked and removed while it is watched', async () => {
    await systemd.ask('watch', 'late');
    await systemd.event(({ condition }) => condition === 'missing');
    await machine.writeFile('/etc/systemd/system/late.service', UNITS['sleeper.service']);
    await systemctl('start', 'late');
    await change('late.service', 'active');
    await systemctl('stop', 'late');
    await change('late.service', 'inactive');
    await machine.run(['rm', '/etc/systemd/system/late.service']);
    await systemctl('mask', '--quiet', 'late');
    await change('late.service', 'masked');
    await systemctl('unmask', '--quiet', 'late');
    await systemd.event(({ condition, previous }) => condition === 'missing' && previous === 'masked');
  });

  it('finds in its next reconcile what no signal told', async () => {
    await systemd.ask('close');
    await systemd.ask('connect', { reconcile: 200 });
    await systemd.ask('watch', 'silent');
    await systemd.event(({ condition }) => condition === 'missing');
    // systemd says nothing of a file that it has not been told to read.
    await machine.writeFile('/etc/systemd/system/silent.service', UNITS['sleeper.service']);
    await change('silent.service', 'inactive');
  });

  it('starts, restarts and stops, and knows how each job ended', async () => {
    const before = await systemd.ask('start', 'sleeper');
    assert.partialDeepStrictEqual(before, { unit: 'sleeper.service', result: 'done' });
    const first = await systemd.ask<UnitState>('state', 'sleeper');
    await systemd.ask('restart', 'sleeper');
    const second = await systemd.ask<UnitState>('state', 'sleeper');
    assert.notEqual(second.invocation, first.invocation);
    await systemd.ask('stop', 'sleeper');
    assert.deepEqual(await conditions('sleeper'), ['inactive']);
  });

  it('says why something could not be done', async () => {
    const cases: [string, string, string, RegExp][] = [
      ['start', 'nowhere', 'NOT_FOUND', /no unit nowhere\.service/],
      ['start', 'masked', 'FAILED', /masked/],
      ['start', 'broken', 'FAILED', /unit file of broken\.service/],
      ['start', 'bad-job', 'FAILED', /exit code 7/],
      ['start', 'needy', 'FAILED', /something that it needs/],
      ['start', 'slow', 'TIMEOUT', /took too long/],
      ['start', 'reserved', 'DENIED', /only be started or stopped by the units/],
      ['resetFailed', 'nowhere', 'NOT_FOUND', /no unit/],
    ];
    for (const [method, unit, code, message] of cases) {
      const thrown = await failure(method, unit);
      assert.equal(thrown.code, code, `${unit}: ${thrown.message}`);
      assert.match(thrown.message, message);
      assert.ok(thrown.hint, `${unit} has no hint`);
    }
  });

  it('ends the wait for a job, not the job', async () => {
    const late = await failure('start', 'endless', { timeout: 200 });
    assert.equal(late.code, 'TIMEOUT');
    assert.deepEqual(await conditions('endless'), ['activating']);
    const waiting = failure('restart', 'endless');
    await until(async () => ((await conditions('endless'))[0] === 'activating' ? true : undefined));
    await systemctl('stop', 'endless');
    assert.equal((await waiting).code, 'CANCELLED');
  });

  it('refuses what is no unit name before it reaches the bus', async () => {
    for (const name of [
      '--help',
      '-H host',
      'a;b',
      'a\nb',
      '../x',
      '',
      'web@',
      '@1.service',
      `${'a'.repeat(260)}`,
    ])
      assert.equal((await failure('restart', name)).code, 'INVALID', JSON.stringify(name));
  });

  for (const [what, command] of [
    ['the bus is restarted', ['restart', 'dbus']],
    ['systemd executes itself anew', ['daemon-reexec']],
  ] as const)
    it(`reconnects when ${what}, and tells what was missed`, async () => {
      await systemctl('start', 'sleeper');
      await systemd.ask('watch', 'sleeper', 'other');
      await systemd.event(({ unit, condition }) => unit === 'sleeper.service' && condition === 'active');
      // One command, so that the unit dies while there is no connection.
      await machine.run(['sh', '-c', `systemctl ${command.join(' ')}; systemctl kill -s KILL sleeper`]);
      await systemd.event(({ lost }) => lost !== undefined);
      await change('sleeper.service', 'failed');
      await systemd.event(({ back }) => back === true);
      await systemctl('start', 'other');
      await change('other.service', 'active');
      assert.partialDeepStrictEqual(await systemd.ask('start', 'sleeper'), { result: 'done' });
    });

  it('waits for a bus that is not there yet, when told to be patient', async () => {
    await systemctl('stop', 'dbus.socket', 'dbus.service');
    const early = new Driver<Told>(machine, 'systemd');
    try {
      const refused = await early.ask('connect', {}).catch((thrown: InsideError) => thrown);
      assert.ok(refused instanceof InsideError && refused.code === 'UNAVAILABLE');
      assert.equal(await early.ask('connect', { patient: true }), 'UNAVAILABLE');
      await early.ask('watch', 'sleeper');
      await systemctl('start', 'dbus.socket');
      await early.event(({ back }) => back === true);
      await early.event(({ unit }) => unit === 'sleeper.service');
    } finally {
      early.stop();
      await systemctl('start', 'dbus.socket');
    }
  });

  it('shares one connection among all handles and closes it with the last', async () => {
    const pid = await systemd.ask<number>('pid');
    const connections = async () => {
      const list = await machine.run(['busctl', '--unique', '--no-legend', 'list']);
      return list.split('\n').filter((line) => line.split(/\s+/)[1] === String(pid)).length;
    };
    await systemd.ask('connect', {});
    await systemd.ask('connect', {});
    assert.equal(await connections(), 1);
    for (let i = 0; i < 3; i++) await systemd.ask('close');
    await until(async () => ((await connections()) === 0 ? true : undefined));
  });

  it('notices fifty kills, each once', async function () {
    const all = (await systemd.ask<number[]>('latency', 'mayfly', 50)).sort((a, b) => a - b);
    assert.equal(all.length, 50);
    const at = (share: number) => (all[Math.ceil(share * all.length) - 1] ?? Number.NaN).toFixed(1);
    if (this.test) this.test.title += ` (p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, max ${at(1)} ms)`;
  });
});

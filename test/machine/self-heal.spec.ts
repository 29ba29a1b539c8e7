import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HealPayload } from '../../nodes/act/self-heal/story.js';
import type { Message } from '../../nodes/kit/messages.js';
import { needs } from '../support/needs.ts';
import { Driver, until } from './driver.ts';
import { bootMachine, type Machine } from './machine.ts';

const service = (...lines: string[]) => `[Service]\n${lines.join('\n')}\n`;
const unit = (...lines: string[]) => `[Unit]\n${lines.join('\n')}\n`;
const SLEEP = 'ExecStart=/bin/sleep infinity';
const UNITS = {
  'well.service': service(SLEEP),
  'early.service': service(SLEEP),
  'loop.service': service('ExecStart=/bin/sh -c "echo I can not; exit 3"'),
  'admin.service': service(SLEEP),
  'byhand.service': service(SLEEP),
  'always.service': service(SLEEP, 'Restart=always', 'RestartSec=200ms'),
  'limit.service':
    unit('StartLimitBurst=3', 'StartLimitIntervalSec=60') +
    service(
      'ExecStart=/bin/sh -c "test -e /run/mended && exec sleep infinity; exit 1"',
      'Restart=always',
      'RestartSec=50ms',
    ),
  'crash.service': service('ExecStart=/bin/sh -c "sleep 0.3; exit 1"'),
  'denied.service': service(SLEEP),
  'job.service': service('Type=oneshot', 'ExecStart=/bin/false'),
  'flap.service':
    unit('StartLimitIntervalSec=0') + service('ExecStart=/bin/false', 'Restart=always', 'RestartSec=300ms'),
};
const PATHS = ['sense/services', 'act/self-heal'];
const OUTPUTS = ['healed', 'gave-up', 'progress', 'caught'] as const;
const placed = (node: object) => ({ z: 'tab', x: 0, y: 0, ...node });
const flowWith = (limits: object) => [
  { id: 'tab', type: 'tab' },
  placed({
    id: 'services',
    type: 'potion-services',
    version: 1,
    units: '',
    initial: true,
    wires: [['heal']],
  }),
  placed({
    id: 'heal',
    type: 'potion-self-heal',
    version: 1,
    tries: 3,
    window: 600,
    backoff: 0.2,
    growth: 2,
    stable: 1,
    patience: 3,
    coolDown: 0,
    journal: 8,
    ended: false,
    command: 'svc restart',
    ...limits,
    wires: [['healed'], ['gave-up'], ['progress']],
  }),
  ...OUTPUTS.map((id) => placed({ id, type: 'helper' })),
  placed({ id: 'catch', type: 'catch', wires: [['caught']] }),
];

/** services and self-heal in a process of their own inside the machine. */
class Potion {
  readonly driver: Driver;

  constructor(machine: Machine, units: string[], user = 'root') {
    const env = { SERVICES_WHITELIST: units.join(' '), DATA_DIR: '/var/tmp/potion' };
    this.driver = new Driver(machine, 'flow', { user, env });
  }

  async start(limits: object = {}, file?: string): Promise<this> {
    await this.driver.ask('start', PATHS, flowWith(limits), ...(file ? [file] : []));
    return this;
  }

  /** What was told of a unit. */
  async told(name: string, output: (typeof OUTPUTS)[number]): Promise<Message[]> {
    const all = await this.driver.ask<Message[]>('got', output);
    return all.filter(({ payload }) => (payload as HealPayload).unit === `${name}.service`);
  }

  async payloads(name: string, output: (typeof OUTPUTS)[number]): Promise<HealPayload[]> {
    return (await this.told(name, output)).map(({ payload }) => payload as HealPayload);
  }

  /** The first message of an output that tells of a unit. */
  async first(name: string, output: (typeof OUTPUTS)[number], ms = 15_000): Promise<HealPayload> {
    return until(async () => (await this.payloads(name, output))[0], ms);
  }

  async incidents(name: string): Promise<string[]> {
    const all = await Promise.all(
      (['healed', 'gave-up', 'progress'] as const).map((o) => this.told(name, o)),
    );
    return [
      ...new Set(
        all
          .flat()
          .filter(({ request }) => !request)
          .map(({ incident }) => incident?.id ?? 'none'),
      ),
    ];
  }
}

describe('self-heal on a real systemd', function () {
  this.timeout(60_000);
  let machine: Machine;
  let potion: Potion;

  before(async function () {
    needs(this, 'root', 'systemd-nspawn');
    machine = await bootMachine({ units: UNITS });
    await systemctl('start', 'early');
    await crash('early');
    const shared = Object.keys(UNITS).filter((name) => !/^(crash|denied)/.test(name));
    potion = await new Potion(machine, shared).start();
  });
  after(() => machine?.stop());

  const systemctl = (...args: string[]) => machine.run(['systemctl', ...args]);
  const crash = (name: string) => systemctl('kill', '--kill-whom=main', '--signal=KILL', name);
  const show = async (name: string, property: string) => systemctl('show', '--value', '-p', property, name);
  /** Long enough for anything to happen that should not. */
  const nothing = () => sleep(1200);

  it('heals what had failed before Potion was there', async () => {
    await potion.first('early', 'healed');
    assert.equal(await show('early', 'ActiveState'), 'active');
  });

  it('brings a unit back that was killed, with one incident', async () => {
    await systemctl('start', 'well');
    const before = await show('well', 'InvocationID');
    await crash('well');
    const healed = await potion.first('well', 'healed');
    assert.equal(await show('well', 'ActiveState'), 'active');
    assert.notEqual(await show('well', 'InvocationID'), before);
    assert.equal(healed.try, 1);
    assert.ok(healed.took < 1, `was down for ${healed.took} s`);
    assert.equal((await potion.incidents('well')).length, 1);
    assert.deepEqual(await potion.told('well', 'gave-up'), []);
  });

  it('gives up on a unit that crash-loops after its budget, once, with its last words', async () => {
    await machine.exec(['systemctl', 'start', 'loop']);
    const gaveUp = await potion.first('loop', 'gave-up');
    await nothing();
    assert.equal((await potion.told('loop', 'gave-up')).length, 1);
    assert.deepEqual([gaveUp.try, gaveUp.reason], [3, 'budget']);
    assert.ok(
      gaveUp.journal?.some((line) => line.includes('I can not')),
      JSON.stringify(gaveUp),
    );
    assert.equal((await potion.incidents('loop')).length, 1);
    const log = await machine.run(['journalctl', '-u', 'loop', '-o', 'cat', '--no-pager']);
    const starts = log.split('\n').filter((line) => line === 'I can not').length;
    assert.equal(starts, 4, 'one start and three tries');
  });

  it('tries again when a person asks for it, and answers whoever asked', async () => {
    const request = { id: '1:2:3', user: 1, chat: 1, command: 'heal', args: ['loop'], startedAt: 1 };
    await potion.driver.ask('give', 'heal', { payload: 'loop', action: 'retry', request });
    const answer = await until(async () =>
      (await potion.told('loop', 'progress')).find((msg) => msg.request),
    );
    assert.deepEqual(answer.payload, { unit: 'loop.service', name: 'loop', trying: true });
    assert.equal(answer.say?.text, 'self-heal.retry');
    await until(async () => (await potion.told('loop', 'gave-up'))[1], 15_000);
    assert.equal((await potion.incidents('loop')).length, 1, 'it is still the same incident');
  });

  it('leaves a unit alone that an admin stopped, with systemctl or through Potion', async () => {
    await systemctl('start', 'admin', 'byhand');
    await systemctl('stop', 'byhand');
    // It was stopped through Potion and did not end well.
    await potion.driver.ask('markStopped', 'admin.service');
    await crash('admin');
    const left = await potion.first('admin', 'progress');
    await nothing();
    assert.deepEqual([left.step, left.reason], ['left-alone', 'admin']);
    assert.equal(await show('byhand', 'ActiveState'), 'inactive');
    assert.equal(await show('admin', 'ActiveState'), 'failed');
    assert.deepEqual(await potion.incidents('byhand'), []);
    assert.equal((await potion.told('admin', 'progress')).length, 1);
  });

  it('leaves a unit to systemd that has Restart=always', async () => {
    await systemctl('start', 'always');
    await crash('always');
    await until(async () => ((await show('always', 'NRestarts')) === '1' ? true : undefined));
    await nothing();
    assert.equal(await show('always', 'ActiveState'), 'active');
    assert.equal(await show('always', 'NRestarts'), '1');
    assert.deepEqual(await potion.incidents('always'), []);
  });

  it('goes on where systemd gives up: resets the start limit and restarts', async () => {
    await machine.exec(['systemctl', 'start', 'limit']);
    await potion.first('limit', 'progress');
    await machine.run(['touch', '/run/mended']);
    await potion.first('limit', 'healed');
    assert.equal(await show('limit', 'ActiveState'), 'active');
    assert.equal((await potion.incidents('limit')).length, 1);
  });

  it('tells of a unit that systemd restarts again and again, without joining in', async () => {
    await machine.exec(['systemctl', 'start', '--no-block', 'flap']);
    const gaveUp = await potion.first('flap', 'gave-up');
    assert.deepEqual([gaveUp.reason, gaveUp.try], ['flapping', 0]);
    await systemctl('stop', 'flap');
    await until(async () => (await potion.payloads('flap', 'progress')).find((p) => p.step === 'left-alone'));
    assert.equal((await potion.incidents('flap')).length, 1);
  });

  it('does not repeat a oneshot that failed, but tells of it', async () => {
    await machine.exec(['systemctl', 'start', 'job']);
    await potion.first('job', 'progress');
    await nothing();
    const steps = (await potion.payloads('job', 'progress')).map(({ step, reason }) => `${step} ${reason}`);
    assert.deepEqual(steps, ['left-alone oneshot']);
  });

  it('has met no error in all that', async () => {
    assert.deepEqual(await potion.driver.ask('got', 'caught'), []);
  });

  it('goes on after Potion itself has crashed in the middle, within the same budget and incident', async () => {
    const limits = { tries: 3, backoff: 1, growth: 1 };
    const file = '/var/tmp/crash.db';
    const first = await new Potion(machine, ['crash']).start(limits, file);
    await machine.exec(['systemctl', 'start', 'crash']);
    await until(async () => (await first.payloads('crash', 'progress'))[1]);
    const before = await first.incidents('crash');
    first.driver.stop();
    const second = await new Potion(machine, ['crash']).start(limits, file);
    await second.first('crash', 'gave-up', 20_000);
    await nothing();
    assert.equal((await second.told('crash', 'gave-up')).length, 1);
    assert.deepEqual(await second.incidents('crash'), before);
    const log = await machine.run(['journalctl', '-u', 'crash', '-o', 'cat', '--no-pager']);
    const starts = log.split('\n').filter((line) => line.startsWith('Started crash.service')).length;
    // A restart that had been ordered counts, even if the crash came before it.
    assert.ok(starts >= 3 && starts <= 4, `${starts} starts:\n${log}`);
    second.driver.stop();
  });

  it('gives up at once where it has no right to restart', async () => {
    await systemctl('start', 'denied');
    const powerless = await new Potion(machine, ['denied'], 'nobody').start();
    await crash('denied');
    const gaveUp = await powerless.first('denied', 'gave-up');
    await nothing();
    assert.equal((await powerless.told('denied', 'gave-up')).length, 1);
    assert.equal(gaveUp.reason, 'refused');
    assert.match(gaveUp.error?.message ?? '', /denied\.service/);
    assert.ok(gaveUp.journalError, 'nobody may read the journal');
    powerless.driver.stop();
  });
});

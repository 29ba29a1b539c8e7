import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HealPayload } from '../../nodes/act/self-heal/story.js';
import { needs } from '../support/needs.ts';
import { Guest } from './guest.ts';
import { bootMachine, GUEST_HOME, GUEST_NODE, type Machine } from './machine.ts';

const service = (...lines: string[]) => `[Service]\n${lines.join('\n')}\n`;
const SLEEP = 'ExecStart=/bin/sleep infinity';
const UNITS = {
  'well.service': service(SLEEP),
  'loop.service': service('ExecStart=/bin/sh -c "echo I can not; exit 3"'),
  'admin.service': service(SLEEP),
  'byhand.service': service(SLEEP),
  'always.service': service(SLEEP, 'Restart=always', 'RestartSec=200ms'),
  'limit.service': `[Unit]\nStartLimitBurst=3\nStartLimitIntervalSec=60\n${service(
    'ExecStart=/bin/sh -c "test -e /run/mended && exec sleep infinity; exit 1"',
    'Restart=always',
    'RestartSec=50ms',
  )}`,
  'crash.service': service('ExecStart=/bin/sh -c "sleep 0.3; exit 1"'),
  'denied.service': service(SLEEP),
  'job.service': service('Type=oneshot', 'ExecStart=/bin/false'),
  'flap.service': `[Unit]\nStartLimitIntervalSec=0\n${service('ExecStart=/bin/false', 'Restart=always', 'RestartSec=300ms')}`,
};
const MARK_STOPPED = `
  import database from '${GUEST_HOME}/nodes/state/database.js';
  import intent from '${GUEST_HOME}/nodes/state/intent.js';
  const db = await database.openDatabase(process.env.FILE);
  await intent.markStopped(db, process.env.UNIT, 1, Date.now());
  await db.destroy();
`;
const PATHS = ['sense/services', 'act/self-heal'];
const flowWith = (limits: object = {}) => [
  { id: 'tab', type: 'tab' },
  {
    id: 'services',
    type: 'potion-services',
    z: 'tab',
    x: 0,
    y: 0,
    version: 1,
    units: '',
    initial: true,
    wires: [['heal']],
  },
  {
    id: 'heal',
    type: 'potion-self-heal',
    z: 'tab',
    x: 0,
    y: 0,
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
  },
  ...['healed', 'gave-up', 'progress', 'caught'].map((id) => ({ id, type: 'helper', z: 'tab', x: 0, y: 0 })),
  { id: 'catch', type: 'catch', z: 'tab', x: 0, y: 0, wires: [['caught']] },
];

describe('self-heal on a real systemd', function () {
  this.timeout(60_000);
  let machine: Machine;
  let guest: Guest | undefined;

  before(async function () {
    needs(this, 'root', 'systemd-nspawn');
    machine = await bootMachine({ units: UNITS });
  });
  after(() => machine?.stop());
  afterEach(async () => {
    await guest?.kill();
    guest = undefined;
  });

  let home = 0;
  const start = async (units: string, limits: object = {}, user?: string) => {
    const dir = `/var/tmp/potion-${++home}`;
    await machine.run(['install', '-d', '-o', user ?? 'root', dir]);
    return resume(dir, units, limits, user);
  };
  const resume = async (dir: string, units: string, limits: object = {}, user?: string) => {
    const env = { DATA_DIR: dir, SERVICES_WHITELIST: units };
    guest = await Guest.start(machine, { paths: PATHS, flow: flowWith(limits), env, user });
    return guest;
  };
  const systemctl = (...args: string[]) => machine.run(['systemctl', ...args]);
  const crash = (unit: string) => systemctl('kill', '--signal=KILL', unit);
  const show = async (unit: string, property: string) => systemctl('show', '--value', '-p', property, unit);
  const payloads = (from: Guest, node: string) => from.got(node).map((msg) => msg.payload as HealPayload);
  const incidents = (from: Guest) =>
    new Set(
      ['healed', 'gave-up', 'progress'].flatMap((node) => from.got(node)).map((msg) => msg.incident?.id),
    );
  /** Long enough for anything to happen that should not. */
  const nothing = () => sleep(1500);

  it('brings a unit back that was killed, with one incident', async () => {
    await systemctl('start', 'well');
    const potion = await start('well');
    const before = await show('well', 'InvocationID');
    await crash('well');
    await potion.until('healed', () => potion.got('healed').length > 0);
    assert.equal(await show('well', 'ActiveState'), 'active');
    assert.notEqual(await show('well', 'InvocationID'), before);
    const [healed] = payloads(potion, 'healed');
    assert.equal(healed?.unit, 'well.service');
    assert.equal(healed?.try, 1);
    assert.ok(healed.took < 1, `was down for ${healed.took} s`);
    assert.equal(incidents(potion).size, 1);
    assert.deepEqual(potion.got('gave-up'), []);
    assert.deepEqual(potion.got('caught'), []);
  });

  it('gives up on a unit that crash-loops after its budget, once, with its last words', async () => {
    const potion = await start('loop');
    await machine.exec(['systemctl', 'start', 'loop']);
    await potion.until('gave-up', () => potion.got('gave-up').length > 0);
    await nothing();
    const [gaveUp, ...more] = payloads(potion, 'gave-up');
    assert.deepEqual(more, []);
    assert.equal(gaveUp?.try, 3);
    assert.equal(gaveUp.reason, 'budget');
    assert.ok(
      gaveUp.journal?.some((line) => line.includes('I can not')),
      JSON.stringify(gaveUp),
    );
    assert.equal(incidents(potion).size, 1);
    const starts = await machine.run(['journalctl', '-u', 'loop', '-o', 'cat', '--no-pager']);
    assert.equal(
      starts.split('\n').filter((line) => line === 'I can not').length,
      4,
      'one start and three tries',
    );
  });

  it('leaves a unit alone that an admin stopped, through systemctl or through Potion', async () => {
    await systemctl('start', 'admin', 'byhand');
    const potion = await start('admin byhand');
    await systemctl('stop', 'byhand');
    // Stopped through Potion, and it did not end well.
    await machine.run([GUEST_NODE, '--input-type=module', '--eval', MARK_STOPPED], {
      env: { FILE: `/var/tmp/potion-${home}/potion.db`, UNIT: 'admin.service' },
    });
    await crash('admin');
    await nothing();
    assert.equal(await show('byhand', 'ActiveState'), 'inactive');
    assert.equal(await show('admin', 'ActiveState'), 'failed');
    assert.deepEqual(
      payloads(potion, 'progress').map(({ unit, step, reason }) => `${unit} ${step} ${reason}`),
      ['admin.service left-alone admin'],
    );
  });

  it('leaves a unit to systemd that has Restart=always', async () => {
    await systemctl('start', 'always');
    const potion = await start('always');
    await crash('always');
    await sleep(2500);
    assert.equal(await show('always', 'ActiveState'), 'active');
    assert.equal(await show('always', 'NRestarts'), '1');
    assert.deepEqual(potion.messages, []);
  });

  it('goes on where systemd gives up: resets the start limit and restarts', async () => {
    const potion = await start('limit');
    await machine.exec(['systemctl', 'start', 'limit']);
    await potion.until('a try', () => potion.got('progress').length > 0);
    await machine.run(['touch', '/run/mended']);
    await potion.until('healed', () => potion.got('healed').length > 0);
    assert.equal(await show('limit', 'ActiveState'), 'active');
    assert.equal(incidents(potion).size, 1);
  });

  it('tells of a unit that systemd restarts again and again, without joining in', async () => {
    const potion = await start('flap');
    await machine.exec(['systemctl', 'start', '--no-block', 'flap']);
    await potion.until('gave-up', () => potion.got('gave-up').length > 0);
    const [gaveUp] = payloads(potion, 'gave-up');
    assert.deepEqual([gaveUp?.reason, gaveUp?.try], ['flapping', 0]);
    await systemctl('stop', 'flap');
    await potion.until('left alone', () => payloads(potion, 'progress').some((p) => p.step === 'left-alone'));
    assert.equal(incidents(potion).size, 1);
  });

  it('does not repeat a oneshot that failed, but tells of it', async () => {
    const potion = await start('job');
    await machine.exec(['systemctl', 'start', 'job']);
    await potion.until('left alone', () => potion.got('progress').length > 0);
    await nothing();
    assert.deepEqual(
      payloads(potion, 'progress').map(({ step, reason }) => `${step} ${reason}`),
      ['left-alone oneshot'],
    );
  });

  it('goes on after Potion itself has crashed in the middle, within the same budget and incident', async () => {
    const first = await start('crash', { tries: 3, backoff: 1, growth: 1 });
    await machine.exec(['systemctl', 'start', 'crash']);
    await first.until('a second try', () => first.got('progress').length > 1);
    await first.kill();
    const second = await resume(`/var/tmp/potion-${home}`, 'crash', { tries: 3, backoff: 1, growth: 1 });
    await second.until('gave-up', () => second.got('gave-up').length > 0, 20_000);
    await nothing();
    assert.equal(second.got('gave-up').length, 1);
    assert.deepEqual(new Set([...incidents(first), ...incidents(second)]).size, 1);
    const log = await machine.run(['journalctl', '-u', 'crash', '-o', 'cat', '--no-pager']);
    const starts = log.split('\n').filter((line) => line.startsWith('Started crash.service')).length;
    assert.ok(starts >= 3 && starts <= 4, `${starts} starts:\n${log}`);
  });

  it('heals what failed while Potion was not there', async () => {
    await systemctl('start', 'well');
    await crash('well');
    const potion = await start('well');
    await potion.until('healed', () => potion.got('healed').length > 0);
    assert.equal(await show('well', 'ActiveState'), 'active');
  });

  it('gives up at once where it has no right to restart', async () => {
    await systemctl('start', 'denied');
    const potion = await start('denied', {}, 'nobody');
    await crash('denied');
    await potion.until('gave-up', () => potion.got('gave-up').length > 0);
    await nothing();
    const [gaveUp, ...more] = payloads(potion, 'gave-up');
    assert.deepEqual(more, []);
    assert.equal(gaveUp?.reason, 'refused');
    assert.match(gaveUp?.error?.message ?? '', /denied\.service/);
    assert.ok(gaveUp?.journalError, 'nobody may read the journal');
  });
});

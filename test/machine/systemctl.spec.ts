import assert from 'node:assert/strict';
import type { UnitState } from '../../nodes/host/systemd.js';
import type { Message } from '../../nodes/kit/messages.js';
import { needs } from '../support/needs.ts';
import { Driver, until } from './driver.ts';
import { bootMachine, type Machine } from './machine.ts';
import { polkitRule, UNITS } from './units.ts';

const WHITELIST = 'sleeper mayfly crasher job bad-job short picky revived nowhere masked endless';

interface Outcome {
  unit: string;
  action: string;
  ok: boolean;
  before: UnitState;
  after: UnitState;
  took: number;
}

describe('the systemctl node, on a booted machine', function () {
  this.timeout(60_000);
  let machine: Machine;

  before(async function () {
    needs(this, 'root', 'systemd-nspawn');
    machine = await bootMachine({
      units: UNITS,
      mask: ['masked.service'],
      files: { '/etc/polkit-1/rules.d/10-test.rules': polkitRule('tester', 'mayfly.service', ['restart']) },
    });
    await machine.run(['useradd', '--system', 'tester']);
  });

  after(() => machine?.stop());

  /** The node in a flow of its own, as one user of the machine. */
  function using(user: string) {
    let flow: Driver;
    const env = { SERVICES_WHITELIST: WHITELIST, POTION_LANG: 'en-US' };

    before(async () => {
      flow = new Driver(machine, 'flow', { user, env });
      const node = (id: string, config: object) => ({
        ...{ id, z: 'tab', type: 'potion-systemctl', version: 1, action: 'status', units: '', settle: 300 },
        ...{ ...config, wires: [['out']] },
      });
      await flow.ask(
        'start',
        ['act/systemctl'],
        [
          { id: 'tab', type: 'tab' },
          node('n', {}),
          node('few', { units: 'sleeper mayfly' }),
          { id: 'c', z: 'tab', type: 'catch', wires: [['out']] },
          { id: 'out', z: 'tab', type: 'helper' },
        ],
      );
    });

    after(async () => {
      await flow?.ask('stop');
      flow?.stop();
    });

    /** What comes of a message: the node's output or, from the Catch node, its failure. */
    async function ask(msg: Message, node = 'n'): Promise<Message> {
      const marked = { ...msg, mark: Math.random() };
      await flow.ask('give', node, marked);
      return until(
        async () => (await flow.ask<Message[]>('got', 'out')).find(({ mark }) => mark === marked.mark),
        10_000,
      );
    }
    const outcome = async (action: string, unit: string, more: object = {}) => {
      const { payload, error } = await ask({ action, payload: { unit }, ...more });
      assert.equal(error, undefined, error?.message);
      return payload as Outcome;
    };
    const failure = async (action: string, payload: unknown, node = 'n') => {
      const { error } = await ask({ action, payload }, node);
      assert.ok(error?.cause, `${action} ${JSON.stringify(payload)} did not fail`);
      return { code: error.cause.code, message: error.message, text: error.cause.text };
    };
    const isStopped = (unit: string) => flow.ask<boolean>('isStoppedByAdmin', `${unit}.service`);
    return { ask, outcome, failure, isStopped };
  }

  afterEach(async () => {
    await machine.exec(['systemctl', 'stop', ...WHITELIST.split(' ')]);
    await machine.exec(['systemctl', 'reset-failed']);
  });

  describe('with the right to manage units', () => {
    const { ask, outcome, failure, isStopped } = using('root');

    it('starts, restarts and stops a unit, and shows it before and after', async () => {
      const started = await outcome('start', 'mayfly');
      assert.deepEqual([started.unit, started.action, started.ok], ['mayfly.service', 'start', true]);
      assert.deepEqual([started.before.condition, started.after.condition], ['inactive', 'active']);
      assert.ok(started.took >= 0.3, 'it did not wait to see the unit stay up');
      const restarted = await outcome('restart', 'mayfly.service');
      assert.notEqual(restarted.after.invocation, started.after.invocation);
      const stopped = await outcome('stop', 'mayfly');
      assert.deepEqual([stopped.before.condition, stopped.after.condition], ['active', 'inactive']);
    });

    it('tells the state of one unit, and of all', async () => {
      assert.equal((await outcome('status', 'sleeper')).after.condition, 'inactive');
      const { payload } = await ask({ action: 'list' });
      assert.deepEqual(
        (payload as UnitState[]).map(({ unit }) => unit),
        WHITELIST.split(' ').map((name) => `${name}.service`),
      );
    });

    it('takes a bare string, and does what its configuration says without an action', async () => {
      const { payload } = await ask({ payload: 'job' });
      assert.equal((payload as Outcome).action, 'status');
    });

    it('holds a oneshot for well when it has done its work', async () => {
      const { after, took } = await outcome('start', 'job');
      assert.equal(after.health, 'ok');
      assert.ok(took < 0.3, 'it waited for a oneshot to stay up');
    });

    it('is not deceived by a unit that comes up and dies at once', async () => {
      const { code, text } = await failure('start', 'short');
      assert.deepEqual([code, text], ['FAILED', 'systemctl.errors.not-staying']);
    });

    it('is not deceived by a unit that systemd left down or keeps restarting', async () => {
      assert.equal((await failure('start', 'picky')).text, 'systemctl.errors.left-down');
      const { code, text } = await failure('restart', 'crasher');
      assert.equal(code, 'FAILED');
      assert.match(text, /not-staying|not-up/);
    });

    it('says why a start failed', async () => {
      assert.match((await failure('start', 'bad-job')).message, /exit code 7/);
      assert.equal((await failure('start', 'nowhere')).code, 'NOT_FOUND');
      assert.equal((await failure('restart', 'masked')).text, 'errors.unit-masked');
    });

    it('lifts the start limit for whoever asks by hand', async () => {
      await machine.exec(['systemctl', 'start', 'crasher']);
      await until(async () =>
        (await outcome('status', 'crasher')).after.condition === 'start-limit-hit' ? true : undefined,
      );
      const before = (await outcome('status', 'crasher')).after.invocation;
      await failure('start', 'crasher');
      const { invocation } = (await outcome('status', 'crasher')).after;
      assert.notEqual(invocation, before, 'systemd did not try it again');
    });

    it('touches nothing outside the whitelist, nor outside its own part of it', async () => {
      assert.equal((await failure('restart', 'dbus')).code, 'DENIED');
      assert.equal((await failure('start', 'other')).code, 'DENIED');
      assert.equal((await failure('start', 'job', 'few')).code, 'DENIED');
      const { payload } = await ask({ action: 'list' }, 'few');
      assert.equal((payload as UnitState[]).length, 2);
    });

    it('refuses what is no unit name and no action', async () => {
      for (const name of [
        '--help',
        '-H host',
        'a;b',
        'sleeper\n',
        '../x',
        7,
        { unit: ['sleeper'] },
        null,
        {},
      ])
        assert.equal((await failure('restart', name)).code, 'INVALID', JSON.stringify(name));
      for (const action of ['kill', 'daemon-reload', '--now', 'toString'])
        assert.equal((await failure(action, 'sleeper')).code, 'INVALID', action);
    });

    it('does one thing at a time with a unit, and several units at once', async () => {
      const first = ask({ action: 'restart', payload: 'sleeper' });
      const [second, other] = await Promise.all([failure('stop', 'sleeper'), outcome('start', 'mayfly')]);
      assert.equal(second.code, 'BUSY');
      assert.equal(other.ok, true);
      assert.equal(((await first).payload as Outcome).ok, true);
      assert.equal((await outcome('stop', 'sleeper')).ok, true);
    });

    it('remembers a unit that was stopped on purpose, until it is started again', async () => {
      await outcome('start', 'sleeper');
      assert.equal(await isStopped('sleeper'), false);
      await outcome('stop', 'sleeper', { request: { user: 42 } });
      assert.equal(await isStopped('sleeper'), true);
      await outcome('status', 'sleeper');
      assert.equal(await isStopped('sleeper'), true);
      await outcome('restart', 'sleeper');
      assert.equal(await isStopped('sleeper'), false);
    });
  });

  describe('as a user with the right to restart one unit', () => {
    const { outcome, failure, isStopped } = using('tester');

    it('does just that, and says what is missing for the rest', async () => {
      assert.equal((await outcome('restart', 'mayfly')).after.condition, 'active');
      for (const [action, unit] of [
        ['stop', 'mayfly'],
        ['restart', 'sleeper'],
      ] as const) {
        const { code, message } = await failure(action, unit);
        assert.equal(code, 'DENIED');
        assert.match(message, new RegExp(`no right to ${action} ${unit}`));
      }
      assert.equal((await outcome('status', 'mayfly')).after.condition, 'active');
    });

    it('does not take a refused stop for one that the admin got', async () => {
      await outcome('restart', 'mayfly');
      await failure('stop', 'mayfly');
      assert.equal(await isStopped('mayfly'), false);
    });
  });
});

import assert from 'node:assert/strict';
import type { UnitState } from '../../nodes/host/systemd.js';
import type { Message } from '../../nodes/kit/messages.js';
import type { Change } from '../../nodes/sense/services/change.js';
import { needs } from '../support/needs.ts';
import { Driver, until } from './driver.ts';
import { bootMachine, type Machine } from './machine.ts';
import { UNITS } from './units.ts';

const WHITELIST = 'sleeper revived crasher mark late';

describe('the services node, on a booted machine', function () {
  this.timeout(60_000);
  let machine: Machine;
  let flow: Driver;

  before(async function () {
    needs(this, 'root', 'systemd-nspawn');
    machine = await bootMachine({ units: UNITS, start: ['sleeper.service', 'mark.service'] });
    flow = new Driver(machine, 'flow', { env: { SERVICES_WHITELIST: WHITELIST, POTION_LANG: 'en-US' } });
  });

  after(() => machine?.stop());

  afterEach(async () => {
    await flow.ask('stop');
    await machine.exec(['systemctl', 'reset-failed']);
    await machine.exec(['systemctl', 'start', 'sleeper', 'revived']);
    await machine.exec(['systemctl', 'stop', 'crasher', 'revived']);
  });

  const start = (config: object = {}) =>
    flow.ask(
      'start',
      ['sense/services'],
      [
        { id: 'tab', type: 'tab' },
        {
          id: 'n',
          z: 'tab',
          type: 'potion-services',
          version: 1,
          units: '',
          initial: true,
          ...config,
          wires: [['out']],
        },
        { id: 'c', z: 'tab', type: 'catch', wires: [['errors']] },
        { id: 'out', z: 'tab', type: 'helper' },
        { id: 'errors', z: 'tab', type: 'helper' },
      ],
    );
  const messages = () => flow.ask<(Message & { payload: Change })[]>('got', 'out');
  const event = (unit: string, is: (change: Change) => boolean) =>
    until(
      async () => (await messages()).find(({ payload }) => payload.unit === `${unit}.service` && is(payload)),
      5000,
    );
  const status = async () => (await flow.ask<{ fill: string; text: string }[]>('statuses', 'n')).at(-1);
  const statusIs = (text: RegExp) =>
    until(async () => {
      const last = await status();
      return text.test(last?.text ?? '') ? last : undefined;
    });

  it('tells the state of each unit when it starts, if it is to', async () => {
    await start();
    const units = WHITELIST.split(' ');
    await Promise.all(units.map((unit) => event(unit, ({ previous }) => previous === null)));
    const told = Object.fromEntries(
      (await messages()).map(({ payload }) => [payload.unit, payload.condition]),
    );
    assert.deepEqual(told, {
      'sleeper.service': 'active',
      'revived.service': 'inactive',
      'crasher.service': 'inactive',
      'mark.service': 'exited',
      'late.service': 'missing',
    });
    assert.equal((await statusIs(/2 ok/))?.text, '2 ok, 2 stopped, 1 missing');
  });

  it('sends an event the moment a unit is killed, with what it was before', async () => {
    await start({ initial: false });
    await statusIs(/ok/);
    assert.deepEqual(await messages(), []);
    await machine.run(['systemctl', 'kill', '-s', 'KILL', 'sleeper']);
    const msg = await event('sleeper', ({ condition }) => condition === 'failed');
    assert.equal(msg.topic, 'sleeper.service');
    assert.equal(msg.payload.previous, 'active');
    assert.equal(msg.payload.state.result, 'signal');
    assert.ok(Math.abs((msg.timestamp ?? 0) - msg.payload.state.since) < 5000);
    assert.equal((await statusIs(/failed/))?.fill, 'red');
  });

  it('tells a restart by systemd itself and a crash loop apart from a failure', async () => {
    await start({ initial: false });
    await statusIs(/ok/);
    await machine.run(['systemctl', 'start', 'revived', 'crasher']);
    await machine.run(['systemctl', 'kill', '-s', 'KILL', 'revived']);
    await event('revived', ({ condition }) => condition === 'auto-restart');
    await event('revived', ({ condition, state }) => condition === 'active' && state.restarts === 1);
    await event('crasher', ({ condition }) => condition === 'start-limit-hit');
    const seen = (await messages()).map(({ payload }) => payload.condition);
    assert.ok(!seen.includes('failed'), seen.join(' '));
  });

  it('answers with the states of its units, and keeps what the message carried', async () => {
    await start({ units: 'sleeper, mark', initial: false });
    await flow.ask('give', 'n', { topic: 'mine', payload: 'x' });
    const [msg] = (await until(async () => {
      const all = await flow.ask<Message[]>('got', 'out');
      return all.length > 0 ? all : undefined;
    })) as [Message & { payload: UnitState[] }];
    assert.equal(msg.topic, 'mine');
    assert.deepEqual(
      msg.payload.map(({ unit, condition }) => [unit, condition]),
      [
        ['sleeper.service', 'active'],
        ['mark.service', 'exited'],
      ],
    );
  });

  it('says that the bus is gone, comes back by itself and tells what it missed', async () => {
    await start({ initial: false });
    await statusIs(/ok/);
    await machine.run(['systemctl', 'stop', 'dbus.socket', 'dbus.service']);
    assert.equal((await statusIs(/no connection/))?.fill, 'red');
    await flow.ask('give', 'n', {});
    const [error] = await until(async () => {
      const all = await flow.ask<Message[]>('got', 'errors');
      return all.length > 0 ? all : undefined;
    });
    assert.equal(error?.error?.cause?.code, 'UNAVAILABLE');
    await machine.run(['systemctl', 'kill', '-s', 'KILL', 'sleeper']);
    await machine.run(['systemctl', 'start', 'dbus.socket']);
    await event('sleeper', ({ condition, previous }) => condition === 'failed' && previous === 'active');
    await statusIs(/1 failed/);
  });
});

import assert from 'node:assert/strict';
import type { UnitState } from '../../nodes/host/systemd.js';
import { needs } from '../support/needs.ts';
import { Driver, InsideError } from './driver.ts';
import { bootMachine, type Machine } from './machine.ts';
import { polkitRule, UNITS } from './units.ts';

describe('the rights of a user over units, on a booted machine', function () {
  this.timeout(60_000);
  let machine: Machine;
  let tester: Driver<{ condition?: string }>;

  before(async function () {
    needs(this, 'root', 'systemd-nspawn');
    const rule = polkitRule('tester', 'sleeper.service', ['start', 'restart']);
    machine = await bootMachine({ units: UNITS, files: { '/etc/polkit-1/rules.d/10-test.rules': rule } });
    await machine.run(['useradd', '--system', 'tester']);
    tester = new Driver(machine, 'systemd', { user: 'tester' });
    await tester.ask('connect', {});
  });

  after(async () => {
    tester?.stop();
    await machine?.stop();
  });

  it('let anyone look and watch, and say what is missing to do more', async () => {
    await tester.ask('watch', 'other');
    await tester.event(({ condition }) => condition === 'inactive');
    const denied = await tester.ask('restart', 'other').catch((thrown: InsideError) => thrown);
    assert.ok(denied instanceof InsideError);
    assert.equal(denied.code, 'DENIED');
    assert.match(denied.message, /restart other\.service/);
    assert.match(denied.hint, /other\.service to SERVICES_WHITELIST.*install\.sh --privileges/);
    await machine.run(['systemctl', 'start', 'other']);
    await tester.event(({ condition }) => condition === 'active');
    await machine.run(['systemctl', 'stop', 'other']);
  });

  it('are exactly what a polkit rule allows: that unit, those verbs', async () => {
    const code = (method: string, unit: string) =>
      tester.ask(method, unit).then(
        () => 'done',
        (thrown: InsideError) => thrown.code,
      );
    assert.equal(await code('start', 'sleeper'), 'done');
    assert.equal(await code('restart', 'sleeper'), 'done');
    assert.equal(await code('stop', 'sleeper'), 'DENIED');
    assert.equal(await code('resetFailed', 'sleeper'), 'DENIED');
    assert.equal(await code('start', 'other'), 'DENIED');
    const states = await tester.ask<UnitState[]>('states', 'sleeper', 'other');
    assert.deepEqual(
      states.map(({ condition }) => condition),
      ['active', 'inactive'],
    );
  });
});

import assert from 'node:assert/strict';
import type { Message } from '../../nodes/kit/messages.js';
import type { Start } from '../../nodes/sense/boot/judge-start.js';
import { needs } from '../support/needs.ts';
import { Driver, until } from './driver.ts';
import { bootMachine, type Machine } from './machine.ts';

const FILE = '/var/tmp/potion.db';
const placed = (node: object) => ({ z: 'tab', x: 0, y: 0, ...node });
const FLOW = [
  { id: 'tab', type: 'tab' },
  placed({ id: 'boot', type: 'potion-boot', version: 1, restarts: true, long: 300, wires: [['out']] }),
  placed({ id: 'out', type: 'helper' }),
];

describe('boot on a real machine', function () {
  this.timeout(60_000);
  let machine: Machine;

  before(async function () {
    needs(this, 'root', 'systemd-nspawn');
    machine = await bootMachine();
  });
  after(() => machine?.stop());

  /** Starts Potion's process and waits until it has told what happened before, and noted that it runs. */
  const potion = async (): Promise<{ driver: Driver; start: Start }> => {
    const driver = new Driver(machine, 'flow', { env: { DATA_DIR: '/var/tmp' } });
    await driver.ask('start', ['sense/boot'], FLOW, FILE);
    const [told] = await until(async () => {
      const got = await driver.ask<Message[]>('got', 'out');
      return got.length > 0 ? got : undefined;
    });
    const id = (await machine.run(['cat', '/proc/sys/kernel/random/boot_id'])).trim();
    await until(async () =>
      (await driver.ask<{ bootId?: string }>('life')).bootId === id ? true : undefined,
    );
    return { driver, start: told?.payload as Start };
  };

  it('tells a first start, a crash, an orderly restart and a power cut apart', async () => {
    const first = await potion();
    assert.equal(first.start.kind, 'first');

    first.driver.stop();
    const second = await potion();
    assert.deepEqual([second.start.kind, second.start.clean], ['restart', false]);

    await second.driver.ask('stop');
    second.driver.stop();
    const third = await potion();
    assert.deepEqual([third.start.kind, third.start.clean], ['restart', true]);

    const aliveBefore = Date.now();
    await machine.powerCut();
    await machine.boot();
    const fourth = await potion();
    assert.deepEqual([fourth.start.kind, fourth.start.clean], ['boot', false]);
    const { off } = fourth.start;
    assert.ok(off && off.from <= aliveBefore && off.to >= aliveBefore, JSON.stringify(fourth.start));

    await fourth.driver.ask('stop');
    fourth.driver.stop();
    await machine.powerCut();
    await machine.boot();
    const fifth = await potion();
    assert.deepEqual([fifth.start.kind, fifth.start.clean], ['boot', true]);
  });
});

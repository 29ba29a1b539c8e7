import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { needs } from '../support/needs.ts';
import { Driver, until } from './driver.ts';
import { bootMachine, type Machine } from './machine.ts';

interface Told {
  id: number;
  text: string;
}

const SLEEP = '[Service]\nExecStart=/bin/sleep infinity\n';
const UNITS = {
  'web.service': SLEEP,
  'queue.service': SLEEP,
  'broken.service': '[Service]\nExecStart=/bin/sh -c "echo I can not go on; exit 3"\n',
};
const OUTSIDER = 666;

describe('a whole Potion on a machine with systemd', function () {
  this.timeout(120_000);
  let machine: Machine;
  let potion: Driver;

  before(async function () {
    needs(this, 'root', 'systemd-nspawn');
    machine = await bootMachine({ units: UNITS, start: ['web.service', 'queue.service'] });
    potion = new Driver(machine, 'whole', {});
    // Shorter waits than in Potion's own flows, so that a test need not last minutes.
    const quick = { 'cp-heal': { backoff: 0.3, growth: 2, stable: 1, patience: 5 } };
    await potion.ask('start', { SERVICES_WHITELIST: 'web queue broken' }, quick);
  });

  after(async () => {
    await potion?.ask('stop').catch(() => {});
    potion?.stop();
    await machine?.stop();
  });

  const messages = (chat?: number) => potion.ask<Told[]>('messages', ...(chat ? [chat] : []));
  /** The message of the bot that fits, once it is there. */
  const heard = (text: RegExp) =>
    until(
      async () => (await messages()).find((message) => text.test(message.text)),
      30_000,
      () => `waiting for ${text}`,
    ).catch(async (thrown) => {
      throw new Error(`${thrown.message}; heard: ${JSON.stringify(await messages())}`);
    });
  const stateOf = async (unit: string) =>
    (await machine.exec(['systemctl', 'is-active', unit])).stdout.trim();

  it('tells the state of its services', async () => {
    await potion.ask('say', '/services');
    const list = await heard(/Service/);
    assert.match(list.text, /🟢 web — jalan/);
    assert.match(list.text, /⚪ broken — berhenti/);
  });

  it('heals a unit that was killed, and tells it in one quiet message', async () => {
    const before = await machine.run(['systemctl', 'show', '-P', 'MainPID', 'web']);
    await machine.run(['systemctl', 'kill', '--kill-whom=main', '--signal=KILL', 'web']);
    await heard(/web.*sudah aku hidupkan lagi/);
    assert.equal(await stateOf('web'), 'active');
    assert.notEqual(await machine.run(['systemctl', 'show', '-P', 'MainPID', 'web']), before);
    const about = (await messages()).filter(({ text }) => /\bweb\b.*(mati|hidup)/.test(text));
    assert.equal(about.length, 1, JSON.stringify(about));
  });

  it('gives up on a unit that crash-loops, after its budget, with exactly one incident', async () => {
    await machine.exec(['systemctl', 'start', 'broken']);
    const gaveUp = await heard(/broken.*menyerah/);
    await until(
      async () => ((await potion.ask<number>('told', 'I can not go on')) > 0 ? true : undefined),
      10_000,
    );
    await sleep(2000);
    const starts = await machine.run([
      'journalctl',
      '--unit=broken',
      '--output=cat',
      '--grep=I can not go on',
    ]);
    assert.equal(starts.split('\n').length, 4, 'the start by hand and three tries');
    const surrenders = (await messages()).filter(({ text }) => /broken.*menyerah/.test(text));
    assert.deepEqual(
      surrenders.map(({ id }) => id),
      [gaveUp.id],
    );
  });

  it('stops a unit when an admin confirms it, and leaves it alone afterwards', async () => {
    await potion.ask('say', '/svc stop queue');
    const question = await heard(/Yakin mau stop queue/);
    assert.equal(await stateOf('queue'), 'active', 'nothing happens before the YA');
    await potion.ask('press', question.id, '✅ Ya');
    await heard(/queue.*sudah berhenti/);
    await sleep(2500);
    assert.equal(await stateOf('queue'), 'inactive');
    const lines = (await potion.ask<string>('audit')).split('\n').filter((line) => line.includes('queue'));
    assert.ok(lines.length >= 2, `request, confirmation and result are audited: ${lines.join('\n')}`);
  });

  it('refuses a unit that is not on the whitelist', async () => {
    await potion.ask('say', '/svc stop dbus');
    await heard(/dbus/);
    assert.equal(await stateOf('dbus'), 'active');
  });

  it('gives an outsider nothing, and keeps a line about it', async () => {
    await potion.ask('say', '/status', OUTSIDER);
    await potion.ask('say', '/svc stop web', OUTSIDER);
    await until(async () =>
      (await potion.ask<string>('audit')).includes(String(OUTSIDER)) ? true : undefined,
    );
    await sleep(500);
    assert.deepEqual(await messages(OUTSIDER), []);
    assert.equal(await stateOf('web'), 'active');
  });

  it('never writes its token to the log', async () => {
    assert.doesNotMatch(await potion.ask<string>('log'), /AAFake/);
  });
});

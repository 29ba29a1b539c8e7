import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ManualClock, systemClock } from '../../nodes/kit/clock.js';
import { setClock } from '../../nodes/kit/define-node.js';
import { type Database, openDatabase } from '../../nodes/state/database.js';
import type { Sandbox } from '../../ops/sandbox/server.js';
import { HOME, type Running } from '../support/node-red.ts';
import { botNode, deliveryNodes, startTelegram, telegramFlow } from '../support/telegram.ts';

const MINUTE = 60_000;
const HOURS = 9;

/** Potion's own alert nodes and the say node behind them, as they stand in its flows. */
function alerting(): object[] {
  const nodes: { id: string; type: string }[] = JSON.parse(
    readFileSync(join(HOME, 'flows/co-pilot.cp.json'), 'utf8'),
  );
  return nodes
    .filter(({ id, type }) => type === 'potion-alert' || id === 'cp-alert-say')
    .map((node) => ({ ...node, z: 'tab', g: undefined }))
    .map((node) => (node.type === 'potion-say' ? { ...node, wires: [['outbox']] } : node));
}

describe('the Bot API away for nine hours', function () {
  this.timeout(60_000);
  let telegram: Sandbox;
  let flow: Running;
  let db: Database;
  let clock: ManualClock;

  beforeEach(async () => {
    // Alerts are judged from the boot on, and this machine was booted some time ago.
    clock = new ManualClock(Date.now());
    setClock(clock);
    telegram = await startTelegram();
    db = await openDatabase(':memory:');
    const nodes = [botNode(telegram.url), ...alerting(), ...deliveryNodes()];
    flow = await telegramFlow(['tell/outbox', 'tell/say', 'judge/alert'], nodes, db);
  });
  afterEach(async () => {
    await flow.stop();
    await telegram.stop();
    await db.destroy();
    setClock(systemClock);
  });

  const texts = () => telegram.messages().map(({ text }) => text ?? '');
  const waiting = async () =>
    (await db.selectFrom('outbox').select('id').where('state', 'in', ['queued', 'sending']).execute()).length;
  /** One minute of simulated life, in which the machine is as told. */
  async function live(minutes: number, measures: { load: number; root: number }): Promise<void> {
    for (let minute = 0; minute < minutes; minute++) {
      const payload = {
        cpu: { load: measures.load },
        memory: { available: 2e9 },
        disks: { '/': { ratio: measures.root } },
        temperature: { cpu: 60 },
      };
      for (const id of ['cp-cpu', 'cp-memory', 'cp-disk', 'cp-temperature'])
        flow.give(id, { payload, timestamp: clock.now() });
      // What the minute has led to is on its way before the next begins.
      await sleep(4);
      clock.advance(MINUTE);
    }
  }
  async function back(): Promise<void> {
    await telegram.faults.up();
    for (let left = 400; left > 0 && (await waiting()) > 0; left--) {
      clock.advance(10_000);
      await sleep(20);
    }
  }

  it('rings once it is back: what still fires is named, what has passed is told with its times', async () => {
    await telegram.faults.down();
    await live(60, { load: 0.2, root: 0.5 });
    await live(30, { load: 0.99, root: 0.5 });
    await live(120, { load: 0.2, root: 0.5 });
    await live(30, { load: 0.99, root: 0.5 });
    await live(HOURS * 60 - 240, { load: 0.2, root: 0.97 });
    assert.deepEqual(texts(), []);
    assert.ok((await waiting()) > 0, 'all of it is kept in the database');

    await back();
    assert.equal(await waiting(), 0);
    const all = texts().join('\n');
    assert.equal(all.match(/🔴 Disk \/ hampir penuh/g)?.length, 1, all);
    assert.equal(all.match(/🟠 CPU lagi/g)?.length, 2, `both times of load, each told once:\n${all}`);
    assert.equal(all.match(/✅ CPU sudah aman lagi/g)?.length, 2, all);
    assert.match(all, /🕓 Telat: ini dari .*\d{2}\.\d{2} sampai \d{2}\.\d{2}/, 'from when to when');
    assert.ok(texts().length <= 4, `no storm after ${HOURS} hours:\n${all}`);
  });

  it('stays silent when it is back and nothing has happened', async () => {
    await telegram.faults.down();
    await live(HOURS * 60, { load: 0.3, root: 0.4 });
    await back();
    assert.deepEqual(texts(), []);
  });
});

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { bootId } from '../../nodes/host/boot-id.js';
import { ManualClock, systemClock } from '../../nodes/kit/clock.js';
import { setClock } from '../../nodes/kit/define-node.js';
import type { Message } from '../../nodes/kit/messages.js';
import type { Start } from '../../nodes/sense/boot/judge-start.js';
import { type Database, openDatabase } from '../../nodes/state/database.js';
import { keepLife, type Life, lastLife } from '../../nodes/state/lifecycle.js';
import { HOME, type Running, startFlow } from '../support/node-red.ts';

const { asNewProcess } = createRequire(import.meta.url)(join(HOME, 'nodes/sense/boot/boot.js')) as {
  asNewProcess(): void;
};
const node = (more: object = {}) => ({
  id: 'boot',
  type: 'potion-boot',
  z: 'tab',
  version: 1,
  restarts: false,
  long: 300,
  wires: [['out']],
  ...more,
});
const REST = [
  { id: 'tab', type: 'tab' },
  { id: 'out', type: 'helper', z: 'tab' },
  { id: 'catch', type: 'catch', z: 'tab', x: 0, y: 0, wires: [['caught']] },
  { id: 'caught', type: 'helper', z: 'tab' },
];

describe('boot', () => {
  let db: Database;
  let clock: ManualClock;
  let flow: Running;

  beforeEach(async () => {
    clock = new ManualClock();
    setClock(clock);
    db = await openDatabase(':memory:');
  });
  afterEach(async () => {
    await flow.stop();
    await db.destroy();
    setClock(systemClock);
    asNewProcess();
  });

  const lived = (more: Partial<Life>) =>
    keepLife(db, { bootId: 'another', startedAt: 0, aliveAt: clock.now() - 900_000, clean: false, ...more });

  /** Starts the flow and lets it run for some seconds. */
  const run = async (more: object = {}, others: object[] = []) => {
    flow = await startFlow(['sense/boot'], [node(more), ...others, ...REST], db);
    await pass(5);
  };
  const pass = async (seconds: number) => {
    for (let i = 0; i < seconds; i++) {
      clock.advance(1000);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  const startIn = (msg: Message | undefined) => msg?.payload as Start;

  it('tells of the power cut before this start, with a text for say', async () => {
    await lived({});
    await run();
    const [msg, ...more] = flow.got('out');
    assert.deepEqual(more, []);
    const start = startIn(msg);
    assert.equal(start.kind, 'boot');
    assert.equal(start.clean, false);
    // Told one second after the start.
    assert.equal(start.off?.took, 900);
    assert.equal(msg?.say?.text, 'boot.message');
    assert.equal(msg?.say?.silent, false);
  });

  it('tells of a crash of Potion alone', async () => {
    await lived({ bootId: bootId() });
    await run();
    const start = startIn(flow.got('out')[0]);
    assert.deepEqual([start.kind, start.clean], ['restart', false]);
  });

  it('says nothing after a short restart in order, but shows it', async () => {
    await lived({ bootId: bootId(), clean: true, aliveAt: clock.now() - 10_000 });
    await run();
    assert.deepEqual(flow.got('out'), []);
    assert.equal(flow.statuses('boot').at(-1)?.fill, 'green');
  });

  it('tells of it when asked to', async () => {
    await lived({ bootId: bootId(), clean: true, aliveAt: clock.now() - 10_000 });
    await run({ restarts: true });
    assert.equal(startIn(flow.got('out')[0]).kind, 'restart');
    assert.equal(flow.got('out')[0]?.say?.silent, true);
  });

  it('notes every half minute that it runs, and an orderly end', async () => {
    await run();
    await pass(60);
    const running = await lastLife(db);
    assert.equal(running?.clean, false);
    assert.equal(running?.bootId, bootId());
    assert.ok(clock.now() - (running?.aliveAt ?? 0) <= 30_000);
    await flow.stop();
    assert.deepEqual(await lastLife(db), { ...running, aliveAt: clock.now(), clean: true });
  });

  it('tells nothing at a deploy, and goes on noting that it runs', async () => {
    await lived({});
    await run();
    await flow.stop();
    await run();
    assert.deepEqual(flow.got('out'), []);
    assert.equal((await lastLife(db))?.clean, false);
  });

  it('tells again what a crash right after the start may have swallowed, under the same key', async () => {
    await lived({});
    flow = await startFlow(['sense/boot'], [node(), ...REST], db);
    await pass(2);
    const key = flow.got('out')[0]?.say?.dedupe;
    assert.ok(key);
    assert.equal((await lastLife(db))?.bootId, 'another');
    // A crash: the process is gone before anything more was kept.
    const before = await lastLife(db);
    await flow.stop();
    await keepLife(db, before as Life);
    asNewProcess();
    await run();
    assert.equal(flow.got('out')[0]?.say?.dedupe, key);
  });

  it('calls an end before it has told anything a crash, unless it was stopped in order', async () => {
    await lived({ clean: true });
    const before = await lastLife(db);
    flow = await startFlow(['sense/boot'], [node(), ...REST], db);
    await pass(0.01);
    assert.deepEqual(await lastLife(db), { ...before, clean: false });
    await flow.stop();
    assert.deepEqual(await lastLife(db), before);
  });

  it('leaves the work to one node', async () => {
    await run({}, [node({ id: 'second' })]);
    assert.equal(flow.got('out').length, 1);
    assert.equal(flow.statuses('second').at(-1)?.shape, 'ring');
  });

  it('reports a database that can’t be written to once', async () => {
    await run();
    await db.schema.dropTable('lifecycle').execute();
    await pass(120);
    assert.equal(flow.got('caught').length, 1);
  });

  it('refuses a time limit that makes no sense', async () => {
    await run({ long: '-1' });
    assert.equal(flow.got('caught')[0]?.error?.code, 'INVALID');
  });
});

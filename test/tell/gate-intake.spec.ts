import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KyselyPlugin } from 'kysely';
import { readConfig, setConfig } from '../../nodes/kit/config.js';
import { type Database, openDatabase } from '../../nodes/state/database.js';
import type { Sandbox } from '../../ops/sandbox/server.js';
import type { Running } from '../support/node-red.ts';
import { botNode, deliveryNodes, PERSON, startTelegram, telegramFlow } from '../support/telegram.ts';

const POLL_INTERVAL = 50;

const nodes = (url: string) => [
  botNode(url, { updatemode: 'polling', pollinterval: POLL_INTERVAL }),
  { id: 'receiver', type: 'telegram receiver', z: 'tab', bot: 'bot', wires: [['gate'], ['gate']] },
  { id: 'gate', type: 'potion-gate', z: 'tab', wires: [[], []] },
  { id: 'look', type: 'potion-command', z: 'tab', command: 'look', wires: [['looked']] },
  { id: 'looked', type: 'helper', z: 'tab' },
  ...deliveryNodes(),
];

describe('a gate whose disk is slow', () => {
  let home: string;
  let telegram: Sandbox;
  let db: Database;
  let flow: Running;
  /** Every statement takes until this is settled. */
  let disk = Promise.withResolvers<void>();

  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'potion-intake-'));
    const slow: KyselyPlugin = {
      transformQuery: ({ node }) => node,
      transformResult: async ({ result }) => {
        await disk.promise;
        return result;
      },
    };
    telegram = await startTelegram();
    db = (await openDatabase(':memory:')).withPlugin(slow);
    disk.resolve();
  });
  afterEach(async () => {
    disk.resolve();
    const stopped = flow.stop();
    await telegram.stop();
    await stopped;
    await db.destroy();
    rmSync(home, { recursive: true });
  });

  const start = async () => {
    flow = await telegramFlow(['tell/gate', 'tell/command', 'tell/outbox'], nodes(telegram.url), db);
    setConfig(readConfig({ ADMIN_IDS: String(PERSON) }, home));
  };
  const waiting = () => telegram.world.updates.pending.length;

  /** A crash loses what waits for the disk and no longer for Potion. */
  const staysUntilKept = async () => {
    const looked = flow.next('looked', 5000);
    telegram.say('/look');
    await once(telegram, 'request');
    await sleep(4 * POLL_INTERVAL);
    assert.equal(waiting(), 1);
    disk.resolve();
    await looked;
    while (waiting() > 0) await sleep(POLL_INTERVAL);
  };

  it('confirms an update to Telegram only when it is kept', async () => {
    await start();
    telegram.say('/look');
    await flow.next('looked', 5000);
    while (waiting() > 0) await sleep(POLL_INTERVAL);
    disk = Promise.withResolvers();
    await staysUntilKept();
  });

  it('does so from its start on, before the database is there', async () => {
    disk = Promise.withResolvers();
    await start();
    await staysUntilKept();
  });
});

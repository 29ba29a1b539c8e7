import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '../../nodes/state/database.js';
import { enqueue } from '../../nodes/state/outbox.js';
import { botNode, deliveryNodes, PERSON, startTelegram, telegramFlow } from '../support/telegram.ts';
import { percentile, type Row } from './table.ts';

const MESSAGES = 200;
const ENQUEUES = 2000;
const LIMITS = { messages: 10_000, characters: 20_000_000 };

/** Time from a decision to its message at the Bot API, through say, outbox and sender, with a real database. */
export async function delivery(): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'potion-bench-'));
  const db = await openDatabase(join(folder, 'potion.db'));
  const telegram = await startTelegram();
  const say = {
    text: '{{ payload }}',
    textType: 'template',
    to: 'admins',
    chat: '',
    kind: 'alert',
    buttons: '',
  };
  const flow = [
    botNode(telegram.url),
    { id: 'say', type: 'potion-say', z: 'tab', version: 1, fileAbove: 0, ...say, wires: [['outbox']] },
    ...deliveryNodes(),
  ];
  const running = await telegramFlow(['tell/say', 'tell/outbox'], flow, db);
  try {
    const times: number[] = [];
    for (let i = 0; i < MESSAGES; i++) {
      const text = `decision ${i}`;
      const arrived = telegram.waitFor((message) => message.text === text, 10_000);
      const decided = performance.now();
      running.give('say', { payload: text });
      await arrived;
      times.push(performance.now() - decided);
    }
    const [p50, p95] = [0.5, 0.95].map((share) => percentile(times, share).toFixed(0));
    return [
      {
        what: 'decision → message at the Bot API',
        figure: `p95 ${p95} ms (p50 ${p50} ms)`,
        aim: 'p95 ≤ 100 ms',
      },
    ];
  } finally {
    await running.stop();
    await telegram.stop();
    await db.destroy();
    rmSync(folder, { recursive: true });
  }
}

/** Messages per second that the outbox takes in, each on the disk before it is acknowledged. */
export async function enqueues(): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'potion-bench-'));
  const measure = async (file: string) => {
    const db = await openDatabase(file);
    const started = performance.now();
    for (let i = 0; i < ENQUEUES; i++) {
      const draft = { chat: PERSON, html: `message ${i}`, kind: 'notice' as const, at: Date.now() };
      await enqueue(db, [draft], Date.now(), LIMITS);
    }
    const rate = ENQUEUES / ((performance.now() - started) / 1000);
    await db.destroy();
    return rate;
  };
  try {
    const durable = await measure(join(folder, 'potion.db'));
    const memory = await measure(':memory:');
    return [
      {
        what: 'durable enqueues',
        figure: `${durable.toFixed(0)}/s`,
        against: `the same in memory, without a disk (${memory.toFixed(0)}/s)`,
      },
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

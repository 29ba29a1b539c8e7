import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock, systemClock } from '../../nodes/kit/clock.js';
import { readConfig, setConfig } from '../../nodes/kit/config.js';
import { setClock } from '../../nodes/kit/define-node.js';
import type { Message } from '../../nodes/kit/messages.js';
import { type Database, openDatabase } from '../../nodes/state/database.js';
import { type Others, type Running, startFlow } from './node-red.ts';

export const ADMIN = 42;
export const OTHER_ADMIN = 43;
export const STRANGER = 666;
export const NOW = Date.UTC(2026, 0, 1, 12);

const NODES = ['tell/gate', 'tell/command', 'tell/confirm', 'tell/help'];

/** A gate with two commands: `/svc`, which changes something and asks first, and `/look`, which only reads. */
const CANVAS: { id: string; [property: string]: unknown }[] = [
  { id: 'tab', type: 'tab' },
  { id: 'gate', z: 'tab', type: 'potion-gate', wires: [['say'], ['presses']] },
  {
    id: 'svc',
    z: 'tab',
    type: 'potion-command',
    command: 'svc',
    args: '<start|stop|restart> <unit>',
    changes: true,
    wires: [['confirm', 'asked']],
  },
  {
    id: 'confirm',
    z: 'tab',
    type: 'potion-confirm',
    action: '{{ payload.action }} {{ payload.unit }}',
    ttl: 60,
    wires: [['done'], ['say']],
  },
  {
    id: 'look',
    z: 'tab',
    type: 'potion-command',
    command: 'look',
    buttonId: '📊 Status',
    wires: [['looked']],
  },
  { id: 'now', z: 'tab', type: 'potion-command', command: 'now', changes: true, wires: [['did']] },
  { id: 'catch', z: 'tab', type: 'catch', wires: [['failed']] },
  ...['say', 'presses', 'asked', 'done', 'looked', 'did', 'failed'].map((id) => ({
    id,
    z: 'tab',
    type: 'helper',
  })),
];

// With a place on the canvas, or Node-RED takes the nodes for config nodes and their names for references.
export const FLOW = CANVAS.map((node) => (node.type === 'tab' ? node : { ...node, x: 1, y: 1 }));

const ENVIRONMENT = {
  ADMIN_IDS: `${ADMIN},${OTHER_ADMIN}`,
  SERVICES_WHITELIST: 'nginx',
  POTION_LANG: 'en-US',
};

/** A running gate, its clock and what it has written. */
export interface House {
  flow: Running;
  db: Database;
  clock: ManualClock;
  /** Everything that reached this helper node, once nothing more is under way. */
  all(node: string): Promise<Message[]>;
  /** Gives an update to the gate and waits until it has been dealt with. */
  give(msg: Message): Promise<void>;
  /** Event, action, target and result of the audit table with the person, oldest first. */
  audit(): Promise<string[]>;
  /** The lines of actions.log. */
  log(): string[];
  /** As a crash and a new start: another Node-RED on the same database. */
  restart(flow?: object[]): Promise<void>;
  stop(): Promise<void>;
}

/** Starts the flow with a clock of its own, a database and a log folder. */
export async function openHouse(
  flow: object[] = FLOW,
  env: Record<string, string> = {},
  others: Others = {},
): Promise<House> {
  const home = mkdtempSync(join(tmpdir(), 'potion-door-'));
  setConfig(readConfig({ ...ENVIRONMENT, ...env }, home));
  const clock = new ManualClock(NOW);
  setClock(clock);
  const db = await openDatabase(':memory:');
  const house = {
    flow: await startFlow(NODES, flow, db, others),
    db,
    clock,
    all: async (node: string) => {
      await settled();
      return house.flow.got(node);
    },
    give: async (msg: Message) => {
      house.flow.give('gate', msg);
      await settled();
    },
    audit: async () => {
      await settled();
      const rows = await db.selectFrom('audit').selectAll().orderBy('id').execute();
      return rows.map((row) =>
        [row.user_id ?? '-', row.event, row.action, row.target, row.result]
          .filter((part) => part !== null)
          .join(' '),
      );
    },
    log: () => readFileSync(join(home, 'data/logs/actions.log'), 'utf8').trim().split('\n'),
    restart: async (next: object[] = flow) => {
      await house.flow.stop();
      house.flow = await startFlow(NODES, next, db, others);
      await settled();
    },
    stop: async () => {
      await house.flow.stop();
      await db.destroy();
      setClock(systemClock);
      setConfig(undefined);
      rmSync(home, { recursive: true });
    },
  };
  await settled();
  return house;
}

// The database in memory answers within microtasks; Node-RED hands messages on with setImmediate.
async function settled(): Promise<void> {
  for (let turn = 0; turn < 60; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** A message's payload, which the test knows the shape of. */
export function payloadOf<T>(msg: Message | undefined): T {
  return msg?.payload as T;
}

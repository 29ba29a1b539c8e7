import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { NodeAPI } from 'node-red';
import helper from 'node-red-node-test-helper';
import type { Clock } from '../../../nodes/kit/clock.js';
import { PotionError } from '../../../nodes/kit/errors.js';
import type { Message } from '../../../nodes/kit/messages.js';
import { type Database, openDatabase, useDatabase } from '../../../nodes/state/database.js';
import { changesSomething, type FlowNode, shippedNodes } from '../../support/changes.ts';
import { HOME } from '../../support/node-red.ts';

const require = createRequire(import.meta.url);

/** A clock that runs faster than the machine's, timers too: a minute's silence is over in seconds. */
export function fastClock(times: number): Clock {
  const start = Date.now();
  const zero = performance.now();
  const elapsed = () => (performance.now() - zero) * times;
  const limit = 2 ** 31 - 1;
  return {
    now: () => Math.round(start + elapsed()),
    monotonic: elapsed,
    after(ms, run) {
      const timer = setTimeout(run, Math.min(ms / times, limit));
      return () => clearTimeout(timer);
    },
    every(ms, run) {
      const timer = setInterval(run, Math.max(1, Math.min(ms / times, limit)));
      return () => clearInterval(timer);
    },
  };
}

/** A message that reached a node which would have changed something. */
export interface Change {
  node: string;
  action: string | undefined;
  request: Message['request'];
  confirmed: string | undefined;
}

/** A call of the bot: what Telegram would have been asked to do. */
export interface Call {
  method: string;
  chat: number | undefined;
  /** The button press that it answers. */
  press: string | undefined;
  text: string;
  buttons: string[];
}

export interface House {
  db: Database;
  calls: Call[];
  changes: Change[];
  /** Gives an update to the gate, as the receiver does. */
  give(msg: Message): void;
  stop(): Promise<void>;
}

/** Watchers and timers do their own work, whatever people send; without them it is clear who caused what. */
const LEFT_OUT = new Set([
  ...['inject', 'potion-watchdog', 'telegram control', 'potion-heartbeat', 'potion-services'],
  ...['potion-self-heal', 'potion-boot'],
]);

/**
 * Runs all of Potion's flows as they are in the flow files. Telegram is a note-taker, and nodes that would change
 * something fail at their door with what reached them written down.
 * @param careless without the questions, to see whether that is noticed
 */
export async function openHouse(careless: boolean): Promise<House> {
  const db = await openDatabase(':memory:');
  useDatabase(db);
  const calls: Call[] = [];
  const changes: Change[] = [];
  const flow = (careless ? withoutQuestions(shippedNodes()) : shippedNodes()).filter(
    ({ type }) => !LEFT_OUT.has(type),
  );
  const types = new Set(flow.map(({ type }) => type));
  const modules = [...potionModules(types), ...coreModules(types), telegramOf(calls)];
  watchDoors(changes);
  const inside = helper as unknown as { _nodeModules: object };
  helper.init(require.resolve('node-red'));
  // They are given below, each once; the helper would load them once for each node.
  inside._nodeModules = {};
  await helper.load(modules as never, flow as never, {} as never);
  return {
    db,
    calls,
    changes,
    give: (msg) => (helper.getNode('tg-gate') as unknown as { receive(msg: unknown): void }).receive(msg),
    stop: async () => {
      await helper.unload();
      useDatabase(undefined);
      await db.destroy();
    },
  };
}

/** As if somebody had wired commands straight to what they do. */
function withoutQuestions(nodes: FlowNode[]): FlowNode[] {
  return nodes.map((node) =>
    node.type === 'potion-confirm'
      ? { ...node, type: 'change', rules: [], wires: [node.wires?.[0] ?? []] }
      : node,
  );
}

function potionModules(types: ReadonlySet<string>): unknown[] {
  const { nodes } = JSON.parse(readFileSync(join(HOME, 'package.json'), 'utf8'))['node-red'];
  return Object.entries(nodes as Record<string, string>)
    .filter(([type]) => types.has(type))
    .map(([, file]) => require(join(HOME, file)).default);
}

/** The files of Node-RED's own nodes that the flows use, found by what they register. */
function coreModules(types: ReadonlySet<string>): unknown[] {
  const core = join(HOME, 'node_modules/@node-red/nodes/core');
  return readdirSync(core, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\d\d-[\w-]+\.js$/.test(file) && !file.includes('lib'))
    .filter((file) => {
      const source = readFileSync(join(core, file), 'utf8');
      return [...source.matchAll(/registerType\("([^"]+)"/g)].some(([, type]) => types.has(type as string));
    })
    .map((file) => require(join(core, file)));
}

/** Telegram's nodes, which note what they are asked for and answer that it has been done. */
function telegramOf(calls: Call[]): (RED: NodeAPI) => void {
  let messageId = 1_000_000;
  const { EventEmitter } = require('node:events');
  return (RED) => {
    const plain = (type: string, input?: (this: never, msg: Message, send: (out: unknown) => void) => void) =>
      RED.nodes.registerType(type, function (this: never, config: object) {
        RED.nodes.createNode(this, config as never);
        const node = this as unknown as { on: (event: string, listener: unknown) => void };
        const bot = new EventEmitter();
        Object.assign(node, { config: this, usePolling: true, getTelegramBot: () => bot });
        if (input)
          node.on('input', function (this: never, msg: Message, send: never, done: () => void) {
            input.call(this, msg, send);
            done();
          });
      } as never);
    plain('telegram bot');
    plain('telegram receiver');
    plain('telegram sender', (msg, send) => {
      const call = callOf(msg.payload as Record<string, unknown>);
      calls.push(call);
      setImmediate(() => send([{ ...msg, payload: { sentMessageId: ++messageId } }, null]));
    });
  };
}

function callOf(payload: Record<string, unknown>): Call {
  const {
    type,
    method,
    args = [],
    callbackQueryId,
    options,
  } = payload as {
    type: string;
    method?: string;
    args?: unknown[];
    callbackQueryId?: string;
    options?: unknown;
  };
  const all = JSON.stringify([args, options]);
  const edited = (args[1] as { chat_id?: number } | undefined)?.chat_id;
  const chat = method?.startsWith('edit') ? edited : typeof args[0] === 'number' ? args[0] : undefined;
  const text = args.find((one) => typeof one === 'string') ?? '';
  const buttons = [...all.matchAll(/"callback_data":"((?:[^"\\]|\\.)*)"/g)].map(([, data]) =>
    JSON.parse(`"${data}"`),
  );
  return { method: method ?? type, chat, press: callbackQueryId, text: String(text), buttons };
}

/** Notes what reaches a node that would change something, and lets it fail there. */
function watchDoors(changes: Change[]): void {
  // Node-RED's own copy, which is no dependency of Potion.
  const ofNodeRed = createRequire(require.resolve('node-red'));
  const { hooks } = ofNodeRed('@node-red/util') as {
    hooks: { add(name: string, hook: (event: unknown) => boolean | undefined): void };
  };
  hooks.add('onReceive.potion-fuzz', (event) => {
    const { msg, destination } = event as {
      msg: Message;
      destination: { node: FlowNode & { error(thrown: unknown, msg: unknown): void } };
    };
    const { node } = destination;
    const own = flowNode(node.id)?.action;
    const action = msg.action ?? own;
    if (!changesSomething(node.type, action)) return undefined;
    changes.push({ node: node.id, action, request: msg.request, confirmed: msg.confirmed });
    node.error(new PotionError('CANCELLED', 'errors.program-cancelled', { program: node.id }), msg);
    return false;
  });
}

const shipped = new Map(shippedNodes().map((node) => [node.id, node]));

function flowNode(id: string): FlowNode | undefined {
  return shipped.get(id);
}

import type { Node, NodeAPI, NodeDef, NodeMessageInFlow } from 'node-red';
import { type Clock, systemClock } from './clock.js';
import { config as environment, stayIn } from './config.js';
import { toPotionError } from './errors.js';
import { render } from './locale.js';
import type { Message } from './messages.js';

/** What a node sends: one message for output 1, or one entry per output (null for none, an array for several). */
export type Out = Message | (Message | Message[] | null)[];

export interface Status {
  fill: 'green' | 'yellow' | 'red' | 'blue' | 'grey';
  shape?: 'dot' | 'ring';
  text: string;
}

/** What a node gets to work with. */
export interface NodeContext<C> {
  id: string;
  config: C & { name?: string };
  clock: Clock;
  /** Aborted when the node closes: pass it to run() and to anything that waits. */
  signal: AbortSignal;
  /** Sends without an input, e.g. an event that was noticed. */
  send(out: Out): void;
  /** Shows the node's state in the editor; nothing clears it. */
  status(status?: Status): void;
  /** Reports a failure that belongs to no input message; Catch nodes see it. */
  fail(thrown: unknown, msg?: Message): void;
  log(text: string): void;
  warn(text: string): void;
  /** A text of the locale in Potion's language, plain. */
  t(key: string, data?: object): string;
  RED: NodeAPI;
  /** The Node-RED node itself, for what is not offered here. */
  node: Node;
}

/**
 * The life of one node. Creating it only stores; `start` opens what it needs, `stop` closes it again and is
 * awaited by Node-RED (15 s at most).
 */
export interface Behaviour {
  start?(): void | Promise<void>;
  /** What is returned is sent. What is thrown ends the message as a failure. */
  input?(msg: Message, send: (out: Out) => void): Out | undefined | Promise<Out | undefined>;
  stop?(removed: boolean): void | Promise<void>;
}

export interface NodeSpec<C extends object> {
  /** `potion-<folder>`. */
  type: string;
  /** Version of the node's configuration; the editor saves it as `version`. */
  version: number;
  /** `migrations[n]` turns a configuration of version n into one of version n + 1. */
  migrations?: Record<number, (old: Record<string, unknown>) => Record<string, unknown>>;
  /** Refuses a configuration that makes no sense. @throws PotionError INVALID */
  check?(config: C): void;
  create(context: NodeContext<C>): Behaviour;
}

let clockForNewNodes: Clock = systemClock;

/** Gives the nodes created from now on another clock; for tests. */
export function setClock(clock: Clock): void {
  clockForNewNodes = clock;
}

/** Brings a saved configuration up to the version that the code understands. */
export function migrate<C extends object>(spec: NodeSpec<C>, saved: Record<string, unknown>): C {
  let version = typeof saved.version === 'number' ? saved.version : 1;
  let config = { ...saved };
  for (; version < spec.version; version++) config = spec.migrations?.[version]?.(config) ?? config;
  return { ...config, version: spec.version } as unknown as C;
}

/**
 * Turns a spec into what Node-RED loads. Nothing thrown or rejected inside leaves it: a failed input ends with
 * `done(error)`, a failed start shows on the node and reaches Catch, close always completes.
 */
export function defineNode<C extends object>(spec: NodeSpec<C>): (RED: NodeAPI) => void {
  return (RED) => {
    stayIn(RED.settings.userDir);
    function register(this: Node, def: NodeDef) {
      RED.nodes.createNode(this, def);
      attach(RED, this, spec, def as unknown as Record<string, unknown>);
    }
    RED.nodes.registerType(spec.type, register);
  };
}

const waitingForFlows = new WeakMap<object, (() => void)[]>();

/** Runs something once the flows that are being created have started: before that no Catch node hears it. */
function afterFlowsStarted(RED: NodeAPI, run: () => void): void {
  let waiting = waitingForFlows.get(RED.events);
  if (!waiting) {
    const list: (() => void)[] = [];
    RED.events.on('flows:started', () => {
      for (const next of list.splice(0)) next();
    });
    waitingForFlows.set(RED.events, list);
    waiting = list;
  }
  waiting.push(run);
}

function attach<C extends object>(
  RED: NodeAPI,
  node: Node,
  spec: NodeSpec<C>,
  def: Record<string, unknown>,
): void {
  const closing = new AbortController();
  const context = contextFor<C>(RED, node, migrate(spec, def), closing.signal);
  let behaviour: Behaviour = {};
  let broken: unknown;
  let started: Promise<void> = Promise.resolve();
  const failLater = (thrown: unknown) =>
    afterFlowsStarted(RED, () => {
      if (!closing.signal.aborted) context.fail(thrown);
    });
  try {
    spec.check?.(context.config);
    behaviour = spec.create(context);
    started = Promise.resolve(behaviour.start?.()).catch(failLater);
  } catch (thrown) {
    broken = thrown;
    failLater(thrown);
  }

  node.on('input', (msg: NodeMessageInFlow, send, done) => {
    const answer = async () => {
      if (broken) throw broken;
      await started;
      const out = await behaviour.input?.(msg as Message, send as unknown as (out: Out) => void);
      if (out) (send as unknown as (out: Out) => void)(out);
    };
    answer().then(
      () => done(),
      (thrown: unknown) => {
        if (closing.signal.aborted) return done();
        const error = toPotionError(thrown);
        context.status({ fill: 'red', shape: 'ring', text: error.message.slice(0, 80) });
        done(error);
        // Node-RED leaves out of the log what a Catch node takes, whatever becomes of it there.
        node.warn(error);
      },
    );
  });

  node.on('close', (removed: boolean, done: () => void) => {
    closing.abort();
    started
      .then(() => behaviour.stop?.(removed))
      .catch((thrown: unknown) => node.warn(toPotionError(thrown).message))
      .then(() => done());
  });
}

function contextFor<C>(RED: NodeAPI, node: Node, config: C, signal: AbortSignal): NodeContext<C> {
  return {
    id: node.id,
    config: config as C & { name?: string },
    clock: clockForNewNodes,
    signal,
    send: (out) => {
      if (!signal.aborted) node.send(out as Parameters<Node['send']>[0]);
    },
    status: (status) => {
      if (!signal.aborted) node.status(status ? { shape: 'dot', ...status } : '');
    },
    fail: (thrown, msg) => {
      const error = toPotionError(thrown);
      if (!signal.aborted) node.status({ fill: 'red', shape: 'ring', text: error.message.slice(0, 80) });
      node.error(error, (msg ?? {}) as never);
      node.warn(error);
    },
    log: (text) => node.log(text),
    warn: (text) => node.warn(text),
    t: (key, data) => render(environment().lang, key, data, 'plain'),
    RED,
    node,
  };
}

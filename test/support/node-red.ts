import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NodeAPI } from 'node-red';
import helper from 'node-red-node-test-helper';
import type { Message } from '../../nodes/kit/messages.js';
import { type Database, openDatabase, useDatabase } from '../../nodes/state/database.js';

/** Root of the checkout. */
export const HOME = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

const require = createRequire(import.meta.url);
helper.init(require.resolve('node-red'));

/** A node as Node-RED loads it, by wing and name: `loadNode('judge/alert')`. */
export function loadNode(path: string): (RED: NodeAPI) => void {
  const name = path.split('/').at(-1);
  return require(join(HOME, 'nodes', path, `${name}.js`)).default;
}

/** A node that Node-RED brings itself: `loadCore('common/25-catch.js')`. */
export function loadCore(file: string): unknown {
  return require(`@node-red/nodes/core/${file}`);
}

/** What a flow has beside Potion's nodes. */
export interface Others {
  /** Nodes of other packages, as their modules export them. */
  nodes?: unknown[];
  /** By node id. */
  credentials?: Record<string, Record<string, string>>;
}

/** The running node of this id itself. */
export function nodeOf(id: string): unknown {
  return helper.getNode(id);
}

/** A running flow of real Node-RED with an empty database of its own. */
export interface Running {
  db: Database;
  /** Sends a message into a node. */
  give(node: string, msg: Message): void;
  /** The next message that reaches a helper node. Fails after `ms`. */
  next(node: string, ms?: number): Promise<Message>;
  /** What has reached a helper node so far. */
  got(node: string): Message[];
  /** What the nodes of this id have shown as their status, oldest first. */
  statuses(node: string): { fill?: string; shape?: string; text?: string }[];
  stop(): Promise<void>;
}

/**
 * Starts real Node-RED with these nodes and this flow. Nodes of type `helper` collect what reaches them.
 * Give each node its `z: 'tab'` and the flow a `{ id: 'tab', type: 'tab' }` when a Catch node takes part.
 */
export async function startFlow(
  paths: string[],
  flow: object[],
  db?: Database,
  others: Others = {},
): Promise<Running> {
  const own = db ?? (await openDatabase(':memory:'));
  useDatabase(own);
  const nodes = [...paths.map(loadNode), loadCore('common/25-catch.js'), ...(others.nodes ?? [])];
  await helper.load(nodes as never, flow as never, (others.credentials ?? {}) as never);
  const received = new Map<string, Message[]>();
  const waiting = new Map<string, ((msg: Message) => void)[]>();
  for (const { id, type } of flow as { id: string; type: string }[]) {
    if (type !== 'helper') continue;
    received.set(id, []);
    helper.getNode(id)?.on('input', (msg: unknown) => {
      received.get(id)?.push(msg as Message);
      waiting.get(id)?.shift()?.(msg as Message);
    });
  }
  return {
    db: own,
    give: (node, msg) => (helper.getNode(node) as unknown as { receive(msg: unknown): void }).receive(msg),
    got: (node) => received.get(node) ?? [],
    next: (node, ms = 2000) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`nothing reached "${node}" within ${ms} ms`)), ms);
        const queue = waiting.get(node) ?? [];
        queue.push((msg) => {
          clearTimeout(timer);
          resolve(msg);
        });
        waiting.set(node, queue);
      }),
    statuses: (node) => {
      // The helper's spy sits on the prototype, so it has seen every node.
      const { status } = helper.getNode(node) as unknown as {
        status: { args: [object][]; thisValues: { id: string }[] };
      };
      return status.args.flatMap(([shown], i) => (status.thisValues[i]?.id === node ? [shown] : []));
    },
    stop: async () => {
      await helper.unload();
      useDatabase(undefined);
      if (!db) await own.destroy();
    },
  };
}

// Runs inside the machine: real Node-RED with a flow of Potion's nodes, driven by a test outside.
import type { Message } from '../../../nodes/kit/messages.js';
import { openDatabase } from '../../../nodes/state/database.js';
import { markStopped, stoppedByAdmin } from '../../../nodes/state/intent.js';
import { lastLife } from '../../../nodes/state/lifecycle.js';
import { type Running, startFlow } from '../../support/node-red.ts';
import { serve } from './serve.ts';

let running: Running | undefined;

function flow(): Running {
  if (!running) throw new Error('no flow was started');
  return running;
}

serve({
  /** @param file database that is to outlive this process; without one it is in memory */
  async start(paths: string[], nodes: object[], file?: string) {
    running = await startFlow(paths, nodes, file === undefined ? undefined : await openDatabase(file));
  },
  give: (node: string, msg: Message) => flow().give(node, msg),
  got: (node: string) => flow().got(node),
  statuses: (node: string) => flow().statuses(node),
  markStopped: (unit: string) => markStopped(flow().db, unit, 1, Date.now()),
  isStoppedByAdmin: (unit: string) => stoppedByAdmin(flow().db, unit),
  /** What is kept of the process that ran last. */
  life: async () => (await lastLife(flow().db)) ?? {},
  async stop() {
    await running?.stop();
    running = undefined;
  },
});

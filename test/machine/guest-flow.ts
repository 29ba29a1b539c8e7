import { createInterface } from 'node:readline';
import { config } from '../../nodes/kit/config.js';
import type { Message } from '../../nodes/kit/messages.js';
import { openDatabase } from '../../nodes/state/database.js';
import { startFlow } from '../support/node-red.ts';

/**
 * Runs a flow inside a test machine: `guest-flow.ts '{"paths": […], "flow": […]}'`. What reaches its helper
 * nodes, and what its nodes show as status, goes to stdout, one JSON object per line; a line
 * `{"node": …, "msg": …}` on stdin is given to that node.
 */
const { paths, flow } = JSON.parse(process.argv[2] ?? '') as {
  paths: string[];
  flow: { id: string; type: string }[];
};

const tell = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
const db = await openDatabase(`${config().dataDir}/potion.db`);
const running = await startFlow(paths, flow, db);
let told = new Map<string, number>();

function report(): void {
  for (const { id, type } of flow) {
    if (type !== 'helper') continue;
    const got: Message[] = running.got(id);
    for (const msg of got.slice(told.get(id) ?? 0)) tell({ node: id, msg });
    told = told.set(id, got.length);
  }
}

setInterval(report, 20);
createInterface({ input: process.stdin }).on('line', (line) => {
  const { node, msg } = JSON.parse(line) as { node: string; msg: Message };
  running.give(node, msg);
});
tell({ ready: true });

// Potion's root helper: started by systemd for each connection, with the connection as its standard input.
// What runs here is root, so it uses nothing but Node itself.
import { Socket } from 'node:net';
import { dirname } from 'node:path';
import { serve } from './serve.js';
import type { Group } from './verbs.js';

const [group, peer = ''] = process.argv.slice(2);

async function main(): Promise<void> {
  // systemd makes it for this connection alone, removes it afterwards, and leaves the one above it.
  const folder = process.env.RUNTIME_DIRECTORY;
  if (!folder) throw new Error('RUNTIME_DIRECTORY is not set; systemd does that');
  const socket = new Socket({ fd: 0, allowHalfOpen: true });
  let mayEnd = true;
  process.on('SIGTERM', () => {
    // At a shutdown systemd waits for this, and this waits for apt.
    if (mayEnd) process.exit(0);
  });
  await serve(socket, {
    group: group as Group,
    allowed: process.env.HELPER_VERBS,
    place: { folder, locks: dirname(folder) },
    log,
    onStart: (verb) => {
      mayEnd = verb.limit !== undefined;
    },
  });
  process.exit(0);
}

/** One line for the journal; as JSON it can't be made to look like two. */
function log(priority: number, event: string, facts: Record<string, unknown>): void {
  process.stdout.write(`<${priority}>${event} ${JSON.stringify({ ...facts, peer })}\n`);
}

main();

import { createHash } from 'node:crypto';
import type { Database } from './database.js';

/** Telegram allows this many bytes of callback data. */
const CALLBACK_BYTES = 64;

/** Buttons live as long as their messages do in a chat that people scroll. */
const KEPT = 90 * 86_400_000;

/**
 * The callback data for a command line: the line itself where it fits into 64 bytes, else `#<id>` under which
 * the line is kept. The same line always has the same id.
 */
export async function shorten(db: Database, command: string, now: number): Promise<string> {
  if (Buffer.byteLength(command) <= CALLBACK_BYTES && !command.startsWith('#')) return command;
  const id = createHash('sha256').update(command).digest('base64url').slice(0, 22);
  await db
    .insertInto('shortcuts')
    .values({ id, command, created_at: now })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ created_at: now }))
    .execute();
  return `#${id}`;
}

/** The command line that callback data stands for; undefined when it has been forgotten. */
export async function expand(db: Database, data: string): Promise<string | undefined> {
  if (!data.startsWith('#')) return data;
  const row = await db
    .selectFrom('shortcuts')
    .select('command')
    .where('id', '=', data.slice(1))
    .executeTakeFirst();
  return row?.command;
}

/** Forgets shortcuts that no message of the last 90 days has used. */
export async function pruneShortcuts(db: Database, now: number): Promise<void> {
  await db
    .deleteFrom('shortcuts')
    .where('created_at', '<', now - KEPT)
    .execute();
}

import { readFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { User } from './telegram.js';
import { type Entry, type Room, World } from './world.js';

/** Messages kept of each chat. */
const KEPT = 300;
/** Milliseconds that changes are gathered before they are written. */
const GATHER = 1000;

interface Kept {
  people: User[];
  rooms: { chat: Room['chat']; blocked: boolean; entries: Entry[] }[];
}

/**
 * The chats of an earlier run, so that they survive a restart of Potion as they would at Telegram. Files are
 * not kept. What can't be read is left behind: these chats are for trying out.
 */
export function recall(file: string, token: string): World {
  const kept = readKept(file);
  const ids = kept.rooms.flatMap(({ entries }) => entries.map(({ message }) => message.message_id));
  const world = new World(token, Date.now, Math.max(0, ...ids) + 1);
  for (const person of kept.people) world.people.set(person.id, person);
  for (const { chat, blocked, entries } of kept.rooms) {
    const room = world.enter(chat);
    room.blocked = blocked;
    for (const entry of entries) room.entries.set(entry.message.message_id, entry);
  }
  return world;
}

/** Writes the chats to the file whenever they have changed. A failure is reported once and costs the memory only. */
export function remember(world: World, file: string, onTrouble: (thrown: unknown) => void): void {
  let dirty = false;
  let busy = false;
  let told = false;
  const keep = async () => {
    busy = true;
    while (dirty) {
      await sleep(GATHER, undefined, { ref: false });
      dirty = false;
      await write(world, file).catch((thrown: unknown) => {
        if (!told) onTrouble(thrown);
        told = true;
      });
    }
    busy = false;
  };
  const changed = () => {
    dirty = true;
    if (!busy) void keep();
  };
  for (const what of ['sent', 'said', 'edited', 'deleted'] as const) world.events.on(what, changed);
}

async function write(world: World, file: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(`${file}.new`, JSON.stringify(snapshot(world)), { mode: 0o600 });
  await rename(`${file}.new`, file);
}

function snapshot(world: World): Kept {
  return {
    people: [...world.people.values()],
    rooms: [...world.rooms.values()].map(({ chat, blocked, entries }) => ({
      chat,
      blocked,
      entries: [...entries.values()].slice(-KEPT),
    })),
  };
}

function readKept(file: string): Kept {
  try {
    const kept: Kept = JSON.parse(readFileSync(file, 'utf8'));
    if (
      Array.isArray(kept.people) &&
      kept.rooms.every(({ chat, entries }) => chat.id && Array.isArray(entries))
    )
      return kept;
  } catch {
    // Not there, or not readable: new chats.
  }
  return { people: [], rooms: [] };
}

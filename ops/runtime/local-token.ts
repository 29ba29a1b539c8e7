import { randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { User } from './door/user.js';

const fileIn = (dataDir: string) => join(dataDir, 'local-token');

/**
 * Makes a key for this run, which only Potion's own user can read, so that `npm run flows -- reload` needs no
 * password where the editor has a login.
 * @returns the user whom a token stands for: who presents the key may load flows and see the node types
 */
export function localToken(dataDir: string): (token: string) => User | undefined {
  const key = Buffer.from(randomBytes(32).toString('hex'));
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(fileIn(dataDir), key, { mode: 0o600 });
  return (token) => {
    const presented = Buffer.from(token);
    const same = presented.length === key.length && timingSafeEqual(presented, key);
    return same ? { username: 'local', permissions: ['flows.write', 'nodes.read'] } : undefined;
  };
}

/** The key of the Potion that runs with this data folder; undefined when it has none. */
export function readLocalToken(dataDir: string): string | undefined {
  try {
    return readFileSync(fileIn(dataDir), 'utf8');
  } catch {
    return undefined;
  }
}

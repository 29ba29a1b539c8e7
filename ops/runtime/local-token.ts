import { randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const fileIn = (dataDir: string) => join(dataDir, 'local-token');

/**
 * Makes a key for this run, which only Potion's own user can read, so that `npm run flows -- reload` needs no
 * password where the editor has a login.
 * @returns Node-RED's adminAuth.tokens: who presents the key may load flows and see the node types
 */
export function localToken(dataDir: string) {
  const key = randomBytes(32).toString('hex');
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(fileIn(dataDir), key, { mode: 0o600 });
  return async (presented: string) => {
    const same = presented.length === key.length && timingSafeEqual(Buffer.from(presented), Buffer.from(key));
    return same ? { username: 'local', permissions: ['flows.write', 'nodes.read'] } : null;
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

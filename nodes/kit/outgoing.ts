import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { config } from './config.js';
import type { Draft } from './messages.js';

/** What fits into a message itself, in bytes; `say` takes no more. */
const INSIDE = 1_000_000;
/** A message that could not be delivered for so long, in ms, has lost its file. */
const KEPT = 2 * 86_400_000;

/**
 * A file for `msg.say.file`: a small one inside the message, a larger one below DATA_DIR/outgoing until it is
 * two days old.
 * @param now epoch ms
 */
export async function outgoing(
  name: string,
  bytes: Buffer,
  now: number,
): Promise<NonNullable<Draft['file']>> {
  const folder = join(config().dataDir, 'outgoing');
  await tidy(folder, now);
  if (bytes.length <= INSIDE) return { name, base64: bytes.toString('base64') };
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, `${now}-${crypto.randomUUID()}`);
  await writeFile(path, bytes, { mode: 0o600 });
  return { name, path };
}

async function tidy(folder: string, now: number): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const path of names.map((name) => join(folder, name))) {
    const file = await stat(path).catch(() => undefined);
    if (file && Math.abs(now - file.mtimeMs) > KEPT) await rm(path, { force: true });
  }
}

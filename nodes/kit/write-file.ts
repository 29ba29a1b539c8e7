import { open, rename, rm } from 'node:fs/promises';

/**
 * Puts a file in place of the one that is there, so that a reader, and a power cut, finds either the old or
 * the new one, whole. @throws what node:fs throws
 */
export async function replaceFile(file: string, text: string, mode = 0o640): Promise<void> {
  const fresh = `${file}.${process.pid}.new`;
  try {
    const handle = await open(fresh, 'w', mode);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(fresh, file);
  } catch (thrown) {
    await rm(fresh, { force: true });
    throw thrown;
  }
}

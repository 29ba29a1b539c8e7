import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The whole id of the commit that an installed release was built from.
 * @param home Potion's code
 * @returns undefined where Potion was not installed but runs from a clone
 */
export async function sealedCommit(home: string): Promise<string | undefined> {
  try {
    const { commit } = JSON.parse(await readFile(join(home, '.potion', 'release.json'), 'utf8'));
    return typeof commit === 'string' ? commit : undefined;
  } catch {
    return undefined;
  }
}

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Whether installed packages ask for a reboot, and which. */
export interface RebootNeed {
  needed: boolean;
  /** Names of the packages, as far as they left them. */
  packages: string[];
}

/**
 * Reads what packages leave behind when only a reboot brings them into use (Debian's update-notifier and
 * unattended-upgrades, Ubuntu): /run/reboot-required and /run/reboot-required.pkgs.
 * @param folder where they are, for tests
 */
export async function rebootNeed(folder = '/run'): Promise<RebootNeed> {
  const [flag, names] = await Promise.all([
    textOf(join(folder, 'reboot-required')),
    textOf(join(folder, 'reboot-required.pkgs')),
  ]);
  const packages = [...new Set((names ?? '').split(/\s+/).filter(Boolean))].sort();
  return { needed: flag !== undefined, packages: flag === undefined ? [] : packages };
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return undefined;
  }
}

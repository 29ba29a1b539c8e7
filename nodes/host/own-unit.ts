import { readFileSync } from 'node:fs';

/** The system unit that this process runs in, e.g. `potion.service`; undefined when it runs in none. */
export function ownUnit(file = '/proc/self/cgroup'): string | undefined {
  try {
    return unitOfCgroup(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * Reads /proc/<pid>/cgroup: `0::/system.slice/potion.service`. A service may have groups of its own below; a
 * user's services are all below one of the system manager, `user@1000.service`.
 */
export function unitOfCgroup(text: string): string | undefined {
  const lines = text.split('\n');
  const path =
    lines.find((line) => line.startsWith('0::')) ?? lines.find((line) => line.includes(':name=systemd:'));
  return path?.split('/').find((part) => part.endsWith('.service'));
}

import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';

/** The kernel's id of this boot; another one after each boot. '' where the kernel has none. */
export function bootId(file = '/proc/sys/kernel/random/boot_id'): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}

/** When the kernel was started, epoch ms, by the clock as it goes now. */
export function bootTime(now: number): number {
  return Math.round(now - uptime() * 1000);
}

import { existsSync, readFileSync, watch } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../kit/clock.js';

/**
 * How far the wall clock can be believed soon after a boot.
 *
 * sure    it was set from the network, or nobody here knows better
 * unsure  systemd-timesyncd has not set it yet; it goes by the machine's battery-backed clock
 * wrong   nor has it, and the battery-backed clock says something else: the battery is empty
 */
export type ClockTrust = 'sure' | 'unsure' | 'wrong';

export interface TrustFiles {
  /** Where systemd-timesyncd makes the file `synchronized`. */
  timesync: string;
  /** Seconds since 1970 by the battery-backed clock, whatever time zone it is kept in. */
  rtc: string;
}

const FILES: TrustFiles = { timesync: '/run/systemd/timesync', rtc: '/sys/class/rtc/rtc0/since_epoch' };

/** A battery-backed clock in local time differs by up to 14 hours. */
const DAY = 86_400_000;

export function clockTrust(now: number, files: TrustFiles = FILES): ClockTrust {
  if (!existsSync(files.timesync) || existsSync(join(files.timesync, 'synchronized'))) return 'sure';
  const rtc = readNumber(files.rtc);
  return rtc !== undefined && Math.abs(rtc * 1000 - now) > DAY ? 'wrong' : 'unsure';
}

/** Resolves once the clock can be believed, after `limit` ms at the latest, or when the signal is aborted. */
export function clockSettled(
  clock: Clock,
  limit: number,
  signal: AbortSignal,
  files: TrustFiles = FILES,
): Promise<void> {
  if (signal.aborted || clockTrust(clock.now(), files) === 'sure') return Promise.resolve();
  return new Promise((resolve) => {
    const settled = () => {
      cancel();
      watcher?.close();
      signal.removeEventListener('abort', settled);
      resolve();
    };
    const look = () => clockTrust(clock.now(), files) === 'sure' && settled();
    const cancel = clock.after(limit, settled);
    const watcher = watchFolder(files.timesync, look);
    signal.addEventListener('abort', settled);
    look();
  });
}

// Where watching is not possible the time limit has to do.
function watchFolder(folder: string, look: () => void) {
  try {
    return watch(folder, look).on('error', () => {});
  } catch {
    return undefined;
  }
}

function readNumber(file: string): number | undefined {
  try {
    const value = Number(readFileSync(file, 'utf8'));
    return Number.isFinite(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

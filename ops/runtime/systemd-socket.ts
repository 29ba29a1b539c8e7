import { writeSync } from 'node:fs';

/** What systemd wants of this process, and the way to tell it something. */
export interface ServiceManager {
  /** Milliseconds without a sign of life after which it kills the process; undefined: never. */
  watchdog: number | undefined;
  /** Tells it `NAME=value` lines, as one datagram. Never throws: nobody may be there to hear. */
  tell(lines: readonly string[]): void;
}

/**
 * The service manager that started this process with ops/runtime/launch; undefined in any other case. The
 * variables are taken out of `env`, so that no program started from here takes itself for the service.
 */
export function serviceManager(env: NodeJS.ProcessEnv): ServiceManager | undefined {
  const { NOTIFY_FD: fd, WATCHDOG_USEC: usec } = env;
  delete env.NOTIFY_FD;
  delete env.WATCHDOG_USEC;
  delete env.WATCHDOG_PID;
  if (!fd || !/^\d+$/.test(fd)) return undefined;
  return {
    watchdog: Number(usec) > 0 ? Number(usec) / 1000 : undefined,
    tell(lines) {
      try {
        writeSync(Number(fd), lines.join('\n'));
      } catch {
        // Its queue is full, or it is gone: then it does not wait for a sign of life either.
      }
    },
  };
}

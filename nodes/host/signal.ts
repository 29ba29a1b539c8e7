import { readProcess } from './process-table.js';

/** What became of a signal. `denied`: the process is another user's. */
export type Signalled = 'sent' | 'gone' | 'denied';

/**
 * Sends a signal to the process of this id and start time, and to no other. Between the look and the signal lie a
 * few microseconds, and the kernel hands out ids in order: for another process to have this one by then, it would
 * have to start as many as there are ids.
 * @param signal 0 only asks whether one may be sent
 */
export function signalProcess(
  pid: number,
  start: number,
  signal: 'SIGTERM' | 'SIGKILL' | 0,
  proc = '/proc',
): Signalled {
  if (!isAlive(pid, start, proc)) return 'gone';
  try {
    process.kill(pid, signal);
    return 'sent';
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === 'ESRCH') return 'gone';
    if (code === 'EPERM') return 'denied';
    throw thrown;
  }
}

/** Whether that very process still runs; one that waits to be collected by its parent does not. */
export function isAlive(pid: number, start: number, proc = '/proc'): boolean {
  const line = readProcess(pid, proc);
  return line?.start === start && line.state !== 'Z' && line.state !== 'X';
}

import { ancestorsOf, type ProcStatLine } from '../../host/process-table.js';
import { PotionError } from '../../kit/errors.js';
import type { Message } from '../../kit/messages.js';

export const ACTIONS = ['check', 'term', 'kill'] as const;

export type Action = (typeof ACTIONS)[number];

/** The process that a message names; with its start time it is that very one. */
export interface Named {
  pid: number;
  start?: number;
}

/** Reads `payload.pid` and `payload.start`. @throws PotionError INVALID */
export function readNamed({ payload }: Message): Named {
  const { pid, start } = (payload ?? {}) as { pid?: unknown; start?: unknown };
  const isWhole = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
  if (!isWhole(pid) || pid === 0 || (start !== undefined && !isWhole(start)))
    throw new PotionError('INVALID', 'kill.errors.pid', { pid: JSON.stringify(pid ?? null).slice(0, 40) });
  return start === undefined ? { pid } : { pid, start };
}

/**
 * The process, if it may be ended at all: it is there, it is the one that was meant, and neither the machine nor
 * Potion needs it. Whose it is, is another question.
 * @param table all processes as they are now; ids of threads are not in it
 * @param own Potion's process id
 * @throws PotionError NOT_FOUND, DENIED
 */
export function target(
  { pid, start }: Named,
  table: ReadonlyMap<number, ProcStatLine>,
  own: number,
): ProcStatLine {
  if (pid === 1) throw new PotionError('DENIED', 'kill.errors.first', { pid });
  const line = table.get(pid);
  if (!line) throw new PotionError('NOT_FOUND', 'errors.process-gone', { pid });
  const { name } = line;
  if (start !== undefined && line.start !== start)
    throw new PotionError('NOT_FOUND', 'kill.errors.another', { pid, name });
  if (line.kernel) throw new PotionError('DENIED', 'kill.errors.kernel', { pid, name });
  if (pid === own || ancestorsOf(own, table).includes(pid) || ancestorsOf(pid, table).includes(own))
    throw new PotionError('DENIED', 'kill.errors.own', { pid, name });
  if (line.state === 'Z' || line.state === 'X')
    throw new PotionError('NOT_FOUND', 'kill.errors.dead', { pid, name, parent: line.parent });
  return line;
}

import type { Order } from '../../host/processes.js';
import { PotionError } from '../../kit/errors.js';
import type { Message } from '../../kit/messages.js';

export const ORDERS: readonly Order[] = ['cpu', 'ram'];

/** A page of all processes, or one process; with its start time it is that very one. */
export type Asked = { by: Order; page: number } | { pid: number; start?: number };

/**
 * Reads a message: `payload.pid` asks for one process, else `payload.by` and `payload.page` for a page.
 * @throws PotionError INVALID
 */
export function readAsked({ payload }: Message, configured: Order): Asked {
  const given = (payload ?? {}) as Record<string, unknown>;
  if (given.pid !== undefined) {
    const { pid, start } = given;
    if (!isCount(pid) || (start !== undefined && !isCount(start)))
      throw new PotionError('INVALID', 'processes.errors.pid', { pid: JSON.stringify(pid).slice(0, 40) });
    return start === undefined ? { pid } : { pid, start };
  }
  const by = given.by ?? configured;
  const page = given.page ?? 1;
  if (!ORDERS.includes(by as Order))
    throw new PotionError('INVALID', 'processes.errors.by', { by: JSON.stringify(by).slice(0, 40) });
  if (!isCount(page) || page < 1)
    throw new PotionError('INVALID', 'processes.errors.page', { page: JSON.stringify(page).slice(0, 40) });
  return { by: by as Order, page };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

import { cpus } from 'node:os';
import {
  describeProcess,
  lookAt,
  type Order,
  ordered,
  type ProcessInfo,
  sampleProcesses,
} from '../../host/processes.js';
import { defineNode, type NodeContext } from '../../kit/define-node.js';
import { PotionError } from '../../kit/errors.js';
import type { Message } from '../../kit/messages.js';
import { type Asked, ORDERS, readAsked } from './asked.js';

interface ProcessesConfig {
  /** What to sort by, unless the message says so. */
  by: Order;
  /** Processes on a page. */
  perPage: number | string;
}

/** One page of the processes, the busiest or largest first. */
export interface TopProcesses {
  by: Order;
  /** 1 is the first. */
  page: number;
  pages: number;
  /** Processes in all, without the kernel's own. */
  total: number;
  /** Processor cores of the machine. */
  cores: number;
  processes: ProcessInfo[];
}

export default defineNode<ProcessesConfig>({
  type: 'potion-processes',
  version: 1,
  check({ by, perPage }) {
    if (!ORDERS.includes(by)) throw new PotionError('INVALID', 'processes.errors.by', { by: String(by) });
    if (!(Number(perPage) >= 1 && Number(perPage) <= 100))
      throw new PotionError('INVALID', 'processes.errors.per-page', { value: perPage });
  },
  create: (ctx) => ({
    async input(msg: Message) {
      const asked = readAsked(msg, ctx.config.by);
      return { ...msg, payload: 'pid' in asked ? await one(ctx, asked) : await top(ctx, asked) };
    },
  }),
});

async function top(
  { clock, config, signal, status, t }: NodeContext<ProcessesConfig>,
  { by, page: wanted }: Extract<Asked, { page: number }>,
): Promise<TopProcesses> {
  const snapshot = await sampleProcesses(signal);
  const all = ordered(snapshot, by);
  if (all.length === 0) throw new PotionError('UNAVAILABLE', 'processes.errors.hidden');
  const size = Math.trunc(Number(config.perPage));
  const pages = Math.ceil(all.length / size);
  const page = Math.min(wanted, pages);
  const processes = all
    .slice((page - 1) * size, page * size)
    .map((line) => describeProcess(line, snapshot, clock.now()));
  status({ fill: 'green', text: t('processes.status', { total: all.length }) });
  return { by, page, pages, total: all.length, cores: cpus().length, processes };
}

async function one(
  { clock, signal }: NodeContext<ProcessesConfig>,
  { pid, start }: { pid: number; start?: number },
): Promise<ProcessInfo> {
  const found = await lookAt(pid, { start, now: clock.now(), signal });
  if (!found) throw new PotionError('NOT_FOUND', 'errors.process-gone', { pid });
  return found;
}

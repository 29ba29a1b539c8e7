import type { Order, ProcessInfo } from '../../host/processes.js';
import type { Button, Say } from '../../kit/messages.js';
import { pageButtons, rowsOf } from '../../kit/pager.js';
import type { T } from './services.js';

/** What the processes node tells of all. */
export interface ProcessPage {
  by: Order;
  page: number;
  pages: number;
  total: number;
  cores: number;
  processes: ProcessInfo[];
}

/** The busiest or largest processes, each with a numbered button to its own panel. */
export function processesPanel({ by, page, pages, total, cores, processes }: ProcessPage, t: T): Say {
  const numbers = processes.map(
    ({ pid, start }, i): Button => ({ label: `${i + 1}`, command: `/process ${pid} ${start}` }),
  );
  const other: Order = by === 'cpu' ? 'ram' : 'cpu';
  return {
    text: 'panel.processes.list',
    data: { by, page, pages, total, cores, processes },
    buttons: [
      ...rowsOf(numbers, 4),
      pageButtons({ page, pages }, `/top ${by}`),
      [
        { label: t(`panel.processes.by-${other}`), command: `/top ${other}` },
        { label: t('panel.refresh'), command: `/top ${by} ${page}` },
      ],
      [{ label: t('panel.service.back'), command: '/services' }],
    ].filter((row) => row.length > 0),
  };
}

/** One process, and how to end it. */
export function processPanel(info: ProcessInfo, units: readonly string[], now: number, t: T): Say {
  const { pid, start, unit, kernel } = info;
  const managed = units.includes(unit);
  return {
    text: 'panel.process.view',
    data: { process: info, age: Math.max(0, now - info.startedAt) / 1000, managed },
    buttons: [
      [
        ...(kernel ? [] : [{ label: t('panel.process.end'), command: `/kill ${pid} ${start}` }]),
        { label: t('panel.refresh'), command: `/process ${pid} ${start}` },
      ],
      ...(managed ? [[{ label: t('panel.process.unit', { unit }), command: `/services ${unit}` }]] : []),
      [{ label: t('panel.process.back'), command: '/top' }],
    ],
  };
}

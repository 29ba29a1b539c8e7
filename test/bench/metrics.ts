import { readFileSync } from 'node:fs';
import si from 'systeminformation';
import { systemClock } from '../../nodes/kit/clock.js';
import { GROUPS, Sampler } from '../../nodes/sense/metrics/sampler.js';
import type { Row } from './table.ts';

/** Seconds between two samples by default. */
const INTERVAL = 10;

/** Processor time of one sample of everything, and of the same figures through systeminformation alone. */
export async function sampling(): Promise<Row[]> {
  const sampler = new Sampler({ groups: GROUPS, clock: systemClock, hddMount: '/mnt/potion-data' });
  const own = await processorTime(500, () => sampler.sample());
  const plain = await processorTime(30, () =>
    Promise.all([si.currentLoad(), si.cpuTemperature(), si.mem(), si.fsSize(), si.networkStats('*')]),
  );
  sampler.stop();
  return [
    {
      what: `one sample of everything, every ${INTERVAL} s`,
      figure: `${own.toFixed(1)} ms (${((own / (INTERVAL * 1000)) * 100).toFixed(3)} % of a core)`,
      against: `systeminformation alone (${plain.toFixed(1)} ms, ${(plain / own).toFixed(0)}× that)`,
      aim: '≤ 0.5 %',
    },
  ];
}

async function processorTime(count: number, sample: () => Promise<unknown>): Promise<number> {
  await sample();
  const before = used();
  for (let i = 0; i < count; i++) await sample();
  return (used() - before) / count;
}

/** Milliseconds of this process and of those it has started, see proc_pid_stat(5); in steps of 10. */
function used(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
    .map(Number);
  return fields.slice(11, 15).reduce((sum, ticks) => sum + ticks, 0) * 10;
}

import { readFile } from 'node:fs/promises';

/** CPU time since boot over all cores, in clock ticks. */
export interface CpuTimes {
  busy: number;
  total: number;
}

export interface ProcStat {
  cpu?: CpuTimes;
  /** Epoch ms, whole seconds. */
  bootTime?: number;
}

/**
 * Reads the sum line and the boot time of `/proc/stat`, see proc(5). Waiting for a disk counts as idle, time
 * that the hypervisor gave to others as busy, because the programs here had to wait for it.
 */
export function parseProcStat(text: string): ProcStat {
  const cpu = /^cpu +(.+)$/m.exec(text)?.[1]?.split(' ').map(Number);
  const boot = /^btime (\d+)$/m.exec(text)?.[1];
  return { cpu: cpu && cpuTimes(cpu), bootTime: boot ? Number(boot) * 1000 : undefined };
}

function cpuTimes(ticks: number[]): CpuTimes | undefined {
  // guest and guest_nice, the last two columns, are already in user and nice.
  const [user = 0, nice = 0, system = 0, idle = Number.NaN, iowait = 0, irq = 0, softirq = 0, steal = 0] =
    ticks;
  const busy = user + nice + system + irq + softirq + steal;
  const total = busy + idle + iowait;
  return Number.isFinite(total) ? { busy, total } : undefined;
}

export async function readProcStat(proc = '/proc'): Promise<ProcStat> {
  return parseProcStat(await readFile(`${proc}/stat`, 'utf8'));
}

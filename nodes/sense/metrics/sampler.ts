import { loadavg, uptime } from 'node:os';
import { type Memory, readMemory, type Swap } from '../../host/memory.js';
import { disksOf, type Mount, type Room, readMounts, readRoom } from '../../host/mounts.js';
import { readTraffic, type Traffic } from '../../host/network-counters.js';
import { type CpuTimes, readProcStat } from '../../host/proc-stat.js';
import { findSensors, readTemperature, type Sensor } from '../../host/temperature.js';
import type { Clock } from '../../kit/clock.js';
import { Baseline, cpuLoad, networkRates } from './rates.js';
import { type Reading, TimeLimits } from './time-limits.js';

/** What can be asked for. */
export const GROUPS = [
  'cpu',
  'temperature',
  'memory',
  'swap',
  'disks',
  'loadAverage',
  'uptime',
  'network',
] as const;

export type Group = (typeof GROUPS)[number];

/** One sample. A group that was not asked for, or could not be read, is absent; it is never 0 for that. */
export interface Sample {
  /** Share of all cores in use since the last sample, 0..1. */
  cpu?: { load: number };
  /** °C. */
  temperature?: { cpu: number };
  memory?: Memory;
  swap?: Swap;
  /** By mount point. */
  disks?: Record<string, Room>;
  /** Processes running or waiting, on average over the last 1, 5 and 15 minutes. */
  loadAverage?: number[];
  /** Seconds since boot. */
  uptime?: number;
  /** Epoch ms. */
  bootTime?: number;
  /** By interface, bytes per second since the last sample. */
  network?: Record<string, Traffic>;
  /**
   * What was asked for and is absent (`cpu`, `disk:/mnt/x` …), and why: `timeout`, `first-sample` (a rate
   * needs two), `none` (there is no such thing here), `not-mounted`, `skipped` (too many disks hang), or the
   * words of an error.
   */
  missing: Record<string, string>;
}

/**
 * Where the figures come from. No source starts a process. Of systeminformation's functions only mem() does
 * not: currentLoad, cpuTemperature, fsSize, networkStats and time start 3 to 7 each per call, so those
 * figures are read where the kernel gives them, in /proc, in /sys and with statfs.
 */
export interface Sources {
  procStat: typeof readProcStat;
  findSensors: typeof findSensors;
  readTemperature: typeof readTemperature;
  memory: typeof readMemory;
  mounts: () => Promise<Mount[]>;
  room: typeof readRoom;
  traffic: typeof readTraffic;
}

/** This machine. */
export const machine: Sources = {
  procStat: readProcStat,
  findSensors,
  readTemperature,
  memory: readMemory,
  mounts: readMounts,
  room: readRoom,
  traffic: readTraffic,
};

/** Milliseconds that a group may take, and one disk. */
const GROUP_LIMIT = 5000;
const DISK_LIMIT = 2000;
/** Each hanging disk holds one of Node's four file threads; the other two are left for the rest of Potion. */
const MOST_HANGING = 2;

export interface SamplerOptions {
  groups: readonly Group[];
  clock: Clock;
  /** Mount point of the data disk, if there is one: shown whatever its type, named in `missing` while not mounted. */
  hddMount: string;
  /** Readings to measure against; own ones if absent. */
  baselines?: Baselines;
  sources?: Sources;
}

/** The last readings of counters, of which every rate needs two. */
export class Baselines {
  readonly cpu = new Baseline<CpuTimes>();
  readonly traffic = new Baseline<Record<string, Traffic>>();
}

/** Reads the groups that are asked for, all at once; a group that fails or hangs costs the others nothing. */
export class Sampler {
  readonly #options: SamplerOptions;
  readonly #sources: Sources;
  readonly #limits: TimeLimits;
  readonly #baselines: Baselines;
  #sensors: Sensor[] = [];

  constructor(options: SamplerOptions) {
    this.#options = options;
    this.#sources = options.sources ?? machine;
    this.#baselines = options.baselines ?? new Baselines();
    this.#limits = new TimeLimits(options.clock);
  }

  /** Never rejects: what fails is named in `missing`. */
  async sample(): Promise<Sample> {
    const { groups } = this.#options;
    const readings = await Promise.all(
      groups.map((group) => this.#limits.read(group, GROUP_LIMIT, () => this.#read[group]())),
    );
    const sample: Sample = { missing: {} };
    readings.forEach((reading, i) => {
      const part =
        'value' in reading ? reading.value : { missing: { [groups[i] as Group]: reading.missing } };
      Object.assign(sample, part, { missing: { ...sample.missing, ...part.missing } });
    });
    return sample;
  }

  /** Waits no longer for what hangs. */
  stop(): void {
    this.#limits.stop();
  }

  readonly #read: Record<Group, () => Promise<Partial<Sample>>> = {
    cpu: async () => {
      const { cpu } = await this.#sources.procStat();
      if (!cpu) return { missing: { cpu: 'none' } };
      const before = this.#baselines.cpu.next(this.#options.clock.monotonic(), cpu);
      const load = before && cpuLoad(before.counters, cpu);
      return load === undefined ? { missing: { cpu: 'first-sample' } } : { cpu: { load } };
    },

    temperature: async () => {
      const known = await this.#sources.readTemperature(this.#sensors);
      // Drivers come late at boot and are numbered anew when they do.
      if (known === undefined) this.#sensors = await this.#sources.findSensors();
      const cpu = known ?? (await this.#sources.readTemperature(this.#sensors));
      return cpu === undefined ? { missing: { temperature: 'none' } } : { temperature: { cpu } };
    },

    memory: async () => {
      const { memory } = await this.#sources.memory();
      return memory ? { memory } : { missing: { memory: 'none' } };
    },

    swap: async () => {
      const { swap } = await this.#sources.memory();
      return swap ? { swap } : { missing: { swap: 'none' } };
    },

    disks: () => this.#readDisks(),

    loadAverage: async () => ({ loadAverage: loadavg() }),

    uptime: async () => {
      const { bootTime } = await this.#sources.procStat();
      return { uptime: uptime(), ...(bootTime === undefined ? {} : { bootTime }) };
    },

    network: async () => {
      const traffic = await this.#sources.traffic();
      const before = this.#baselines.traffic.next(this.#options.clock.monotonic(), traffic);
      if (!before) return { missing: { network: 'first-sample' } };
      return { network: networkRates(before.counters, traffic, before.seconds) };
    },
  };

  async #readDisks(): Promise<Partial<Sample>> {
    const { hddMount } = this.#options;
    const disks: Record<string, Room> = {};
    const missing: Record<string, string> = {};
    const mounted = disksOf(await this.#sources.mounts(), hddMount ? [hddMount] : []);
    if (hddMount && !mounted.some(({ path }) => path === hddMount))
      missing[`disk:${hddMount}`] = 'not-mounted';
    // One after the other, so that many dead disks can't take all file threads at once.
    for (const { path } of mounted) {
      const reading = await this.#readDisk(path);
      if ('missing' in reading) missing[`disk:${path}`] = reading.missing;
      // Kernel interfaces mounted as a directory have no size.
      else if (reading.value.size > 0) disks[path] = reading.value;
    }
    return { disks, missing };
  }

  async #readDisk(path: string): Promise<Reading<Room>> {
    const name = `disk:${path}`;
    const others = this.#limits.hanging.filter((other) => other.startsWith('disk:') && other !== name);
    if (others.length >= MOST_HANGING) return { missing: 'skipped' };
    return this.#limits.read(name, DISK_LIMIT, () => this.#sources.room(path));
  }
}

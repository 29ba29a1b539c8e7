import type { Traffic } from '../../host/network-counters.js';
import type { CpuTimes } from '../../host/proc-stat.js';

/** Milliseconds over which a rate is measured at least: CPU time is counted in steps of 10 ms. */
const SHORTEST = 500;

/**
 * Keeps counters between samples. A sample that is asked for right after another is measured against an
 * older one, so that its rates don't come from a few milliseconds.
 */
export class Baseline<T> {
  #older: { at: number; counters: T } | undefined;
  #newer: { at: number; counters: T } | undefined;

  /**
   * Keeps `counters` and gives what to measure them against.
   * @param at milliseconds of a clock that never jumps
   * @returns undefined for the first sample: a rate needs two
   */
  next(at: number, counters: T): { counters: T; seconds: number } | undefined {
    const isApart = !this.#newer || at - this.#newer.at >= SHORTEST;
    if (isApart) {
      this.#older = this.#newer;
      this.#newer = { at, counters };
    }
    return this.#older && { counters: this.#older.counters, seconds: (at - this.#older.at) / 1000 };
  }
}

/** Share of the CPU time between two readings that was used, 0..1 over all cores. */
export function cpuLoad(before: CpuTimes, now: CpuTimes): number | undefined {
  const total = now.total - before.total;
  if (total <= 0) return undefined;
  // The kernel's counts of idle and iowait may step back a little.
  return Math.min(1, Math.max(0, (now.busy - before.busy) / total));
}

/**
 * Bytes per second of each interface that was there at both readings. One whose counters went back has been
 * set up anew in between and has no rate this time.
 */
export function networkRates(
  before: Record<string, Traffic>,
  now: Record<string, Traffic>,
  seconds: number,
): Record<string, Traffic> {
  const rates: Record<string, Traffic> = {};
  for (const [name, { rx, tx }] of Object.entries(now)) {
    const old = before[name];
    if (!old || rx < old.rx || tx < old.tx) continue;
    rates[name] = { rx: (rx - old.rx) / seconds, tx: (tx - old.tx) / seconds };
  }
  return rates;
}

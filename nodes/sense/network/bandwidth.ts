import type { Traffic } from '../../host/network-counters.js';

/** What an interface carries now, and has carried since it came up. Bytes per second, bytes. */
export interface Bandwidth {
  name: string;
  rxRate: number;
  txRate: number;
  rx: number;
  tx: number;
}

/**
 * Rates between two readings, the busiest interface first. One that came up, or whose counter began anew, in
 * between has none yet.
 * @param seconds between the readings, more than 0
 */
export function bandwidthOf(
  before: Readonly<Record<string, Traffic>>,
  after: Readonly<Record<string, Traffic>>,
  seconds: number,
): Bandwidth[] {
  const found = Object.entries(after).flatMap(([name, { rx, tx }]): Bandwidth[] => {
    const old = before[name];
    if (!old || rx < old.rx || tx < old.tx) return [];
    return [{ name, rx, tx, rxRate: (rx - old.rx) / seconds, txRate: (tx - old.tx) / seconds }];
  });
  return found.sort((a, b) => b.rxRate + b.txRate - (a.rxRate + a.txRate) || b.rx + b.tx - (a.rx + a.tx));
}

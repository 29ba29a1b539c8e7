import type { Group, Sample } from './sampler.js';

/** The newest sample of this process, whichever node took it. */
export interface Latest {
  /** Milliseconds of a clock that never jumps. */
  at: number;
  /** Epoch ms. */
  timestamp: number;
  groups: readonly Group[];
  sample: Sample;
}

/** What belongs to a group beside the value of its own name. */
const MORE: Partial<Record<Group, (keyof Sample)[]>> = { uptime: ['bootTime'] };

/**
 * What a node may give out in place of a sample of its own: the newest one, if it is young enough, has all the
 * groups, and none of them is still waiting for its second reading.
 * @param maxAge milliseconds
 */
export function reuse(
  latest: Latest | undefined,
  groups: readonly Group[],
  now: number,
  maxAge: number,
): Pick<Latest, 'timestamp' | 'sample'> | undefined {
  if (!latest || now - latest.at > maxAge) return undefined;
  const { missing } = latest.sample;
  const whole = groups.every((group) => latest.groups.includes(group) && missing[group] !== 'first-sample');
  if (!whole) return undefined;
  const own = Object.fromEntries(
    groups
      .flatMap((group): (keyof Sample)[] => [group, ...(MORE[group] ?? [])])
      .filter((name) => latest.sample[name] !== undefined)
      .map((name) => [name, latest.sample[name]]),
  );
  const isOwn = (name: string) =>
    groups.some((group) => name === group || (group === 'disks' && isDisk(name)));
  const gaps = Object.entries(missing).filter(([name]) => isOwn(name));
  return { timestamp: latest.timestamp, sample: { ...own, missing: Object.fromEntries(gaps) } };
}

function isDisk(name: string): boolean {
  return name.startsWith('disk:');
}

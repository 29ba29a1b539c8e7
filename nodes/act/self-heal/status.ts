import type { Heal } from './heal.js';
import type { Limits } from './limits.js';
import { nameOf } from './story.js';

export interface Summary {
  fill: 'green' | 'yellow' | 'red';
  key: 'well' | 'busy' | 'gave-up' | 'left-alone';
  data: { unit: string; more: number; try: number; tries: number };
}

const WEIGHT = ['gave-up', 'busy', 'left-alone'] as const;

/** What the node shows: the weightiest of what is going on, and how much more there is. */
export function summaryOf(states: ReadonlyMap<string, Heal>, { tries }: Limits): Summary {
  const open = [...states].filter(([, heal]) => heal.episode);
  for (const key of WEIGHT) {
    const found = open.find(([, heal]) => keyOf(heal) === key);
    if (!found) continue;
    const [unit, heal] = found;
    const data = { unit: nameOf(unit), more: open.length - 1, try: heal.episode?.tries ?? 0, tries };
    return { fill: key === 'gave-up' ? 'red' : 'yellow', key, data };
  }
  return { fill: 'green', key: 'well', data: { unit: '', more: 0, try: 0, tries } };
}

function keyOf({ phase, episode }: Heal): Summary['key'] {
  if (phase === 'left') return 'left-alone';
  return phase === 'gave-up' || episode?.gaveUp !== undefined ? 'gave-up' : 'busy';
}

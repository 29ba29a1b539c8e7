import type { Status } from '../../kit/define-node.js';
import type { AlertState, Phase } from './state-machine.js';

/** What the node shows, as the key of a text and its values. */
export interface Shown extends Omit<Status, 'text'> {
  text: string;
  data: Record<string, unknown>;
}

const LOOKS: Record<Phase, Omit<Status, 'text'>> = {
  firing: { fill: 'red', shape: 'dot' },
  pending: { fill: 'yellow', shape: 'dot' },
  inactive: { fill: 'green', shape: 'dot' },
};

/**
 * The worst of the series: what fires, else what is pending, else that all is well. Grey when there is no
 * value at all.
 */
export function shownOf(states: ReadonlyMap<string, AlertState | undefined>, unit: string): Shown {
  const of = (phase: Phase) => [...states].filter(([, state]) => state?.phase === phase);
  const phase = (['firing', 'pending'] as const).find((one) => of(one).length > 0) ?? 'inactive';
  const concerned = of(phase);
  const values = concerned.filter(([, state]) => state?.value !== undefined);
  if (phase === 'inactive' && values.length === 0)
    return { fill: 'grey', shape: 'ring', text: 'alert.status.none', data: {} };
  const [first] = values;
  return {
    ...LOOKS[phase],
    text: `alert.status.${phase}`,
    data: {
      count: concerned.length,
      codes: concerned.map(([code]) => code).join(', '),
      // Of several, no single value says anything.
      value: concerned.length === 1 ? first?.[1]?.value : undefined,
      unit,
    },
  };
}

import {
  type AlertEvent,
  type AlertState,
  type Observation,
  type Rule,
  step,
} from '../../nodes/judge/alert/state-machine.js';

export const S = 1000;
export const T0 = Date.UTC(2026, 0, 1);

export const RULE: Rule = {
  operator: 'above',
  threshold: 90,
  for: 0,
  keepFiring: 0,
  repeat: 0,
  missing: 'resolve',
  missingAfter: 300 * S,
};

export interface Moment extends Observation {
  silenced?: boolean;
}

/** Every event of a series, with the number of the observation that brought it. */
export function play(rule: Rule, moments: readonly Moment[], state?: AlertState) {
  const events: (AlertEvent & { i: number })[] = [];
  let now = state;
  moments.forEach(({ silenced = false, ...observation }, i) => {
    const result = step(rule, now, observation, silenced);
    now = result.state;
    if (result.event) events.push({ ...result.event, i });
  });
  return { events, state: now };
}

import type { Condition, UnitState } from '../../host/systemd.js';

/** What the node says of a unit that has changed. */
export interface Change {
  unit: string;
  condition: Condition;
  /** What it was before; null when this is the first that is known of it. */
  previous: Condition | null;
  state: UnitState;
}

/** What is worth telling: another condition, or a restart that was over before it could be seen. */
export function changeOf(state: UnitState, previous?: UnitState): Change | undefined {
  const restarted = previous !== undefined && state.restarts > previous.restarts;
  if (previous?.condition === state.condition && !(restarted && state.health === 'ok')) return undefined;
  return { unit: state.unit, condition: state.condition, previous: previous?.condition ?? null, state };
}

import { checkedUnit, type UnitState } from '../../host/systemd.js';
import { PotionError } from '../../kit/errors.js';
import type { Message } from '../../kit/messages.js';

export const ACTIONS = ['list', 'status', 'start', 'stop', 'restart'] as const;

export type Action = (typeof ACTIONS)[number];

/** What changes a unit. */
export type Change = 'start' | 'stop' | 'restart';

/** What a message asks for, within what the node may touch. */
export type Asked = { action: 'list' } | { action: 'status' | Change; unit: string };

/**
 * Units of a node: those that its field names (separated by spaces or commas), else the whole whitelist.
 * @throws PotionError INVALID for what is no unit name, DENIED for what is not on the whitelist
 */
export function unitsOf(field: string, whitelist: readonly string[]): string[] {
  const named = field.split(/[\s,]+/).filter(Boolean);
  if (named.length === 0) return [...whitelist];
  return [...new Set(named.map((name) => allowed(name, whitelist)))];
}

/**
 * Reads a message: the action from `msg.action` or the node, the unit from `msg.payload.unit` or
 * `msg.payload`.
 * @param units what may be touched
 * @throws PotionError INVALID, DENIED
 */
export function readRequest(msg: Message, configured: string, units: readonly string[]): Asked {
  const action = msg.action ?? configured;
  if (!isAction(action))
    throw new PotionError('INVALID', 'systemctl.errors.action', {
      action: JSON.stringify(action).slice(0, 80),
    });
  if (action === 'list') return { action };
  const { payload } = msg;
  const name =
    typeof payload === 'object' && payload !== null ? (payload as { unit?: unknown }).unit : payload;
  if (name === undefined || name === null || name === '')
    throw new PotionError('INVALID', 'systemctl.errors.no-unit', { action, units: units.join(', ') });
  return { action, unit: allowed(name, units) };
}

/** Lines of its journal that belong to the state of a unit: as many as `msg.payload.lines` asks for, else some if it failed. */
export function linesOf({ payload }: Message, { health }: UnitState, ofFailed: number): number {
  const asked = Number((payload as { lines?: unknown } | null | undefined)?.lines ?? Number.NaN);
  if (asked > 0) return Math.trunc(Math.min(asked, 200));
  return health === 'failed' ? ofFailed : 0;
}

function isAction(value: unknown): value is Action {
  return ACTIONS.includes(value as Action);
}

function allowed(name: unknown, units: readonly string[]): string {
  const unit = checkedUnit(name);
  if (!units.includes(unit))
    throw new PotionError('DENIED', 'systemctl.errors.not-allowed', { unit, units: units.join(', ') });
  return unit;
}

/**
 * Whether a unit is where it was asked to be. `settled` is the state some time after `after`, the one when
 * systemd said that it was done: a unit that was started has to stay up, in the same run.
 * @returns the error to end with, undefined when all is well
 */
export function verify(action: Change, after: UnitState, settled: UnitState): PotionError | undefined {
  const facts = {
    unit: after.unit,
    action,
    condition: settled.condition,
    result: settled.result,
    status: settled.execMainStatus,
  };
  const { health } = settled;
  if (action === 'stop')
    return health === 'ok' || health === 'busy'
      ? new PotionError('FAILED', 'systemctl.errors.still-up', facts)
      : undefined;
  if (health === 'ok' && settled.invocation === after.invocation) return undefined;
  // The first look was good: it came up, but not for long.
  if (after.health === 'ok') return new PotionError('FAILED', 'systemctl.errors.not-staying', facts);
  // Of a unit that is down and well, systemd forgets at once whether a condition kept it from starting.
  if (settled.condition === 'inactive') return new PotionError('FAILED', 'systemctl.errors.left-down', facts);
  return new PotionError('FAILED', 'systemctl.errors.not-up', facts);
}

/** Whether a start is over when systemd says so, with nothing left that could go down again. */
export function isFinished({ type, condition }: UnitState): boolean {
  return type === 'oneshot' || condition === 'exited';
}

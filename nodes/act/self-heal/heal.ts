import type { Limits } from './limits.js';
import type { Exemption, View } from './view.js';

/**
 * Where self-heal stands with a unit.
 *
 * idle      nothing is wrong
 * waiting   it is down; the next try comes at `until`
 * trying    a restart was ordered, its end is not known yet
 * settling  systemd is busy with it: wait and watch, until `until` at most
 * proving   it is up, and has to stay up until `until`
 * gave-up   the circuit is open: one more try at `until`, none before
 * left      it is down and left alone
 */
export type Phase = 'idle' | 'waiting' | 'trying' | 'settling' | 'proving' | 'gave-up' | 'left';

/** Why self-heal gave up. `flapping`: systemd's own Restart= brings it up again and again; `slow`: it never gets up. */
export type Surrender = 'budget' | 'refused' | 'flapping' | 'slow';

/** Why a unit that is down is left as it is. `stopped`: it ended in order, as after a stop by hand. */
export type LeftAlone = Exemption | 'stopped';

/** One stretch of trouble with a unit; becomes one incident. Times are epoch ms. */
export interface Episode {
  since: number;
  tries: number;
  /** When it was given up; from then on only single tries are made, `coolDown` apart. */
  gaveUp?: number;
  /** Messages told so far. */
  told: number;
}

/** All that is remembered of a unit; plain JSON. */
export interface Heal {
  phase: Phase;
  /** When the phase ends by itself; absent: only news ends it. */
  until?: number;
  /** End of systemd's time to get the unit up by itself. */
  settleBy?: number;
  /** Why it is left alone. */
  left?: LeftAlone;
  /** When restarts were ordered, oldest first, as far as they count against the window. */
  restarts: number[];
  episode?: Episode;
}

export type Step = 'trying' | 'healed' | 'gave-up' | 'still-down' | 'left-alone';

/** Something to tell. `number` counts the messages of an episode, so that one told twice is recognised. */
export interface Telling {
  step: Step;
  reason?: Surrender | LeftAlone;
  episode: Episode;
  number: number;
  try: number;
  nextTryAt?: number;
  /** healed: it has stayed up for `stable` before this was told. */
  proven?: boolean;
  at: number;
}

export type Action = { do: 'restart'; resetFailed: boolean } | ({ do: 'tell' } & Telling);

export interface Decision {
  heal: Heal;
  actions: Action[];
}

/**
 * What happened.
 *
 * seen     the unit's state, now
 * due      `until` has come; with the state now
 * outcome  the ordered restart has ended; `failed`: not as it should (the job failed, or nobody knows)
 * refused  Potion may not restart the unit: trying again is of no use
 * retry    a person wants it tried again, now and with a fresh budget
 */
export type Event =
  | { type: 'seen' | 'due' | 'retry'; view: View }
  | { type: 'outcome'; view: View; failed: boolean }
  | { type: 'refused' };

export const IDLE: Heal = { phase: 'idle', restarts: [] };

/** The state as it counts now: restarts outside the window are forgotten, and no time lies beyond the limits. */
export function atPresent(heal: Heal, now: number, limits: Limits): Heal {
  const longest = Math.max(
    limits.coolDown,
    limits.window,
    2 * limits.patience,
    limits.stable,
    limits.longestWait,
  );
  // The wall clock may have been set back since.
  const soon = (at: number | undefined) => (at === undefined ? undefined : Math.min(at, now + longest));
  return {
    ...heal,
    until: soon(heal.until),
    settleBy: soon(heal.settleBy),
    restarts: heal.restarts.map((at) => Math.min(at, now)).filter((at) => at > now - limits.window),
  };
}

/** Whether the trouble is over for whoever would be told: somebody wanted the unit to be as it is. */
export function isOver(reason: LeftAlone): boolean {
  return reason === 'admin' || reason === 'stopped' || reason === 'masked' || reason === 'missing';
}

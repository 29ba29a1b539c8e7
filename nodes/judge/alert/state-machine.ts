/**
 * The life of one alert as plain data: a rule, a state and an observation go in, a new state and at most one
 * event come out. Nothing here knows the clock, the database or Node-RED, so a recorded series replays exactly.
 *
 * `for` and `keepFiring` mean what `for` and `keep_firing_for` mean to Prometheus (rules/alerting.go); the
 * tests compare the two on random series. Hysteresis, reminders, silences and the policies for missing data
 * are Potion's own.
 */

/** `above` and `below` compare numbers and leave the threshold itself out; `oneOf` looks for a word in a list. */
export type Operator = 'above' | 'below' | 'oneOf';

/**
 * What to make of a series without a value. While it has been missing for no longer than `missingAfter` its
 * last value still counts; after that
 *
 * resolve   it counts as well (Prometheus, with its 5 minutes)
 * keep      the alert stays as it is until there is a value again
 * fire      the missing value is itself the trouble
 */
export type MissingPolicy = 'resolve' | 'keep' | 'fire';

/** Durations in milliseconds. */
export interface Rule {
  operator: Operator;
  threshold: number | readonly string[];
  /** Once firing, the value must reach this to be well again; without it, the threshold. */
  clear?: number;
  /** How long the condition must hold before the alert fires. */
  for: number;
  /** How long the alert goes on firing after the condition has ended. */
  keepFiring: number;
  /** Time between reminders while it fires; 0: none. */
  repeat: number;
  missing: MissingPolicy;
  missingAfter: number;
}

export type Phase = 'inactive' | 'pending' | 'firing';

/** Times in epoch ms of the observations. */
export interface AlertState {
  phase: Phase;
  /** When the condition began, shifted when the clock was set back; 0 while inactive. */
  since: number;
  /** The same, never shifted: what the incident is named by. */
  begun: number;
  /** When the condition ended while the alert goes on firing. */
  keepSince?: number;
  /** Since when the value has been missing. */
  missingSince?: number;
  /** Somebody was told of this incident; a silenced one is told when the silence is over. */
  told: boolean;
  /** When somebody was told last. */
  toldAt: number;
  /** Number of messages of this incident. */
  sequence: number;
  /** Time of the last observation. */
  at: number;
  /** Time of the last value. Forgotten over a restart, as `value` is. */
  seen?: number;
  value?: number | string;
}

export interface Observation {
  at: number;
  /** Absent: there is no value. */
  value?: number | string;
}

/**
 * pending    the condition began; it fires once it has held for long enough
 * cleared    it ended before that
 * firing     it fires, or a silence over it has ended
 * reminder   it still fires
 * resolved   it has ended
 */
export type EventKind = 'pending' | 'cleared' | 'firing' | 'reminder' | 'resolved';

export interface AlertEvent {
  kind: EventKind;
  /** The phase changed: not so for a reminder, nor for a firing that is told late. */
  isChange: boolean;
  /** Somebody is to be told. */
  tell: boolean;
  /** 1 for the first message of an incident. */
  sequence: number;
  since: number;
  begun: number;
  at: number;
  value?: number | string;
  /** It is about a missing value. */
  missing: boolean;
}

export interface Step {
  state: AlertState;
  event?: AlertEvent;
}

/** Observations that come so late are out of order; beyond it, the clock was set back. */
const OUT_OF_ORDER = 60_000;

/** Judges one observation. */
export function step(
  rule: Rule,
  before: AlertState | undefined,
  { at, value }: Observation,
  silenced: boolean,
): Step {
  const state = before ? aligned(before, at) : inactive(at);
  state.at = Math.max(state.at, at);
  const condition = conditionOf(rule, state, value);
  const event = advance(rule, state, condition, silenced) ?? remind(rule, state, condition, silenced);
  return { state, event: event && complete(event, state, condition.missing) };
}

interface Condition {
  /** undefined: nobody knows, and nothing is to change. */
  holds: boolean | undefined;
  missing: boolean;
}

/** Whether the condition holds; keeps the book of what is missing. */
function conditionOf(rule: Rule, state: AlertState, value: number | string | undefined): Condition {
  if (isComparable(rule, value)) {
    state.missingSince = undefined;
    state.seen = state.at;
    state.value = value;
    return { holds: breaches(rule, state.phase === 'firing', value), missing: false };
  }
  state.missingSince ??= state.seen ?? state.at;
  if (state.at - state.missingSince <= rule.missingAfter)
    return { holds: state.phase !== 'inactive' && state.keepSince === undefined, missing: false };
  state.value = undefined;
  const verdict = { resolve: false, keep: undefined, fire: true };
  return { holds: verdict[rule.missing], missing: true };
}

function isComparable(rule: Rule, value: number | string | undefined): value is number | string {
  return value !== undefined && (typeof rule.threshold !== 'number' || typeof value === 'number');
}

function breaches({ operator, threshold, clear }: Rule, isFiring: boolean, value: number | string): boolean {
  if (typeof threshold !== 'number') return threshold.includes(String(value));
  const limit = isFiring ? (clear ?? threshold) : threshold;
  return operator === 'above' ? Number(value) > limit : Number(value) < limit;
}

type Draft = Pick<AlertEvent, 'kind' | 'isChange' | 'tell'>;

/** Moves to the next phase where the condition says so. */
function advance(
  rule: Rule,
  state: AlertState,
  { holds, missing }: Condition,
  silenced: boolean,
): Draft | undefined {
  if (holds === undefined) return undefined;
  if (!holds) return recede(rule, state);
  state.keepSince = undefined;
  if (state.phase === 'firing') return undefined;
  const isNew = state.phase === 'inactive';
  if (isNew) begin(state, missing ? (state.missingSince ?? state.at) : state.at);
  // A value that is missing has been waited for already.
  if (!missing && state.at - state.since < rule.for)
    return isNew ? { kind: 'pending', isChange: true, tell: false } : undefined;
  state.phase = 'firing';
  return { kind: 'firing', isChange: true, tell: !silenced };
}

function begin(state: AlertState, since: number): void {
  Object.assign(state, { phase: 'pending', since, begun: since, told: false, toldAt: 0, sequence: 0 });
}

/** The condition does not hold: a pending alert is off at once, a firing one when it has kept on long enough. */
function recede(rule: Rule, state: AlertState): Draft | undefined {
  const { phase } = state;
  if (phase === 'inactive') return undefined;
  if (phase === 'firing') {
    state.keepSince ??= state.at;
    if (state.at - state.keepSince < rule.keepFiring) return undefined;
  }
  state.phase = 'inactive';
  state.keepSince = undefined;
  const kind = phase === 'firing' ? 'resolved' : 'cleared';
  // Whoever was told that it began is told that it is over, silenced or not.
  return { kind, isChange: true, tell: phase === 'firing' && state.told };
}

/** What a firing alert has to say without a change: that it fires, once no silence hides it, and reminders. */
function remind(rule: Rule, state: AlertState, { missing }: Condition, silenced: boolean): Draft | undefined {
  if (state.phase !== 'firing' || silenced) return undefined;
  // After a restart the first reading may have no value yet: better told a moment later than without one.
  if (state.value === undefined && !missing) return undefined;
  if (!state.told) return { kind: 'firing', isChange: false, tell: true };
  const isDue = rule.repeat > 0 && state.at - state.toldAt >= rule.repeat;
  return isDue ? { kind: 'reminder', isChange: false, tell: true } : undefined;
}

function complete(draft: Draft, state: AlertState, missing: boolean): AlertEvent {
  if (draft.tell) {
    state.told = true;
    state.toldAt = state.at;
    state.sequence++;
  }
  const { sequence, since, begun, at, value } = state;
  return { ...draft, sequence, since, begun, at, value, missing };
}

function inactive(at: number): AlertState {
  return { phase: 'inactive', since: 0, begun: 0, told: false, toldAt: 0, sequence: 0, at };
}

/**
 * The state as if the clock had always gone as it goes now. When it was set back, every time in the state
 * moves with it, so that nothing waits for the old time to come again and nothing counts twice; an
 * observation that is only a little out of order counts as if it were made at the time of the last.
 */
function aligned(state: AlertState, at: number): AlertState {
  const back = state.at - at;
  if (back <= OUT_OF_ORDER) return { ...state };
  const shifted = (time: number | undefined) => (time ? time - back : time);
  return {
    ...state,
    at,
    since: shifted(state.since) ?? 0,
    toldAt: shifted(state.toldAt) ?? 0,
    keepSince: shifted(state.keepSince),
    missingSince: shifted(state.missingSince),
    seen: shifted(state.seen),
  };
}

/** What has to survive a restart: it changes rarely, while values come all the time. Nothing when all is well. */
export function lasting(state: AlertState | undefined): Partial<AlertState> | undefined {
  if (!state || state.phase === 'inactive') return undefined;
  const { phase, since, begun, keepSince, missingSince, told, toldAt, sequence } = state;
  return { phase, since, begun, keepSince, missingSince, told, toldAt, sequence };
}

/** Whether two states differ in what has to survive a restart. */
export function differs(a: AlertState | undefined, b: AlertState | undefined): boolean {
  return JSON.stringify(lasting(a)) !== JSON.stringify(lasting(b));
}

/**
 * A state that was kept over a restart. What was pending before the machine itself was started anew is
 * dropped: nobody knows that the condition held while it was off. What fires goes on; its value counts as
 * seen `now`, because nobody could look before.
 * @param bootTime epoch ms
 */
export function restored(kept: AlertState, bootTime: number, now: number): AlertState | undefined {
  return kept.phase === 'pending' && kept.since < bootTime ? undefined : { ...kept, seen: now };
}

/** A series that should be there and has not been seen yet. */
export function awaited(now: number): AlertState {
  return { ...inactive(now), seen: now };
}

import { type Cause, type Complaint, RANK } from './judge.js';
import type { Incident, State } from './state.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Messages to one person in 24 hours, whatever happens. */
export const MOST_A_DAY = 12;

/** What is said of an incident; `was` tells of one that began and ended before anything could be told. */
export type What = 'begin' | 'worse' | 'still' | 'over' | 'was';

export interface Item {
  what: What;
  incident: Incident;
}

/** One message to one person. */
export interface Tell {
  target: string;
  items: Item[];
  /** Nobody needs to wake up for it. */
  silent: boolean;
}

/** What a target does not know yet; undefined when there is nothing, or too much was said already. */
export function dueFor(
  state: State,
  target: string,
  complaints: readonly Complaint[],
  at: number,
): Tell | undefined {
  if (at < state.quietUntil) return undefined;
  const items = state.incidents.flatMap((incident): Item[] => {
    const now = complaints.find(({ cause }) => cause === incident.cause);
    const what = whatIsDue(incident, target, now, at);
    return what ? [{ what, incident }] : [];
  });
  const room = MOST_A_DAY - saidLately(state, target, at);
  if (!items.some((item) => room >= roomFor(item))) return undefined;
  return { target, items, silent: items.every(isQuiet) };
}

function whatIsDue(
  incident: Incident,
  target: string,
  now: Complaint | undefined,
  at: number,
): What | undefined {
  const told = incident.told[target];
  if (incident.endedAt !== undefined) {
    if (!told) return 'was';
    return told.over ? undefined : 'over';
  }
  // While it looks well again, or nothing can be seen, the end or the next look tells more.
  if (!now || incident.goodSince !== undefined) return undefined;
  if (!told) return 'begin';
  if (incident.rank > told.rank) return 'worse';
  const calm = now.cause === 'potion' && now.rank === RANK.gentle;
  return !calm && remindersDue(incident.cause, at - told.at) > told.reminders ? 'still' : undefined;
}

/** Reminders that are due when the first message is so old: after 1 h, 6 h and then daily, or weekly. */
function remindersDue(cause: Cause, age: number): number {
  if (cause === 'settings' || cause === 'logs') return Math.floor(age / (7 * DAY));
  if (age < HOUR) return 0;
  return age < 6 * HOUR ? 1 : 2 + Math.floor(age / DAY);
}

/** The last message of a day is for the next outage, the last but one for its end, and so on. */
function roomFor({ what, incident }: Item): number {
  if (incident.cause !== 'potion' || what === 'still') return 4;
  return what === 'begin' ? 1 : 2;
}

function isQuiet({ what, incident }: Item): boolean {
  return what === 'over' || what === 'was' || incident.rank === RANK.gentle;
}

/** Messages that a target got in the last 24 hours. */
export function saidLately(state: State, target: string, at: number): number {
  return (state.said[target] ?? []).filter((time) => at - time < DAY).length;
}

/** The state after a message has gone out. */
export function noteSent(state: State, { target, items }: Tell, at: number): State {
  const next = structuredClone(state);
  next.said[target] = [...(next.said[target] ?? []), at];
  for (const { what, incident } of items) {
    const mine = next.incidents.find(
      ({ cause, since }) => cause === incident.cause && since === incident.since,
    );
    if (!mine) continue;
    const first = mine.told[target]?.at ?? at;
    mine.told[target] = {
      at: first,
      rank: mine.rank,
      reminders: remindersDue(mine.cause, at - first),
      over: what === 'over' || what === 'was',
    };
  }
  return next;
}

import { dueFor, MOST_A_DAY, saidLately, type Tell } from './due.js';
import type { Findings } from './findings.js';
import { type Cause, type Complaint, judge, RANK, RESTARTS_WITHIN } from './judge.js';
import { type Incident, rebased, type State } from './state.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** After a longer gap, e.g. a night switched off, what was suspected before says nothing. */
const GAP = 20 * MINUTE;
/** How long Potion must be well before its outage counts as over, by the outages of the last day. */
const CALM = [0, 10 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR];
const OTHER_CALM = 10 * MINUTE;
/** What could not be told for so long is told no more. */
const STALE = 7 * DAY;
const KEPT = 20;

export interface Decision {
  state: State;
  /** At most one message for each target. */
  tells: Tell[];
  complaints: Complaint[];
}

/**
 * One look's worth of deciding: what is wrong, since when, what is over, and what whom has to be told. What is
 * told counts only when `noteSent` has heard that it was.
 */
export function decide(before: State, findings: Findings, targets: readonly string[]): Decision {
  const { at, boot, uptime } = findings;
  const state = structuredClone(rebased(before, findings));
  if (at - state.at > GAP || boot !== state.boot) forgetDoubts(state);
  noteRestarts(state, findings);
  const { complaints, unknown } = judge(findings, state.restarts.length);
  for (const cause of ['potion', 'token', 'settings', 'logs'] as const) {
    const complaint = complaints.find((complaint) => complaint.cause === cause);
    if (unknown.includes(cause)) forgetDoubt(state, cause);
    else if (complaint) bad(state, complaint, at);
    else good(state, cause, at, targets);
  }
  tidy(state, at, targets);
  // Longer than that nobody is to be kept silent, not even by a damaged file.
  const quietUntil = Math.min(state.quietUntil, at + HOUR);
  Object.assign(state, { at, boot, uptime, quietUntil });
  const tells = targets.flatMap((target) => dueFor(state, target, complaints, at) ?? []);
  return { state, tells, complaints };
}

function forgetDoubts(state: State): void {
  state.doubts = [];
  state.restarts = [];
  delete state.counter;
  for (const incident of state.incidents) if (incident.endedAt === undefined) delete incident.goodSince;
}

function forgetDoubt(state: State, cause: Cause): void {
  state.doubts = state.doubts.filter((doubt) => doubt.cause !== cause);
}

/** systemd's counter starts anew whenever a person starts the unit. */
function noteRestarts(state: State, { unit, at }: Findings): void {
  if ('restarts' in unit) {
    const { counter = unit.restarts } = state;
    const more = unit.restarts >= counter ? unit.restarts - counter : unit.restarts;
    state.restarts.push(...Array<number>(Math.min(more, 100)).fill(at));
    state.counter = unit.restarts;
  }
  state.restarts = state.restarts.filter((time) => at - time < RESTARTS_WITHIN).slice(-100);
}

function openOne(state: State, cause: Cause): Incident | undefined {
  return state.incidents.find((incident) => incident.cause === cause && incident.endedAt === undefined);
}

function bad(state: State, complaint: Complaint, at: number): void {
  const { cause, code, data, rank } = complaint;
  const open = openOne(state, cause);
  if (open && open.goodSince !== undefined) {
    delete open.goodSince;
    open.dips++;
  }
  if (open && rank <= open.rank) {
    forgetDoubt(state, cause);
    // A person who stops it to mend it does not make the outage a harmless one.
    if (rank > RANK.gentle || open.rank === RANK.gentle) Object.assign(open, { code, data });
    return;
  }
  const since = confirmed(state, complaint, at);
  if (since === undefined) return;
  if (open) Object.assign(open, { code, data, rank });
  else state.incidents.push({ cause, code, data, rank, since, dips: 0, told: {} });
}

/** Since when it is so, once that is long enough. */
function confirmed(state: State, { cause, rank, patience }: Complaint, at: number): number | undefined {
  const gentle = (rank: number) => rank === RANK.gentle;
  const known = state.doubts.find((doubt) => doubt.cause === cause && gentle(doubt.rank) === gentle(rank));
  const since = known?.since ?? at;
  forgetDoubt(state, cause);
  if (at - since >= patience) return since;
  state.doubts.push({ cause, rank, since });
  return undefined;
}

function good(state: State, cause: Cause, at: number, targets: readonly string[]): void {
  forgetDoubt(state, cause);
  const open = openOne(state, cause);
  if (!open) return;
  open.goodSince ??= at;
  if (at - open.goodSince < calmFor(state, cause, at)) return;
  // With nothing left to say the next outage with, this one had better stay the last word.
  const room = targets.every((target) => saidLately(state, target, at) <= MOST_A_DAY - 2);
  if (cause === 'potion' && !room) return;
  open.endedAt = open.goodSince;
  if (cause === 'potion') state.endings.push(at);
}

function calmFor(state: State, cause: Cause, at: number): number {
  if (cause !== 'potion') return OTHER_CALM;
  const outages = state.endings.filter((time) => at - time < DAY).length;
  return CALM[Math.min(outages, CALM.length - 1)] ?? 0;
}

/** Keeps the state small whatever happens. */
function tidy(state: State, at: number, targets: readonly string[]): void {
  state.endings = state.endings.filter((time) => at - time < DAY).slice(-KEPT);
  const wanted = (incident: Incident) =>
    incident.endedAt === undefined ||
    (at - incident.endedAt < STALE && targets.some((target) => !incident.told[target]?.over));
  state.incidents = state.incidents.filter(wanted);
  // What was told must be told to be over, too; what was not can go.
  const untold = state.incidents.filter(
    ({ endedAt, told }) => endedAt !== undefined && !Object.keys(told)[0],
  );
  const excess = new Set(untold.slice(0, Math.max(0, state.incidents.length - KEPT)));
  state.incidents = state.incidents.filter((incident) => !excess.has(incident));
  state.said = Object.fromEntries(
    targets.map((target) => [target, (state.said[target] ?? []).filter((time) => at - time < DAY)]),
  );
}

import type { Cause } from './judge.js';

/** What a target has been told of an incident. */
export interface Told {
  /** When it was told first, epoch ms. */
  at: number;
  /** How bad it was called. */
  rank: number;
  /** Reminders that were due by the last one. */
  reminders: number;
  /** Whether it knows that it is over. */
  over: boolean;
}

/** Something that is, or was, wrong for so long that it is told. Times are epoch ms. */
export interface Incident {
  cause: Cause;
  code: string;
  data: Record<string, unknown>;
  /** The worst so far. */
  rank: number;
  since: number;
  /** Since when it looks well again; it may come back. */
  goodSince?: number;
  endedAt?: number;
  /** How often it was well for a while and came back. */
  dips: number;
  told: Record<string, Told>;
}

/** A complaint that has not lasted long enough to be told. */
export interface Doubt {
  cause: Cause;
  rank: number;
  since: number;
}

/** What one run leaves to the next. */
export interface State {
  version: 1;
  /** Time, boot and uptime of the last look. */
  at: number;
  boot: string;
  uptime: number;
  /** When systemd was seen to have restarted Potion; one entry for each restart. */
  restarts: number[];
  /** What its counter said at the last look. */
  counter?: number;
  doubts: Doubt[];
  /** Open ones, and those whose end not everybody knows. */
  incidents: Incident[];
  /** When Potion's last outages ended. */
  endings: number[];
  /** When each target was sent something. */
  said: Record<string, number[]>;
  /** Telegram asked to be left alone until then. */
  quietUntil: number;
}

export function freshState(): State {
  return {
    version: 1,
    at: 0,
    boot: '',
    uptime: 0,
    restarts: [],
    doubts: [],
    incidents: [],
    endings: [],
    said: {},
    quietUntil: 0,
  };
}

/** Reads what was written; undefined when it is none, e.g. cut off or edited by hand. */
export function parseState(text: string): State | undefined {
  let value: Partial<State> | null;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(value) || value.version !== 1) return undefined;
  const { at, boot, uptime, restarts, counter, doubts, incidents, endings, said, quietUntil } = value;
  const sound =
    areNumbers([at, uptime, quietUntil]) &&
    typeof boot === 'string' &&
    (counter === undefined || (Number.isSafeInteger(counter) && counter >= 0)) &&
    areNumbers(restarts) &&
    areNumbers(endings) &&
    isRecord(said) &&
    Object.values(said).every(areNumbers) &&
    Array.isArray(doubts) &&
    doubts.every(
      (doubt) => isRecord(doubt) && isCause(doubt.cause) && areNumbers([doubt.rank, doubt.since]),
    ) &&
    Array.isArray(incidents) &&
    incidents.every(isIncident);
  return sound ? (value as State) : undefined;
}

const CAUSES: readonly Cause[] = ['potion', 'token', 'settings', 'logs'];

function isIncident(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { cause, code, data, rank, since, goodSince, endedAt, dips, told } = value;
  return (
    isCause(cause) &&
    typeof code === 'string' &&
    isRecord(data) &&
    areNumbers([rank, since, dips, goodSince ?? 0, endedAt ?? 0]) &&
    isRecord(told) &&
    Object.values(told).every(
      (mark) =>
        isRecord(mark) && areNumbers([mark.at, mark.rank, mark.reminders]) && typeof mark.over === 'boolean',
    )
  );
}

function isCause(value: unknown): boolean {
  return CAUSES.includes(value as Cause);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function areNumbers(value: unknown): boolean {
  return Array.isArray(value) && value.every((number) => Number.isFinite(number));
}

/** A correction of the clock smaller than this is not worth a thought. */
const SMALL = 60_000;

/**
 * The same state by the clock as it goes now: durations stay what they were when the clock has jumped, and
 * nothing lies in the future.
 */
export function rebased(state: State, now: { at: number; boot: string; uptime: number }): State {
  if (state.at === 0) return state;
  const passed = now.at - state.at;
  const sameBoot = state.boot !== '' && state.boot === now.boot && now.uptime >= state.uptime;
  const jump = sameBoot ? passed - (now.uptime - state.uptime) * 1000 : Math.min(0, passed);
  return Math.abs(jump) < SMALL ? state : moved(state, jump);
}

function moved(state: State, by: number): State {
  const all = (times: readonly number[]) => times.map((time) => time + by);
  const maybe = (time: number | undefined) => (time === undefined ? undefined : time + by);
  return {
    ...state,
    at: state.at + by,
    restarts: all(state.restarts),
    doubts: state.doubts.map((doubt) => ({ ...doubt, since: doubt.since + by })),
    incidents: state.incidents.map((incident) => ({
      ...incident,
      since: incident.since + by,
      goodSince: maybe(incident.goodSince),
      endedAt: maybe(incident.endedAt),
      told: Object.fromEntries(
        Object.entries(incident.told).map(([target, told]) => [target, { ...told, at: told.at + by }]),
      ),
    })),
    endings: all(state.endings),
    said: Object.fromEntries(Object.entries(state.said).map(([target, times]) => [target, all(times)])),
    quietUntil: state.quietUntil + by,
  };
}

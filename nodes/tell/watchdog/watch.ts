import type { Verdict } from '../../host/telegram-errors.js';

/** Why no updates come: an error's kind, or silence. */
export interface Reason {
  kind: Verdict['kind'] | 'silent';
  /** The error's own words, without secrets. */
  text: string;
}

/** What is told to the admins. */
export type News =
  /** Nothing could be received since then (epoch ms). */
  | { state: 'lost'; since: number; reason: Reason }
  /** Another instance takes the updates away. */
  | { state: 'conflict'; since: number; reason: Reason }
  /** It works again. */
  | { state: 'back'; since: number; until: number; reason: Reason };

export interface Rules {
  /** Milliseconds without a poll after which the bot is restarted. */
  within: number;
  /** Milliseconds without a poll after which the admins are told. */
  lostAfter: number;
}

/** Moments are given twice: `wall` in epoch ms for people, `mono` in ms of a clock that never jumps. */
export interface Moment {
  wall: number;
  mono: number;
}

export interface Watch {
  rules: Rules;
  /** The last poll that worked, or the start. */
  heard: Moment;
  /** The first of the polls that have worked without an error since. */
  steady?: Moment;
  /** What goes wrong right now. */
  reason?: Reason;
  /** Since when the bot has had no polling going on at all; a rebuild takes a few seconds. */
  idle?: number;
  restarted?: { at: number; times: number };
  /** Monotonic times of the last 409s, at most as many as make a conflict. */
  conflicts: number[];
  /** Another instance polls with the same token. */
  conflict: boolean;
  told?: News & { state: 'lost' | 'conflict' };
  /** Monotonic times at which "back" was told: a connection that flaps is told of ever more rarely. */
  backs: number[];
}

export interface Turn {
  watch: Watch;
  /** Restart the bot. */
  restart?: boolean;
  news?: News;
}

/** A bot whose polling has ended is not waited for as long as a silent one. */
const IDLE_WITHIN = 15_000;
const LONGEST_GAP = 2 * 60_000;
/** A wrong token or a second instance needs a person; asking Telegram often helps nobody. */
const LONGEST_GAP_REFUSED = 10 * 60_000;
/** Polls must have worked for so long before "back" is said. */
const STEADY = 10_000;
/** A redeploy or a restart can bring a 409 or two by itself: the old request is still open at Telegram. */
const CONFLICTS = 3;
const CONFLICT_WINDOW = 60_000;
const FLAP_WINDOW = 30 * 60_000;
const MOST_FLAPS = 3;

export function startWatch(rules: Rules, now: Moment): Watch {
  return { rules, heard: now, conflicts: [], conflict: false, backs: [] };
}

/** A poll has worked. */
export function polled(watch: Watch, now: Moment): Turn {
  const steady = watch.steady ?? now;
  const next: Watch = { ...watch, heard: now, steady, idle: undefined };
  // Two instances take turns: now and then a poll of each gets through.
  const quarrel = now.mono - (watch.conflicts.at(-1) ?? Number.NEGATIVE_INFINITY) <= CONFLICT_WINDOW;
  if (watch.conflict && quarrel) return { watch: next };
  const calm: Watch = { ...next, reason: undefined, restarted: undefined, conflict: false };
  if (!watch.told || now.mono - steady.mono < STEADY) return { watch: calm };
  const { since, reason } = watch.told;
  const news: News = { state: 'back', since, until: steady.wall, reason };
  return { watch: { ...calm, told: undefined, backs: recent([...watch.backs, now.mono], now) }, news };
}

/** A poll has failed. */
export function failed(watch: Watch, verdict: Verdict, now: Moment): Turn {
  const reason = { kind: verdict.kind, text: verdict.reason };
  const next: Watch = { ...watch, steady: undefined, reason };
  if (verdict.kind !== 'conflict') return { watch: next };
  const conflicts = [...watch.conflicts, now.mono].slice(-CONFLICTS);
  const isMany = conflicts.length === CONFLICTS && now.mono - (conflicts[0] ?? 0) <= CONFLICT_WINDOW;
  const conflict = watch.conflict || isMany;
  if (!conflict || watch.told) return { watch: { ...next, conflicts, conflict } };
  const news = { state: 'conflict' as const, since: now.wall, reason };
  return { watch: { ...next, conflicts, conflict, told: news }, news };
}

/**
 * Looks after the bot; call it every few seconds.
 * @param bot whether the bot polls at all right now
 */
export function looked(watch: Watch, bot: { polls: boolean }, now: Moment): Turn {
  const idle = bot.polls ? undefined : (watch.idle ?? now.mono);
  const next: Watch = { ...watch, idle };
  const quiet = now.mono - watch.heard.mono;
  const turn: Turn = { watch: next };
  if (isDue(next, quiet, now)) {
    turn.restart = true;
    turn.watch = {
      ...next,
      idle: undefined,
      restarted: { at: now.mono, times: (watch.restarted?.times ?? 0) + 1 },
    };
  }
  const patience = watch.rules.lostAfter * 2 ** Math.min(recent(watch.backs, now).length, MOST_FLAPS);
  if (!watch.told && quiet >= patience) {
    const reason = watch.reason ?? { kind: 'silent' as const, text: 'no answer' };
    turn.news = { state: 'lost', since: watch.heard.wall, reason };
    turn.watch = { ...turn.watch, steady: undefined, told: { ...turn.news, state: 'lost' } };
  }
  return turn;
}

function isDue(watch: Watch, quiet: number, now: Moment): boolean {
  const { rules, idle, restarted, reason } = watch;
  const dead = idle !== undefined && now.mono - idle >= Math.min(IDLE_WITHIN, rules.within);
  if (!dead && quiet < rules.within) return false;
  if (!restarted) return true;
  const refused = reason?.kind === 'token' || reason?.kind === 'conflict';
  const longest = refused ? LONGEST_GAP_REFUSED : LONGEST_GAP;
  return now.mono - restarted.at >= Math.min(longest, rules.within * 2 ** (restarted.times - 1));
}

function recent(times: number[], now: Moment): number[] {
  return times.filter((at) => now.mono - at <= FLAP_WINDOW);
}

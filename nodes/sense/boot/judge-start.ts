import type { ClockTrust } from '../../host/clock-trust.js';
import type { Life } from '../../state/lifecycle.js';
import type { PowerIntent } from '../../state/power-intent.js';

/** What is known at the start of a process. Times are epoch ms. */
export interface Now {
  bootId: string;
  bootTime: number;
  startedAt: number;
  clock: ClockTrust;
}

/** What `boot` says, in `msg.payload`. */
export interface Start {
  /** `boot`: the machine was started; `restart`: only Potion was; `first`: never seen before. */
  kind: 'boot' | 'restart' | 'first';
  /** While Potion was off; null: not known (first start, or the clock can't be believed). */
  off: { from: number; to: number /** seconds */; took: number } | null;
  /** It had been stopped in order: no power cut, no crash. True on the first start. */
  clean: boolean;
  bootTime: number;
  bootId: string;
  startedAt: number;
  clock: ClockTrust;
  /** A person had wanted it: who (Telegram user id), what, and how long it took in seconds, null if not known. */
  asked?: { action: PowerIntent['action']; user: number; took: number | null };
}

/** The last sign of life is written this often, so a start can't lie further before it, in ms. */
const TOLERANCE = 1000;

/** Tells what happened between the last life and this one. */
export function judgeStart(last: Life | undefined, now: Now): Start {
  const { bootId, bootTime, startedAt, clock } = now;
  const facts = { bootTime, bootId, startedAt, clock };
  if (!last) return { kind: 'first', off: null, clean: true, ...facts };
  const kind = last.bootId === bootId ? 'restart' : 'boot';
  return { kind, off: offBetween(last.aliveAt, startedAt, clock), clean: last.clean, ...facts };
}

function offBetween(from: number, to: number, clock: ClockTrust): Start['off'] {
  if (clock === 'wrong' || to < from - TOLERANCE) return null;
  return { from: Math.min(from, to), to, took: Math.max(0, to - from) / 1000 };
}

/** What a person had asked for, if it is what has led to this start. */
export function askedFor(start: Start, intent: PowerIntent | undefined): Start['asked'] {
  if (start.kind !== 'boot' || intent?.phase !== 'begun' || intent.bootId === start.bootId) return undefined;
  const off = offBetween(intent.at, start.startedAt, start.clock);
  return { action: intent.action, user: intent.request.user, took: off?.took ?? null };
}

/** Whether a start is worth a message: anything but an orderly restart of Potion alone that was soon over. */
export function isWorthTelling(
  start: Start,
  { restarts, long }: { restarts: boolean; long: number },
): boolean {
  if (restarts || start.kind !== 'restart' || !start.clean) return true;
  return start.off !== null && start.off.took > long;
}

import type { Clock } from '../kit/clock.js';
import type { PotionError } from '../kit/errors.js';
import type { UnitState } from './unit-state.js';

export { type Condition, conditionOf, type Health, healthOf, type UnitState } from './unit-state.js';

export interface ConnectOptions {
  /** D-Bus address. Default DBUS_SYSTEM_BUS_ADDRESS, else the system bus's socket. */
  address?: string;
  clock?: Clock;
  /**
   * Resolve even when systemd can't be reached now, and keep trying in the background: `trouble` says why,
   * onBack is called once it is there.
   */
  patient?: boolean;
}

export interface JobOptions {
  /** Milliseconds until the wait for the job ends (the job goes on). Default 3 minutes. */
  timeout?: number;
  /** Ends the wait when the node closes. */
  signal?: AbortSignal;
}

export interface JobResult {
  unit: string;
  /** `skipped`: systemd found that nothing had to be done. */
  result: 'done' | 'skipped';
  /** Seconds. */
  took: number;
}

/** Called with every new state; `previous` is absent the first time. */
export type OnChange = (state: UnitState, previous?: UnitState) => void;

/** Ends a watch. */
export type Unwatch = () => Promise<void>;

/**
 * systemd over the system bus. All handles of a process share one connection; it is opened with the first
 * and closed with the last. It comes back by itself after the bus or systemd was restarted, and what changed
 * meanwhile is told then.
 */
export interface SystemdContract {
  /** Why systemd can't be reached at the moment; absent while it can. */
  readonly trouble: PotionError | undefined;
  /** State of one unit; a unit that does not exist has the condition `missing`. */
  state(unit: string): Promise<UnitState>;
  /** States in the order asked for. */
  states(units: readonly string[]): Promise<UnitState[]>;
  /** @throws PotionError DENIED NOT_FOUND INVALID FAILED TIMEOUT CANCELLED UNAVAILABLE */
  start(unit: string, options?: JobOptions): Promise<JobResult>;
  stop(unit: string, options?: JobOptions): Promise<JobResult>;
  restart(unit: string, options?: JobOptions): Promise<JobResult>;
  /** Forgets a failure and the start limit. */
  resetFailed(unit: string): Promise<void>;
  /** Watches units, existing or not. The current state of each comes first, without `previous`. */
  watch(units: readonly string[], onChange: OnChange): Unwatch;
  onLost(listener: (why: PotionError) => void): () => void;
  onBack(listener: () => void): () => void;
  close(): Promise<void>;
}

import { type Clock, systemClock } from '../kit/clock.js';
import { unitName } from '../kit/config.js';
import { PotionError } from '../kit/errors.js';
import { systemBusAddress } from './dbus.js';
import { jobFailure, refusal, type Verb } from './systemd-errors.js';
import { SystemdLink } from './systemd-link.js';
import { type UnitState, unitPath, unitState } from './unit-state.js';
import { MANAGER, type OnChange, readProps } from './unit-watch.js';

export type { Condition, UnitState } from './unit-state.js';
export type { OnChange } from './unit-watch.js';

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

/** Ends a watch. */
export type Unwatch = () => Promise<void>;

// Twice systemd's default limit for one start or stop, which a restart may need both of.
const JOB_LIMIT = 180_000;

/** The full name of a unit: `nginx` is `nginx.service`. @throws PotionError INVALID */
export function checkedUnit(name: unknown): string {
  const unit = typeof name === 'string' ? unitName(name) : undefined;
  if (!unit)
    throw new PotionError('INVALID', 'errors.unit-name', { unit: JSON.stringify(name ?? '').slice(0, 80) });
  return unit;
}

/**
 * systemd over the system bus. All handles of a process share one connection; it is opened with the first
 * and closed with the last. It comes back by itself after the bus or systemd was restarted, and what changed
 * meanwhile is told then.
 *
 * Every method throws PotionError UNAVAILABLE while systemd can't be reached, INVALID for what is no unit
 * name and TIMEOUT when systemd does not answer within 10 s.
 */
export class Systemd {
  readonly #link: SystemdLink;
  readonly #cleanups = new Set<() => void | Promise<void>>();
  /** Ends the waits for jobs that are under way. */
  readonly #waits = new Set<() => void>();
  #closed = false;

  /** @throws PotionError UNAVAILABLE when there is no systemd here, unless `patient` */
  static async connect(options: ConnectOptions = {}): Promise<Systemd> {
    const link = SystemdLink.use(options.address ?? systemBusAddress(), options.clock ?? systemClock);
    try {
      await link.ready();
    } catch (thrown) {
      if (!options.patient) {
        link.release();
        throw thrown;
      }
    }
    return new Systemd(link);
  }

  private constructor(link: SystemdLink) {
    this.#link = link;
  }

  /** Why systemd can't be reached at the moment; absent while it can. */
  get trouble(): PotionError | undefined {
    return this.#link.trouble;
  }

  /** State of one unit; one that does not exist has the condition `missing`. */
  async state(name: string): Promise<UnitState> {
    const unit = checkedUnit(name);
    const bus = await this.#link.ready();
    return readProps(bus, unitPath(unit), (props) => unitState(unit, props));
  }

  /** States in the order asked for. */
  states(names: readonly string[]): Promise<UnitState[]> {
    return Promise.all(names.map((name) => this.state(name)));
  }

  /**
   * Starts a unit and waits until systemd says that it has started.
   * @throws PotionError DENIED (polkit), NOT_FOUND, FAILED (masked, broken, or its start failed), BUSY,
   *   TIMEOUT, CANCELLED
   */
  start(name: string, options?: JobOptions): Promise<JobResult> {
    return this.#job('start', 'StartUnit', name, options);
  }

  /** Stops a unit; see start(). */
  stop(name: string, options?: JobOptions): Promise<JobResult> {
    return this.#job('stop', 'StopUnit', name, options);
  }

  /** Restarts a unit, or starts it when it is down; see start(). */
  restart(name: string, options?: JobOptions): Promise<JobResult> {
    return this.#job('restart', 'RestartUnit', name, options);
  }

  /** Forgets a failure and the start limit. @throws PotionError DENIED, NOT_FOUND */
  async resetFailed(name: string): Promise<void> {
    const unit = checkedUnit(name);
    const bus = await this.#link.ready();
    try {
      await bus.call({ ...MANAGER, member: 'ResetFailedUnit', signature: 's', args: [unit] });
    } catch (thrown) {
      throw refusal(thrown, unit, 'reset-failed');
    }
  }

  /**
   * Watches units, existing or not. The current state of each comes first, without `previous`; then every
   * change, the moment it happens. What changes while the connection is lost is told when it is back.
   * @throws PotionError INVALID
   */
  watch(names: readonly string[], onChange: OnChange): Unwatch {
    const units = [...new Set(names.map(checkedUnit))];
    const listener: OnChange = (state, previous) => onChange(state, previous);
    for (const unit of units) this.#link.units.add(unit, listener);
    return this.#cleanup(async () => {
      await Promise.all(units.map((unit) => this.#link.units.remove(unit, listener)));
    });
  }

  /** Calls when the connection is lost; it is being restored already. @returns ends it */
  onLost(listener: (why: PotionError) => void): Unwatch {
    const own = (why: PotionError) => listener(why);
    this.#link.lost.add(own);
    return this.#cleanup(() => void this.#link.lost.delete(own));
  }

  /** Calls when the connection is there (again) and everything watched is up to date. @returns ends it */
  onBack(listener: () => void): Unwatch {
    const own = () => listener();
    this.#link.back.add(own);
    return this.#cleanup(() => void this.#link.back.delete(own));
  }

  /** Ends what this handle has watched, and the connection with the last handle. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const leave of [...this.#waits]) leave();
    await Promise.all([...this.#cleanups].map((cleanup) => cleanup()));
    this.#link.release();
  }

  #cleanup(work: () => void | Promise<void>): Unwatch {
    const once = async () => {
      if (this.#cleanups.delete(once)) await work();
    };
    this.#cleanups.add(once);
    return once;
  }

  async #job(verb: Verb, member: string, name: string, options: JobOptions = {}): Promise<JobResult> {
    const unit = checkedUnit(name);
    const { clock, jobs } = this.#link;
    const started = clock.monotonic();
    const bus = await this.#link.ready();
    let job = '';
    let finish = (_result: string) => {};
    const finished = new Promise<string>((resolve) => {
      finish = resolve;
    });
    try {
      // `replace` is what systemctl uses: the newer wish wins over a job that is still waiting.
      const call = { ...MANAGER, member, signature: 'ss', args: [unit, 'replace'] };
      job = await bus.call(call, ([path]) => {
        jobs.set(String(path), finish);
        return String(path);
      });
      const result = await this.#ended(finished, unit, verb, options);
      if (result !== 'done' && result !== 'skipped') throw jobFailure(result, verb, await this.state(unit));
      return { unit, result, took: (clock.monotonic() - started) / 1000 };
    } catch (thrown) {
      throw refusal(thrown, unit, verb);
    } finally {
      jobs.delete(job);
    }
  }

  /** Waits for the end of a job, but no longer than allowed, and not beyond the connection or this handle. */
  #ended(finished: Promise<string>, unit: string, verb: Verb, options: JobOptions): Promise<string> {
    const { clock, lost } = this.#link;
    const limit = options.timeout ?? JOB_LIMIT;
    return new Promise((resolve, reject) => {
      const end = () => {
        cancel();
        lost.delete(onLost);
        this.#waits.delete(leave);
        options.signal?.removeEventListener('abort', leave);
      };
      const fail = (code: PotionError['code'], text: string) => {
        end();
        reject(new PotionError(code, text, { unit, verb, seconds: limit / 1000 }));
      };
      const leave = () => fail('CANCELLED', 'errors.unit-job-left');
      const onLost = () => fail('UNAVAILABLE', 'errors.unit-job-lost');
      const cancel = clock.after(limit, () => fail('TIMEOUT', 'errors.unit-job-wait'));
      lost.add(onLost);
      this.#waits.add(leave);
      options.signal?.addEventListener('abort', leave);
      if (options.signal?.aborted || this.#closed) leave();
      finished.then((result) => {
        end();
        resolve(result);
      });
    });
  }
}

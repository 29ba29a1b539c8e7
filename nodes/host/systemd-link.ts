import type { Cancel, Clock } from '../kit/clock.js';
import { PotionError } from '../kit/errors.js';
import { Bus } from './dbus.js';
import type { Incoming } from './dbus-wire.js';
import { MANAGER, UnitWatch } from './unit-watch.js';

const FIRST_RETRY = 100;
const LONGEST_RETRY = 30_000;
const RECONCILE = 60_000;
const SETTLE = 50;

const MANAGER_SIGNALS = ['JobRemoved', 'UnitNew', 'Reloading', 'UnitFilesChanged'];

/** The connection that all of a process share; comes back by itself until it is released. */
export class SystemdLink {
  static readonly #shared = new Map<string, SystemdLink>();

  readonly units = new UnitWatch((why) => this.#lose(why));
  /** Waits for jobs by their D-Bus path. */
  readonly jobs = new Map<string, (result: string) => void>();
  readonly lost = new Set<(why: PotionError) => void>();
  readonly back = new Set<() => void>();
  readonly clock: Clock;

  readonly #address: string;
  #users = 0;
  #bus: Bus | undefined;
  #owner = '';
  #trouble: PotionError | undefined;
  #retry = FIRST_RETRY;
  #attempt: Promise<void> | undefined;
  #cancelRetry: Cancel | undefined;
  #cancelReconcile: Cancel | undefined;
  #cancelRefresh: Cancel | undefined;

  /** The link to this address; each caller releases it once. */
  static use(address: string, clock: Clock): SystemdLink {
    const link = SystemdLink.#shared.get(address) ?? new SystemdLink(address, clock);
    SystemdLink.#shared.set(address, link);
    link.#users++;
    return link;
  }

  private constructor(address: string, clock: Clock) {
    this.#address = address;
    this.clock = clock;
  }

  get trouble(): PotionError | undefined {
    return this.#trouble;
  }

  /** The connection; where it is lost, an attempt is made now. @throws PotionError UNAVAILABLE */
  async ready(): Promise<Bus> {
    this.#tryNow();
    await this.#attempt;
    if (!this.#bus)
      throw this.#trouble ?? new PotionError('UNAVAILABLE', 'errors.no-systemd', { detail: '' });
    return this.#bus;
  }

  release(): void {
    if (--this.#users > 0) return;
    SystemdLink.#shared.delete(this.#address);
    this.#detach();
    this.#cancelRetry?.();
  }

  #tryNow(): void {
    if (this.#bus || this.#users === 0) return;
    this.#cancelRetry?.();
    this.#connect();
  }

  #connect(): void {
    this.#attempt ??= this.#open().finally(() => {
      this.#attempt = undefined;
    });
  }

  async #open(): Promise<void> {
    let bus: Bus | undefined;
    try {
      bus = await this.#openBus();
      if (this.#users === 0) return bus.close();
      const wasLost = this.#trouble !== undefined;
      this.#bus = bus;
      this.#trouble = undefined;
      this.#retry = FIRST_RETRY;
      this.#cancelReconcile = this.clock.every(RECONCILE, () => {
        this.units.reconcile().catch((why) => this.#lose(why));
      });
      if (wasLost) notify(this.back, undefined);
    } catch (thrown) {
      bus?.close();
      this.#fail(thrown);
    }
  }

  async #openBus(): Promise<Bus> {
    const bus = await Bus.open({
      address: this.#address,
      clock: this.clock,
      onSignal: (signal) => this.#onSignal(signal),
      onLost: (why) => {
        if (this.#bus === bus) this.#lose(why);
      },
    });
    try {
      const from = `type='signal',sender='${MANAGER.destination}',path='${MANAGER.path}',interface='${MANAGER.interface}'`;
      await Promise.all([
        bus.addMatch(
          `type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='${MANAGER.destination}'`,
        ),
        ...MANAGER_SIGNALS.map((member) => bus.addMatch(`${from},member='${member}'`)),
      ]);
      const owner = await bus.ownerOf(MANAGER.destination);
      this.#owner = owner;
      await bus.call({ ...MANAGER, member: 'Subscribe' });
      await this.units.attach(bus);
      if (this.#owner !== owner) throw new Error('systemd came anew meanwhile');
      return bus;
    } catch (thrown) {
      this.units.detach();
      bus.close();
      throw thrown;
    }
  }

  #onSignal(signal: Incoming): void {
    if (signal.sender === 'org.freedesktop.DBus') this.#onOwner(signal);
    // Anyone on the bus may send signals to us; only systemd's own are believed.
    if (signal.sender !== this.#owner) return;
    const [first, path, , result] = signal.body;
    if (signal.member === 'JobRemoved') this.jobs.get(String(path))?.(String(result));
    else if (signal.member === 'UnitFilesChanged' || (signal.member === 'Reloading' && first === false))
      this.#refreshSoon();
    else if (signal.member !== 'Reloading') this.units.onSignal(signal);
  }

  /** systemd has left the bus or come anew (daemon-reexec): it has forgotten what we asked for. */
  #onOwner({ member, body: [name, , owner] }: Incoming): void {
    if (member !== 'NameOwnerChanged' || name !== MANAGER.destination) return;
    this.#owner = String(owner);
    this.#lose(new Error('systemd left the bus'));
  }

  #refreshSoon(): void {
    this.#cancelRefresh?.();
    this.#cancelRefresh = this.clock.after(SETTLE, () => {
      this.units.refreshAll().catch((why) => this.#lose(why));
    });
  }

  /** The connection is gone, or of no use any more. */
  #lose(why: unknown): void {
    if (!this.#bus) return;
    this.#detach();
    this.#retry = FIRST_RETRY;
    const trouble = this.#fail(why);
    notify(this.lost, trouble);
  }

  #detach(): void {
    this.#cancelReconcile?.();
    this.#cancelRefresh?.();
    this.units.detach();
    this.#bus?.close();
    this.#bus = undefined;
  }

  #fail(why: unknown): PotionError {
    const detail = why instanceof PotionError ? why.cause.data.detail : undefined;
    this.#trouble = new PotionError('UNAVAILABLE', 'errors.no-systemd', detail ? { detail } : {}, why);
    if (this.#users > 0) {
      this.#cancelRetry = this.clock.after(this.#retry, () => this.#connect());
      this.#retry = Math.min(this.#retry * 2, LONGEST_RETRY);
    }
    return this.#trouble;
  }
}

function notify<T>(listeners: ReadonlySet<(what: T) => void>, what: T): void {
  for (const listener of [...listeners]) {
    try {
      listener(what);
    } catch (thrown) {
      process.emitWarning(thrown as Error);
    }
  }
}

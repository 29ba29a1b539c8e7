import { type Bus, BusError } from './dbus.js';
import type { Incoming } from './dbus-wire.js';
import { isPassing } from './start-limit.js';
import { sameState, UNIT_PROPS, type UnitState, unitPath, unitState } from './unit-state.js';

/** Called with every new state; `previous` is absent the first time. */
export type OnChange = (state: UnitState, previous?: UnitState) => void;

/** Where systemd's manager is on the bus. */
export const MANAGER = {
  destination: 'org.freedesktop.systemd1',
  path: '/org/freedesktop/systemd1',
  interface: 'org.freedesktop.systemd1.Manager',
} as const;

interface Watched {
  readonly unit: string;
  path: string;
  props?: Record<string, unknown>;
  state?: UnitState;
  /** systemd has read the unit anew since we did, so what never changes in a loaded unit may have. */
  stale: boolean;
  readonly listeners: Map<OnChange, UnitState | undefined>;
}

/**
 * The watched units of one connection: what is known of each, kept up to date by the signals of the bus.
 * Survives the connection; after a new one, `attach` asks for everything once and tells what has changed.
 */
export class UnitWatch {
  readonly #units = new Map<string, Watched>();
  #bus: Bus | undefined;
  /** Called with what went wrong in work that nobody waits for. */
  readonly #onTrouble: (why: unknown) => void;

  constructor(onTrouble: (why: unknown) => void) {
    this.#onTrouble = onTrouble;
  }

  add(unit: string, listener: OnChange): void {
    const known = this.#units.get(unit);
    if (known) {
      known.listeners.set(listener, undefined);
      queueMicrotask(() => tell(known));
      return;
    }
    const watched: Watched = {
      unit,
      path: unitPath(unit),
      stale: false,
      listeners: new Map([[listener, undefined]]),
    };
    this.#units.set(unit, watched);
    if (this.#bus) this.#begin(this.#bus, watched).catch(this.#onTrouble);
  }

  async remove(unit: string, listener: OnChange): Promise<void> {
    const watched = this.#units.get(unit);
    watched?.listeners.delete(listener);
    if (!watched || watched.listeners.size > 0) return;
    this.#units.delete(unit);
    // A connection that is gone has forgotten the rule by itself.
    await this.#bus?.removeMatch(rule(watched.path)).catch(() => {});
  }

  /** A connection is there: watches every unit on it and asks for its state. */
  async attach(bus: Bus): Promise<void> {
    this.#bus = bus;
    await Promise.all([...this.#units.values()].map((watched) => this.#begin(bus, watched)));
  }

  detach(): void {
    this.#bus = undefined;
  }

  /** Asks anew for everything, e.g. after systemd has read all unit files again. */
  async refreshAll(): Promise<void> {
    const bus = this.#bus;
    if (bus) await Promise.all([...this.#units.values()].map((watched) => this.#refresh(bus, watched)));
  }

  /** Compares all units with systemd in one call and asks in full for those that differ. */
  async reconcile(): Promise<void> {
    const bus = this.#bus;
    const watched = [...this.#units.values()];
    if (!bus || watched.length === 0) return;
    const rows = await listUnits(bus, 'ListUnitsByNames', 'as', [watched.map(({ unit }) => unit)]);
    if (rows.length !== watched.length) return this.refreshAll();
    const differ = watched.filter((one, index) => differs(one, rows[index]));
    await Promise.all(differ.map((one) => this.#refresh(bus, one)));
  }

  /** Takes a signal of systemd, at its place in the order of the bus. */
  onSignal(signal: Incoming): void {
    if (signal.member === 'PropertiesChanged') this.#onProperties(signal);
    else if (signal.member === 'UnitNew') this.#onNew(String(signal.body[0]), String(signal.body[1]));
  }

  #onProperties(signal: Incoming): void {
    const [source, changed] = signal.body as [string, Record<string, unknown>];
    for (const watched of this.#on(signal.path)) {
      if (!watched.props) continue;
      pick(changed, watched.props);
      // systemd sends the unit's own part last, so that both parts together make one change.
      if (source !== 'org.freedesktop.systemd1.Unit') continue;
      // Asked now, systemd answers once it has come to rest.
      const passing = isPassing(watched.props);
      if (!passing) this.#publish(watched);
      if (passing || watched.stale || watched.props.LoadState !== 'loaded') this.#refreshLater(watched);
    }
  }

  /**
   * systemd has loaded a unit, perhaps because it was just created and started. Asking for it by name would
   * load it again and bring the same signal without end, so it is looked up among the loaded ones.
   */
  #onNew(id: string, path: string): void {
    const bus = this.#bus;
    const watched = this.#on(path);
    if (!bus || watched.length === 0) return;
    for (const one of watched) one.stale = true;
    const pattern = id.replaceAll('\\', '\\\\');
    listUnits(bus, 'ListUnitsByPatterns', 'asas', [[], [pattern]]).then(([row]) => {
      for (const one of watched) if (row && differs(one, row)) this.#refreshLater(one);
    }, this.#onTrouble);
  }

  #on(path: string | undefined): Watched[] {
    return [...this.#units.values()].filter((watched) => watched.path === path);
  }

  async #begin(bus: Bus, watched: Watched): Promise<void> {
    await bus.addMatch(rule(watched.path));
    await this.#refresh(bus, watched);
  }

  #refreshLater(watched: Watched): void {
    if (this.#bus) this.#refresh(this.#bus, watched).catch(this.#onTrouble);
  }

  async #refresh(bus: Bus, watched: Watched): Promise<void> {
    await readProps(bus, watched.path, (props) => {
      watched.props = props;
      watched.stale = false;
      this.#publish(watched);
    });
    const path = unitPath(watched.state?.id ?? watched.unit);
    if (path === watched.path) return;
    // It is an alias: its changes are told under systemd's own name for it.
    const old = watched.path;
    watched.path = path;
    await bus.addMatch(rule(path));
    await bus.removeMatch(rule(old));
    await this.#refresh(bus, watched);
  }

  #publish(watched: Watched): void {
    const state = unitState(watched.unit, watched.props ?? {});
    if (watched.state && sameState(watched.state, state)) return;
    watched.state = state;
    tell(watched);
  }
}

/**
 * All properties of a unit that matter here. `take` gets them at the reply's place among the signals.
 * A unit that systemd can't even look at counts as one with an unusable unit file.
 */
export async function readProps<T>(
  bus: Bus,
  path: string,
  take: (props: Record<string, unknown>) => T,
): Promise<T> {
  const call = { ...MANAGER, path, interface: 'org.freedesktop.DBus.Properties', member: 'GetAll' };
  try {
    // An empty interface name means those of all interfaces.
    return await bus.call({ ...call, signature: 's', args: [''] }, ([props]) =>
      take(pick(props as Record<string, unknown>, {})),
    );
  } catch (thrown) {
    if (!(thrown instanceof BusError)) throw thrown;
    return take({
      LoadState: 'error',
      ActiveState: 'inactive',
      LoadError: [thrown.errorName, thrown.message],
    });
  }
}

interface Row {
  load: string;
  active: string;
  sub: string;
  path: string;
}

function listUnits(bus: Bus, member: string, signature: string, args: unknown[]): Promise<Row[]> {
  return bus.call({ ...MANAGER, member, signature, args }, ([rows]) =>
    (rows as string[][]).map(([, , load = '', active = '', sub = '', , path = '']) => ({
      load,
      active,
      sub,
      path,
    })),
  );
}

function differs({ state, path }: Watched, row: Row | undefined): boolean {
  return (
    !row ||
    row.path !== path ||
    row.load !== state?.load ||
    row.active !== state.active ||
    row.sub !== state.sub
  );
}

function rule(path: string): string {
  return `type='signal',sender='${MANAGER.destination}',path='${path}',interface='org.freedesktop.DBus.Properties',member='PropertiesChanged'`;
}

function pick(from: Record<string, unknown>, into: Record<string, unknown>): Record<string, unknown> {
  for (const name of Object.keys(from)) if (UNIT_PROPS.has(name)) into[name] = from[name];
  return into;
}

function tell({ state, listeners }: Watched): void {
  if (!state) return;
  for (const [listener, previous] of [...listeners]) {
    if (previous === state) continue;
    listeners.set(listener, state);
    try {
      listener(state, previous);
    } catch (thrown) {
      process.emitWarning(thrown as Error);
    }
  }
}

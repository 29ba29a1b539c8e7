import type { Systemd } from '../../host/systemd.js';
import type { UnitState } from '../../host/unit-state.js';
import type { Cancel, Clock } from '../../kit/clock.js';
import { type Failure, type PotionError, toPotionError } from '../../kit/errors.js';
import { audit } from '../../state/audit.js';
import type { Database } from '../../state/database.js';
import { forgetHeals, loadHeals, saveHeal } from '../../state/heals.js';
import { type Action, type Event, type Heal, IDLE, type Telling } from './heal.js';
import type { Limits } from './limits.js';
import { decide } from './policy.js';
import type { View } from './view.js';

/** What a healer is given to work with. */
export interface HealerParts {
  /** Id of its node: two nodes keep their memories apart. */
  node: string;
  db: Database;
  clock: Clock;
  limits: Limits;
  units: Pick<Systemd, 'restart' | 'resetFailed'>;
  /**
   * What the unit's state means, as it is now or as it is already known.
   * @throws PotionError UNAVAILABLE while systemd can't be asked
   */
  look(unit: string, known?: UnitState): Promise<View>;
  /** Says a step; resolves when the messages are on their way. */
  tell(unit: string, telling: Telling, error: Failure | undefined): Promise<void>;
  /** A failure outside of any message. */
  fail(error: PotionError): void;
  /** Something changed that the node's status shows. */
  changed(): void;
  signal: AbortSignal;
}

/** A unit's state as it is kept, with what has been decided but perhaps not yet been told. */
interface Kept {
  heal: Heal;
  untold: Telling[];
  /** Why the last restart was refused. */
  error?: Failure;
}

/** Time for a message to get from here into the outbox, ms. Told again after a crash, it is recognised there. */
const TOLD_AFTER = 2000;
/** While systemd can't be asked, what falls due is put off by this, ms. */
const BLIND_FOR = 5000;
const MOST_UNTOLD = 10;

/** Carries out what the policy decides, unit by unit: looks, decides, keeps, then acts. */
export class Healer {
  readonly #parts: HealerParts;
  readonly #kept = new Map<string, Kept>();
  readonly #turns = new Map<string, Promise<unknown>>();
  readonly #timers = new Map<string, Cancel>();
  /** Restarts under way. */
  readonly #jobs = new Map<string, Promise<void>>();
  readonly #confirmations = new Set<Cancel>();
  /** What is being said of each unit: a step may have to wait for the journal, and the next comes after it. */
  readonly #words = new Map<string, Promise<void>>();
  /** What the process before this one may not have told. */
  readonly #swallowed = new Map<string, Telling[]>();
  #blind = false;

  constructor(parts: HealerParts) {
    this.#parts = parts;
  }

  /** Remembers what the process before this one knew; before anything else is asked of it. */
  async load(): Promise<void> {
    const { db, node, clock, limits } = this.#parts;
    for (const [unit, state] of await loadHeals(db, node)) {
      const { heal, untold, error } = state as Kept;
      const isOld = heal.restarts.every((at) => at <= clock.now() - limits.window);
      if (heal.phase === 'idle' && untold.length === 0 && isOld) await forgetHeals(db, node, unit);
      else this.#kept.set(unit, { heal, untold, error });
      this.#swallowed.set(unit, untold);
    }
  }

  /** Goes on with what was under way, once there is somebody to tell. */
  async resume(): Promise<void> {
    for (const unit of [...this.#swallowed.keys()]) this.#sayAgain(unit);
    const units = [...this.#kept.keys()];
    await Promise.all(units.map((unit) => this.#whenSeen(unit, (view) => ({ type: 'seen', view }))));
  }

  /** How each unit with something on stands. */
  states(): ReadonlyMap<string, Heal> {
    const all = [...this.#kept].map(([unit, { heal }]) => [unit, heal] as const);
    return new Map(all.filter(([, { phase }]) => phase !== 'idle'));
  }

  /**
   * Something may have changed with a unit.
   * @param known its state of a moment ago: saves asking, but only where nothing is under way with the unit
   * @throws PotionError when it can't be looked at or kept; while what is needed is away, it is tried again
   */
  async notice(unit: string, known?: UnitState): Promise<void> {
    const seen = (view: View): Event => ({ type: 'seen', view });
    try {
      await this.#take(unit, seen, known);
    } catch (thrown) {
      // Nobody will notice the same again: a unit that is down stays as it is.
      if (toPotionError(thrown).code === 'UNAVAILABLE') {
        this.#blind = true;
        this.#after(unit, BLIND_FOR, () => this.#whenSeen(unit, seen));
      }
      throw thrown;
    }
  }

  /** A person wants another try. */
  retry(unit: string): Promise<void> {
    return this.#take(unit, (view) => ({ type: 'retry', view }));
  }

  /** Stops all timers and waits for what is under way. The states stay for the next start. */
  async close(): Promise<void> {
    for (const cancel of [...this.#timers.values(), ...this.#confirmations]) cancel();
    await Promise.allSettled([...this.#turns.values(), ...this.#jobs.values()]);
  }

  /** As #take, for what nobody waits for: while systemd can't be asked it is tried again, and told once. */
  async #whenSeen(unit: string, event: (view: View) => Event): Promise<void> {
    try {
      await this.#take(unit, event);
      this.#blind = false;
    } catch (thrown) {
      if (this.#parts.signal.aborted) return;
      if (!this.#blind) this.#parts.fail(toPotionError(thrown));
      this.#blind = true;
      this.#after(unit, BLIND_FOR, () => this.#whenSeen(unit, event));
    }
  }

  /** Looks at a unit and takes the decision. One at a time per unit. */
  #take(unit: string, event: (view: View) => Event, known?: UnitState): Promise<void> {
    return this.#inTurn(unit, async () => {
      if (this.#parts.signal.aborted) return;
      const { phase } = this.#kept.get(unit)?.heal ?? IDLE;
      const view = await this.#parts.look(unit, phase === 'idle' ? known : undefined);
      // A restart was ordered by the process before this one, or its end was missed.
      const lost = phase === 'trying' && !this.#jobs.has(unit);
      await this.#decide(unit, lost ? { type: 'outcome', view, failed: true } : event(view));
    });
  }

  #inTurn(unit: string, work: () => Promise<void>): Promise<void> {
    const before = this.#turns.get(unit) ?? Promise.resolve();
    const turn = before.catch(() => {}).then(work);
    this.#turns.set(unit, turn);
    const done = () => {
      if (this.#turns.get(unit) === turn) this.#turns.delete(unit);
    };
    turn.then(done, done);
    return turn;
  }

  async #decide(unit: string, event: Event, error?: Failure): Promise<void> {
    const { clock, limits } = this.#parts;
    const before = this.#kept.get(unit) ?? { heal: IDLE, untold: [] };
    const { heal, actions } = decide(before.heal, event, clock.now(), limits);
    const tellings = actions.filter((action) => action.do === 'tell');
    // What a later step makes up for need not be told again after a crash.
    const lasting = tellings.filter(({ step }) => step !== 'trying');
    const untold = [...before.untold, ...lasting].slice(-MOST_UNTOLD);
    await this.#keep(unit, { heal, untold, error: error ?? before.error }, before);
    if (heal.until !== before.heal.until || !this.#timers.has(unit)) this.#arm(unit);
    for (const action of actions) this.#act(unit, action, heal);
    if (tellings.length > 0 || before.heal.phase !== heal.phase) this.#parts.changed();
  }

  async #keep(unit: string, kept: Kept, before: Kept): Promise<void> {
    const { db, node, clock } = this.#parts;
    if (JSON.stringify(kept) === JSON.stringify(before)) return;
    await saveHeal(db, node, unit, kept, clock.now());
    this.#kept.set(unit, kept);
  }

  #act(unit: string, action: Action, heal: Heal): void {
    if (action.do === 'tell') {
      // A unit may change before resume(): what was not told yet comes first, or the old would undo the new.
      this.#sayAgain(unit);
      this.#say(unit, action);
      return;
    }
    const job = this.#restart(unit, action.resetFailed, heal.episode?.tries ?? 0);
    this.#jobs.set(unit, job);
    const done = () => this.#jobs.get(unit) === job && this.#jobs.delete(unit);
    job.then(done, done);
  }

  async #restart(unit: string, resetFailed: boolean, number: number): Promise<void> {
    const { units, signal, limits } = this.#parts;
    const order = async () => {
      if (resetFailed) await units.resetFailed(unit);
      await units.restart(unit, { signal, timeout: 2 * limits.patience });
    };
    const ordered = order().then(
      () => undefined,
      (thrown: unknown) => toPotionError(thrown),
    );
    // The order goes out first: the audit entry waits for the disk.
    await new Promise((resolve) => setImmediate(resolve));
    await this.#note(unit, 'heal', 'ordered', { try: number });
    const error = await ordered;
    if (signal.aborted) return;
    await this.#note(unit, 'result', error?.code ?? 'ok', { try: number });
    if (error?.code === 'DENIED')
      await this.#inTurn(unit, () => this.#decide(unit, { type: 'refused' }, error.cause)).catch(
        this.#report,
      );
    else await this.#whenSeen(unit, (view) => ({ type: 'outcome', view, failed: error !== undefined }));
  }

  async #note(target: string, event: string, result: string, detail: object): Promise<void> {
    const { db, clock } = this.#parts;
    const entry = { at: clock.now(), user: null, event, action: 'self-heal', target, result, detail };
    await audit(db, entry).catch(this.#report);
  }

  #sayAgain(unit: string): void {
    const untold = this.#swallowed.get(unit) ?? [];
    this.#swallowed.delete(unit);
    for (const telling of untold) this.#say(unit, telling);
  }

  #say(unit: string, telling: Telling): void {
    const { clock, tell } = this.#parts;
    const before = this.#words.get(unit);
    const error = this.#kept.get(unit)?.error;
    const said = before
      ? before.catch(() => {}).then(() => tell(unit, telling, error))
      : tell(unit, telling, error);
    this.#words.set(unit, said);
    const done = () => this.#words.get(unit) === said && this.#words.delete(unit);
    said.then(done, done);
    said.then(() => {
      const cancel = clock.after(TOLD_AFTER, () => {
        this.#confirmations.delete(cancel);
        this.#inTurn(unit, () => this.#told(unit, telling)).catch(this.#report);
      });
      this.#confirmations.add(cancel);
    }, this.#report);
  }

  async #told(unit: string, { episode, number }: Telling): Promise<void> {
    const kept = this.#kept.get(unit);
    if (!kept || this.#parts.signal.aborted) return;
    const untold = kept.untold.filter((one) => one.number !== number || one.episode.since !== episode.since);
    await this.#keep(unit, { ...kept, untold }, kept);
  }

  #arm(unit: string): void {
    const { clock } = this.#parts;
    const until = this.#kept.get(unit)?.heal.until;
    if (until === undefined) this.#disarm(unit);
    else
      this.#after(unit, until - clock.now(), () => this.#whenSeen(unit, (view) => ({ type: 'due', view })));
  }

  #after(unit: string, ms: number, run: () => Promise<void>): void {
    this.#disarm(unit);
    if (this.#parts.signal.aborted) return;
    const timer = this.#parts.clock.after(Math.max(0, ms), () => {
      this.#timers.delete(unit);
      run();
    });
    this.#timers.set(unit, timer);
  }

  #disarm(unit: string): void {
    this.#timers.get(unit)?.();
    this.#timers.delete(unit);
  }

  readonly #report = (thrown: unknown): void => {
    if (!this.#parts.signal.aborted) this.#parts.fail(toPotionError(thrown));
  };
}

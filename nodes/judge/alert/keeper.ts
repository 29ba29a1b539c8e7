import type { Clock } from '../../kit/clock.js';
import { activeSilences, removeAlerts } from '../../state/alerts.js';
import type { Database } from '../../state/database.js';
import { storedSettings } from '../../state/settings.js';
import { THRESHOLD } from '../../state/thresholds.js';
import { AlertBook } from './book.js';
import type { Delivery } from './delivery.js';
import { type Judge, judgeAll, withMissing } from './judge.js';
import type { Series, Source } from './series.js';
import type { AlertState } from './state-machine.js';

/** After this many ms the rest of the flow has surely taken a message: no pipeline is that slow. */
const HANDED_ON = 5000;

/** What came of an evaluation. */
export interface Outcome {
  /** Messages that somebody is to get, in order; they are on record. */
  told: Delivery[];
  /** Alerts that went into another phase, told of or not. */
  changes: Delivery[];
}

export interface KeeperOptions {
  judge: Judge;
  source: Source;
  clock: Clock;
  database: () => Promise<Database>;
  /** An alert must get out also when the database fails: the failure is reported here, and the rest goes on. */
  report(thrown: unknown): void;
}

/** The alerts of one node over time: judges series in turn, keeps what must last, and says what to tell. */
export class AlertKeeper {
  readonly #options: KeeperOptions;
  readonly #book: AlertBook;
  readonly #failing = new Set<string>();
  #tail: Promise<unknown> = Promise.resolve();
  /** The last message: the time it was about, and when it came on a clock that never jumps. */
  #last: { at: number; arrived: number };

  constructor(options: KeeperOptions) {
    const { clock, judge } = options;
    this.#options = options;
    this.#book = new AlertBook(judge.node);
    this.#last = { at: clock.now(), arrived: clock.monotonic() };
  }

  /** Takes up where an earlier run has ended. @param bootTime epoch ms */
  start(bootTime: number): Promise<void> {
    return this.#inTurn(async () => {
      const now = this.#options.clock.now();
      await this.#tried(
        'load',
        async () => this.#book.load(await this.#options.database(), bootTime, now),
        undefined,
      );
      if (this.#options.source.only) this.#book.expect(this.#options.source.only, now);
    });
  }

  /** Every series there is, by code. */
  get states(): Map<string, AlertState | undefined> {
    return this.#book.states;
  }

  /** Judges what a message shows, at the time that it is about. */
  take(shown: readonly Series[], at: number): Promise<Outcome> {
    this.#last = { at, arrived: this.#options.clock.monotonic() };
    return this.#inTurn(() => this.#evaluate(shown, at));
  }

  /**
   * Judges the silence, when messages that show all there is have stopped coming for longer than the rule
   * allows. Its time goes on from the last message, so that a replay of old messages is not taken for one.
   */
  look(): Promise<Outcome> {
    const { clock, judge, source } = this.#options;
    const { missing, missingAfter } = judge.rule;
    const quiet = clock.monotonic() - this.#last.arrived;
    const counts = source.isWhole && missing !== 'keep' && missingAfter > 0 && quiet > missingAfter;
    if (!counts) return Promise.resolve({ told: [], changes: [] });
    return this.#inTurn(() => this.#evaluate([], this.#last.at + quiet));
  }

  /** What an earlier run decided and may not have handed on. */
  unsent(): Promise<Outcome> {
    return this.#inTurn(async () => ({
      told: this.#book.takeUnsent(this.#options.clock.monotonic()),
      changes: [],
    }));
  }

  /** Takes messages off the record that were sent long enough ago. */
  settle(): Promise<void> {
    return this.#inTurn(() => {
      this.#book.settle(this.#options.clock.monotonic() - HANDED_ON);
      return this.#save();
    });
  }

  /** Waits for what is being done; with `removed`, forgets everything. */
  stop(removed: boolean): Promise<void> {
    return this.#inTurn(async () => {
      if (removed) await removeAlerts(await this.#options.database(), this.#options.judge.node);
    });
  }

  async #evaluate(shown: readonly Series[], at: number): Promise<Outcome> {
    const { database, judge, source, clock } = this.#options;
    const stored = await this.#tried(
      'settings',
      async () => storedSettings(await database(), THRESHOLD),
      new Map(),
    );
    const silences = () => this.#tried('silences', async () => activeSilences(await database(), at), []);
    const all = withMissing(source, shown, this.#book.states.keys());
    const series = all.filter(({ code }) => this.#book.hasRoomFor(code));
    const verdicts = await judgeAll(judge, this.#book, series, at, stored, silences);
    this.#book.note(verdicts);
    await this.#save();
    if (judge.rule.missing !== 'fire') this.#forgetMissing(series);
    return {
      told: this.#book.takeUnsent(clock.monotonic()),
      changes: verdicts.flatMap(({ delivery, isChange }) => (delivery && isChange ? [delivery] : [])),
    };
  }

  #forgetMissing(series: readonly Series[]): void {
    for (const { code, value } of series) if (value === undefined) this.#book.forget(code);
  }

  #save(): Promise<void> {
    const { database, clock } = this.#options;
    return this.#tried('save', async () => this.#book.save(await database(), clock.now()), undefined);
  }

  /** @param what tells one kind of work from another: each is reported once until it works again */
  async #tried<T>(what: string, work: () => Promise<T>, otherwise: T): Promise<T> {
    try {
      const result = await work();
      this.#failing.delete(what);
      return result;
    } catch (thrown) {
      if (!this.#failing.has(what)) this.#options.report(thrown);
      this.#failing.add(what);
      return otherwise;
    }
  }

  /** One after the other, so that no two look at the same state. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#tail.then(work);
    this.#tail = turn.catch(() => {});
    return turn;
  }
}

import type { Incident } from '../../kit/messages.js';
import { readAlerts, writeAlerts } from '../../state/alerts.js';
import type { Database } from '../../state/database.js';
import type { Delivery } from './delivery.js';
import { type AlertState, awaited, differs, lasting, restored } from './state-machine.js';

/** What came of judging one series. */
export interface Verdict {
  code: string;
  state: AlertState;
  /** What happened, if anything did. */
  delivery?: Delivery;
  /** Somebody is to be told of it. */
  tell: boolean;
  /** The alert went into another phase. */
  isChange: boolean;
}

interface Entry {
  state?: AlertState;
  incident?: Incident;
  unsent: { delivery: Delivery; sentAt?: number }[];
}

/** More series than this in one node are a mistake in its code template. */
const MOST_SERIES = 1000;

/** Messages kept per series until they are surely handed on; a value that flaps by the second makes many. */
const MOST_UNSENT = 20;

/**
 * The series of one alert node, in memory and in the database.
 *
 * The database is written only when something changed that has to survive a restart, and before the message
 * about it goes out. The record keeps the message until it has surely been handed on, so a crash in between
 * sends it again at the next start, with the same incident id and sequence: the outbox knows it by these.
 */
export class AlertBook {
  readonly #node: string;
  readonly #entries = new Map<string, Entry>();
  readonly #dirty = new Set<string>();

  constructor(node: string) {
    this.#node = node;
  }

  /** Takes up what an earlier run has left, see {@link restored}. */
  async load(db: Database, bootTime: number, now: number): Promise<void> {
    for (const { code, state, incident, unsent } of await readAlerts<AlertState>(db, this.#node)) {
      const kept = state && restored(state, bootTime, now);
      if (state && !kept) this.#dirty.add(code);
      const waiting = (unsent as Delivery[]).map((delivery) => ({ delivery }));
      this.#entries.set(code, { state: kept, incident, unsent: waiting });
    }
  }

  stateOf(code: string): AlertState | undefined {
    return this.#entries.get(code)?.state;
  }

  /** Every series there is, by code. */
  get states(): Map<string, AlertState | undefined> {
    return new Map([...this.#entries].map(([code, { state }]) => [code, state]));
  }

  /** Takes up a series that has to be there, so that its absence counts from the start. */
  expect(code: string, now: number): void {
    const entry = this.#entries.get(code) ?? { unsent: [] };
    this.#entries.set(code, { ...entry, state: entry.state ?? awaited(now) });
  }

  /** Whether another series may be taken up. */
  hasRoomFor(code: string): boolean {
    return this.#entries.has(code) || this.#entries.size < MOST_SERIES;
  }

  /** Takes in what was judged; `save` makes it last. */
  note(verdicts: readonly Verdict[]): void {
    for (const { code, state, delivery, tell } of verdicts) {
      const entry = this.#entries.get(code) ?? { unsent: [] };
      if (delivery || differs(entry.state, state)) this.#dirty.add(code);
      entry.state = state;
      if (delivery) entry.incident = delivery.incident;
      if (delivery && tell) entry.unsent = [...entry.unsent.slice(1 - MOST_UNSENT), { delivery }];
      this.#entries.set(code, entry);
    }
  }

  /** Lets go of a series that is well and has nothing to say. */
  forget(code: string): void {
    const entry = this.#entries.get(code);
    if (entry && !lasting(entry.state) && entry.unsent.length === 0) this.#entries.delete(code);
  }

  /** Writes what has changed. What could not be written is tried again next time. */
  async save(db: Database, now: number): Promise<void> {
    const codes = [...this.#dirty];
    const records = codes.map((code) => {
      const { state, incident, unsent } = this.#entries.get(code) ?? { unsent: [] };
      const kept = lasting(state);
      return {
        node: this.#node,
        code,
        state: kept && { ...kept, at: state?.at },
        incident,
        unsent: unsent.map((one) => one.delivery),
      };
    });
    await writeAlerts(db, records, now);
    for (const code of codes) this.#dirty.delete(code);
  }

  /** What has not been sent since the start, oldest first; it counts as sent at `now` from here on. */
  takeUnsent(now: number): Delivery[] {
    const waiting: { delivery: Delivery; code: string; order: number }[] = [];
    for (const [code, { unsent }] of this.#entries) {
      // Never before an earlier one of its series, also when the clock was set back in between.
      let order = 0;
      for (const one of unsent) {
        order = Math.max(order, one.delivery.payload.at);
        if (one.sentAt === undefined) waiting.push({ delivery: one.delivery, code, order });
        one.sentAt ??= now;
      }
    }
    return waiting
      .sort((a, b) => a.order - b.order || (a.code < b.code ? -1 : Number(a.code > b.code)))
      .map(({ delivery }) => delivery);
  }

  /** Messages that were sent before `then` have surely been handed on. */
  settle(then: number): void {
    for (const [code, entry] of this.#entries) {
      const left = entry.unsent.filter(({ sentAt }) => sentAt === undefined || sentAt > then);
      if (left.length < entry.unsent.length) this.#dirty.add(code);
      entry.unsent = left;
    }
  }
}

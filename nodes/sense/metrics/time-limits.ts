import type { Clock } from '../../kit/clock.js';
import { describe } from '../../kit/errors.js';

/** What came of a reading: its value, or why there is none. */
export type Reading<T> = { value: T } | { missing: string };

/**
 * Gives each reading a time limit. One that hangs can't be ended (it waits inside the kernel, holding one of
 * Node's four file threads), so it is not started again until it has come back.
 */
export class TimeLimits {
  readonly #clock: Clock;
  readonly #hanging = new Set<string>();
  readonly #waiting = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Names of the readings that have not come back yet. */
  get hanging(): string[] {
    return [...this.#hanging];
  }

  /** Never rejects. `missing` is `timeout`, or the words of the error. */
  async read<T>(name: string, limit: number, start: () => Promise<T>): Promise<Reading<T>> {
    if (this.#hanging.has(name)) return { missing: 'timeout' };
    const reading = (async () => start())().then(
      (value): Reading<T> => ({ value }),
      (thrown: unknown): Reading<T> => ({ missing: describe(thrown) }),
    );
    this.#hanging.add(name);
    const settled = reading.finally(() => this.#hanging.delete(name));
    return Promise.race([settled, this.#tooLate(limit, settled)]);
  }

  /** Waits no longer for anything. */
  stop(): void {
    for (const giveUp of this.#waiting) giveUp();
  }

  #tooLate(limit: number, settled: Promise<unknown>): Promise<{ missing: string }> {
    return new Promise((resolve) => {
      const giveUp = () => {
        cancel();
        this.#waiting.delete(giveUp);
        resolve({ missing: 'timeout' });
      };
      const cancel = this.#clock.after(limit, giveUp);
      this.#waiting.add(giveUp);
      settled.finally(giveUp);
    });
  }
}

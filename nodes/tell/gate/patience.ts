import type { Cancel, Clock } from '../../kit/clock.js';
import type { Request } from '../../kit/messages.js';

/** After this many ms without an answer the person is told that it is being worked on (brief §8). */
export const PATIENCE = 1000;

/** Watches over requests that have been handed on, until they are answered. */
export class Patience {
  readonly #clock: Clock;
  readonly #late: (request: Request) => void;
  readonly #waiting = new Map<string, Cancel>();

  constructor(clock: Clock, late: (request: Request) => void) {
    this.#clock = clock;
    this.#late = late;
  }

  watch(request: Request): void {
    this.answered(request.id);
    const cancel = this.#clock.after(PATIENCE, () => {
      this.#waiting.delete(request.id);
      this.#late(request);
    });
    this.#waiting.set(request.id, cancel);
  }

  answered(id: string): void {
    this.#waiting.get(id)?.();
    this.#waiting.delete(id);
  }

  stop(): void {
    for (const cancel of this.#waiting.values()) cancel();
    this.#waiting.clear();
  }
}

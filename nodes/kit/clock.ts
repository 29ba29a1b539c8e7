/** Cancels the timer it was returned for; calling it again does nothing. */
export type Cancel = () => void;

/** Time as a parameter, so that a test or a replay can bring its own. */
export interface Clock {
  /** Wall clock, epoch ms. May jump. */
  now(): number;
  /** Milliseconds since an arbitrary start; never jumps back. For durations and time limits. */
  monotonic(): number;
  after(ms: number, run: () => void): Cancel;
  every(ms: number, run: () => void): Cancel;
}

// setTimeout overflows above this and would fire at once.
const LONGEST_TIMER = 2 ** 31 - 1;

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, Math.min(ms, LONGEST_TIMER));
    return () => clearTimeout(timer);
  },
  every(ms, run) {
    const timer = setInterval(run, Math.min(ms, LONGEST_TIMER));
    return () => clearInterval(timer);
  },
};

interface Due {
  at: number;
  every?: number;
  run: () => void;
}

/** A clock that stands still until it is moved. */
export class ManualClock implements Clock {
  #now: number;
  #elapsed = 0;
  #due = new Set<Due>();

  constructor(now = Date.UTC(2026, 0, 1)) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  after(ms: number, run: () => void): Cancel {
    return this.#add({ at: this.#elapsed + ms, run });
  }

  every(ms: number, run: () => void): Cancel {
    return this.#add({ at: this.#elapsed + ms, every: ms, run });
  }

  /** Moves both clocks forward and runs what falls due, in order. */
  advance(ms: number): void {
    const end = this.#elapsed + ms;
    for (;;) {
      const next = [...this.#due].filter((d) => d.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#now += next.at - this.#elapsed;
      this.#elapsed = next.at;
      if (next.every) next.at += next.every;
      else this.#due.delete(next);
      next.run();
    }
    this.#now += end - this.#elapsed;
    this.#elapsed = end;
  }

  /** Sets the wall clock alone, as an NTP correction or a person does. */
  jump(to: number): void {
    this.#now = to;
  }

  #add(due: Due): Cancel {
    this.#due.add(due);
    return () => this.#due.delete(due);
  }
}

import { mulberry32 } from '../../ops/sandbox/faults.js';

/** Chance that can be repeated. */
export class Dice {
  readonly #draw: () => number;

  constructor(seed: number) {
    this.#draw = mulberry32(seed);
  }

  /** Whether something of this chance, 0 to 1, happens. */
  hits(chance: number): boolean {
    return this.#draw() < chance;
  }

  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number {
    return least + Math.floor(this.#draw() * (most - least + 1));
  }

  /** Exponentially spread around `mean`, cut at both ends. */
  exponential(mean: number, least: number, most: number): number {
    return Math.min(most, least - Math.log(1 - this.#draw()) * mean);
  }

  one<T>(list: readonly [T, ...T[]]): T {
    return list[this.between(0, list.length - 1)] as T;
  }
}

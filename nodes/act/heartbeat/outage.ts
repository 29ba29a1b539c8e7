/** Counts failures in a row, so that an outage is reported once and not at every attempt. */
export class Outage {
  readonly #least: number;
  #failures = 0;

  /** @param least failures in a row that make an outage */
  constructor(least: number) {
    this.#least = least;
  }

  /** It failed again. @returns whether this is the moment to report it */
  again(): boolean {
    this.#failures++;
    return this.#failures === this.#least;
  }

  /** It worked: the next outage is a new one. */
  over(): void {
    this.#failures = 0;
  }
}

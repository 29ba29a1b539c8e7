/** How often something came again after it was written down. */
export interface Count {
  key: string;
  times: number;
}

/**
 * Keeps a flood out of the audit log: the first of a kind is written, the rest of the window counted, and the
 * count written when the window ends. Kinds beyond `most` in one window share the key `others`.
 */
export class Tally {
  readonly #open = new Map<string, { since: number; more: number }>();
  readonly #window: number;
  readonly #most: number;

  /** @param window ms @param most kinds that are written on their own within one window */
  constructor(window = 600_000, most = 50) {
    this.#window = window;
    this.#most = most;
  }

  /** Notes one. @returns the key to write it under, or undefined when it was only counted */
  note(key: string, now: number): string | undefined {
    const name = this.#open.has(key) || this.#open.size < this.#most ? key : OTHERS;
    const entry = this.#open.get(name);
    if (!entry) {
      this.#open.set(name, { since: now, more: 0 });
      return name;
    }
    entry.more++;
    return undefined;
  }

  /** Ends the windows that are over (all of them with `Infinity`) and returns what was counted in them. */
  ended(now: number): Count[] {
    const counts: Count[] = [];
    for (const [key, { since, more }] of this.#open) {
      if (now - since < this.#window) continue;
      this.#open.delete(key);
      if (more > 0) counts.push({ key, times: more });
    }
    return counts;
  }
}

export const OTHERS = 'others';

interface Line {
  /** Epoch ms. */
  at: number;
  what: string;
  /** A start, a kill, an outage: tells where the other lines stand. */
  landmark: boolean;
}

/** Everything that happened in a run, in order, to be told when something went wrong. */
export class Journal {
  readonly #lines: Line[] = [];

  note(what: string, landmark = false): void {
    this.#lines.push({ at: Date.now(), what, landmark });
  }

  /** The lines about a key, with the starts, kills and outages from just before to just after them. */
  story(key: string): string[] {
    const isAbout = new RegExp(`\\b${key}\\b`);
    const about = this.#lines
      .map(({ what }, index) => (isAbout.test(what) ? index : -1))
      .filter((index) => index >= 0);
    const first = about[0] ?? 0;
    const last = about.at(-1) ?? this.#lines.length;
    const before = this.#lines
      .slice(0, first)
      .filter(({ landmark }) => landmark)
      .slice(-2);
    const during = this.#lines
      .slice(first, last + 1)
      .filter(({ what, landmark }) => landmark || isAbout.test(what));
    const after = this.#lines
      .slice(last + 1)
      .filter(({ landmark }) => landmark)
      .slice(0, 4);
    return [...before, ...during, ...after].map(
      ({ at, what }) => `${new Date(at).toISOString().slice(11, 23)} ${what}`,
    );
  }
}

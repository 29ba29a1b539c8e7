import { setTimeout as sleep } from 'node:timers/promises';
import { type Driver, until } from './driver.ts';

/** A message of the bot, as it was sent or edited. */
export interface Shown {
  next: number;
  what: 'sent' | 'edited' | 'deleted' | 'said';
  id: number;
  text: string;
  buttons: string[][];
}

const PROCESSING = /^Oke, lagi aku cek dulu/;

/** A person's side of the chat: each thing said or pressed, and what the bot shows next. */
export class Chat {
  readonly #telegram: Driver;

  constructor(telegram: Driver) {
    this.#telegram = telegram;
  }

  /** Types something; what the bot shows next that fits. */
  async ask(text: string, fits = /./): Promise<Shown> {
    const from = await this.here();
    await this.#telegram.ask('say', text);
    return this.next(from, fits);
  }

  /** Presses a button of a message; what the bot shows next that fits. */
  async press(shown: Pick<Shown, 'id'>, label: string, fits = /./): Promise<Shown> {
    const from = await this.here();
    await this.#telegram.ask('press', shown.id, label);
    return this.next(from, fits);
  }

  /** Where the chat stands now. */
  async here(): Promise<number> {
    return (await this.log(0)).at(-1)?.next ?? 0;
  }

  /** What the bot has shown since then. */
  log(from: number): Promise<Shown[]> {
    return this.#telegram.ask<Shown[]>('since', from);
  }

  /** The first thing since then that fits, PROCESSING aside. */
  next(from: number, fits = /./, ms = 30_000): Promise<Shown> {
    let seen: Shown[] = [];
    return until(
      async () => {
        seen = await this.log(from);
        return seen.find(
          ({ what, text }) =>
            (what === 'sent' || what === 'edited') && !PROCESSING.test(text) && fits.test(text),
        );
      },
      ms,
      () => `waiting for ${fits}, shown: ${JSON.stringify(seen.map(({ what, text }) => `${what}: ${text}`))}`,
    );
  }

  /** Nothing more is shown for a while. */
  async quiet(ms = 1500): Promise<Shown[]> {
    const from = await this.here();
    await sleep(ms);
    return this.log(from);
  }
}

import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Dice } from './dice.ts';
import { ALARM } from './flows.ts';
import type { Journal } from './journal.ts';

/** `kept`: acknowledged; `refused`: surely not taken; `unknown`: Potion died or was silent over it. */
type Answer = 'kept' | 'refused' | 'unknown';

const PATIENCE = 5000;

interface FeedEvents {
  /** Something is about to be handed in. */
  handing: [];
  /** Potion has acknowledged something. */
  kept: [];
}

/** Hands numbered events and samples in at Potion's door, one after the other, and notes what it acknowledges. */
export class Feed extends EventEmitter<FeedEvents> {
  /** Keys of what was acknowledged. */
  readonly due: string[] = [];
  readonly #door: string;
  readonly #dice: Dice;
  readonly #journal: Journal;
  #ending = false;
  #running: Promise<unknown> = Promise.resolve();

  /** @param door address of Potion */
  constructor(door: string, dice: Dice, journal: Journal) {
    super();
    this.#door = door;
    this.#dice = dice;
    this.#journal = journal;
  }

  start(): void {
    this.#running = Promise.all([this.#events(), this.#samples()]);
  }

  /** Ends at the next whole alarm. */
  async stop(): Promise<void> {
    this.#ending = true;
    await this.#running;
  }

  /** One that may or may not have been kept is not handed in again. */
  async #events(): Promise<void> {
    for (let n = 1; !this.#ending; ) {
      await sleep(this.#dice.exponential(80, 5, 400));
      if ((await this.#hand('event', { n }, `event ${n}`)) !== 'refused') n++;
    }
  }

  /** A sample is handed in until it is kept: the same value once more changes nothing. */
  async #samples(): Promise<void> {
    for (let n = 1; !this.#ending; n++) {
      await this.#until({ value: ALARM + n }, `alarm ${n} begins`);
      await this.#until({ value: -n }, `alarm ${n} ends`);
    }
  }

  async #until(sample: object, key: string): Promise<void> {
    do await sleep(this.#dice.exponential(300, 10, 1500));
    while ((await this.#hand('sample', sample, key)) !== 'kept');
  }

  async #hand(where: 'event' | 'sample', body: object, key: string): Promise<Answer> {
    this.emit('handing');
    const answer = await post(`${this.#door}/chaos/${where}`, body);
    if (answer === 'unknown') this.#journal.note(`${key} is handed in, and nobody knows whether it was kept`);
    if (answer !== 'kept') return answer;
    this.due.push(key);
    this.#journal.note(`${key} is acknowledged`);
    this.emit('kept');
    return answer;
  }
}

async function post(url: string, body: object): Promise<Answer> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE),
    });
    await response.arrayBuffer();
    // Until the flows run there is no such door.
    if (response.status === 404) return 'refused';
    return response.ok ? 'kept' : 'unknown';
  } catch (thrown) {
    const { code } = ((thrown as Error).cause ?? {}) as { code?: string };
    return code === 'ECONNREFUSED' ? 'refused' : 'unknown';
  }
}

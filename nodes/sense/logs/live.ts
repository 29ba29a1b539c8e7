import { watch } from 'node:fs';
import type { Cancel, Clock } from '../../kit/clock.js';
import type { Message } from '../../kit/messages.js';

/** Why a live view has ended. */
export type Ending = 'time' | 'stopped' | 'replaced';

/** At most one message is changed in this time, in ms: Telegram allows no more for long. */
const EVERY = 3000;

/** Something that is shown again whenever something is new, for a while. */
export class Live {
  /** Names it in the button that stops it. */
  readonly id = crypto.randomUUID().slice(0, 8);
  /** Epoch ms. */
  readonly until: number;
  readonly #clock: Clock;
  readonly #show: () => Promise<void>;
  readonly #done = Promise.withResolvers<Ending | undefined>();
  readonly #ends: Cancel[];
  #next: Cancel | undefined;
  #shownAt = Number.NEGATIVE_INFINITY;
  #over = false;

  /** @param show shows how it is now */
  constructor(clock: Clock, seconds: number, signal: AbortSignal, show: () => Promise<void>) {
    this.#clock = clock;
    this.#show = show;
    this.until = clock.now() + seconds * 1000;
    const closed = () => this.end();
    signal.addEventListener('abort', closed);
    this.#ends = [
      clock.after(seconds * 1000, () => this.end('time')),
      () => signal.removeEventListener('abort', closed),
    ];
    if (signal.aborted) this.end();
  }

  /** Resolves with why it has ended; undefined when its node has closed. Rejects with what `show` threw. */
  get ended(): Promise<Ending | undefined> {
    return this.#done.promise;
  }

  /** Something is new: it is shown now, or as soon as that is allowed again. */
  touch(): void {
    if (this.#next || this.#over) return;
    const wait = Math.max(0, this.#shownAt + EVERY - this.#clock.monotonic());
    this.#next = this.#clock.after(wait, () => {
      this.#next = undefined;
      this.#shownAt = this.#clock.monotonic();
      this.#show().catch((thrown: unknown) => this.fail(thrown));
    });
  }

  end(why?: Ending): void {
    this.#close();
    this.#done.resolve(why);
  }

  fail(thrown: unknown): void {
    this.#close();
    this.#done.reject(thrown);
  }

  #close(): void {
    this.#over = true;
    this.#next?.();
    for (const end of this.#ends) end();
  }
}

/** A live view and what it says right now. */
export interface Watched {
  live: Live;
  view(ending?: Ending): Pick<Message, 'payload' | 'say'>;
}

/** The live views of this process: one for each chat. */
export const watched = new Map<number, Watched>();

/** Tells of each change of a log file, also of its rotation. The returned function ends that. */
export function watchLog(folder: string, name: string, changed: () => void): Cancel {
  const watcher = watch(folder, (_event, file) => {
    if (file === null || file === name) changed();
  });
  // The folder may go away; the view then stands still until its time is over.
  watcher.on('error', () => watcher.close());
  return () => watcher.close();
}

import { ApiError, type Update, type UpdateKind } from './telegram.js';

/** What a bot gets unless it asks for certain kinds. */
const DEFAULT_KINDS: readonly UpdateKind[] = [
  'message',
  'edited_message',
  'callback_query',
  'my_chat_member',
];
/** Telegram's longest wait of a getUpdates, seconds. */
const LONGEST_POLL = 50;
/** Updates kept after they were acknowledged, so that one can be delivered again. */
const KEPT = 1000;

export interface Poll {
  offset?: number;
  limit?: number;
  /** Seconds. */
  timeout?: number;
}

interface Waiter {
  finish(): void;
  fail(error: ApiError): void;
}

/** The queue of updates that waits for the bot, and its one reader. */
export class Updates {
  #nextId: number;
  readonly #waiting: Update[] = [];
  readonly #acknowledged = new Map<number, Update>();
  /** Waiting ones that the bot's offset does not take away, because Telegram gives them once more. */
  readonly #again = new Set<number>();
  #kinds: readonly UpdateKind[] = DEFAULT_KINDS;
  #waiter: Waiter | undefined;
  #listeners = new Set<() => void>();

  constructor(firstId: number) {
    this.#nextId = firstId;
  }

  get pending(): readonly Update[] {
    return this.#waiting;
  }

  get lastId(): number {
    return this.#nextId - 1;
  }

  /** The kinds asked for with `allowed_updates`; they stay until others are asked for. */
  allow(kinds: readonly UpdateKind[] | undefined): void {
    if (kinds) this.#kinds = kinds.length > 0 ? kinds : DEFAULT_KINDS;
  }

  /** @returns its id, or undefined when the bot doesn't ask for this kind */
  add(content: Omit<Update, 'update_id'>): number | undefined {
    const [kind] = Object.keys(content) as UpdateKind[];
    if (!kind || !this.#kinds.includes(kind)) return undefined;
    // Later edits must not reach into what has been reported.
    const update: Update = structuredClone({ update_id: this.#nextId++, ...content });
    this.#waiting.push(update);
    this.#changed();
    return update.update_id;
  }

  /**
   * Puts an update that the bot has had back in front, as Telegram does after a lost acknowledgement.
   * @returns false when it is not known (any more)
   */
  redeliver(id: number): boolean {
    const update = this.#acknowledged.get(id) ?? this.#waiting.find(({ update_id }) => update_id === id);
    if (!update) return false;
    if (this.#acknowledged.delete(id)) this.#waiting.unshift(update);
    this.#again.add(id);
    this.#changed();
    return true;
  }

  /** The update that was acknowledged last, if any. */
  get lastAcknowledged(): number | undefined {
    return [...this.#acknowledged.keys()].at(-1);
  }

  dropAll(): void {
    this.#waiting.length = 0;
    this.#again.clear();
  }

  /** Takes one update away, as when a webhook has taken it. */
  acknowledge(update: Update): void {
    const at = this.#waiting.indexOf(update);
    if (at < 0) return;
    this.#waiting.splice(at, 1);
    this.#again.delete(update.update_id);
    this.#acknowledged.set(update.update_id, update);
    if (this.#acknowledged.size > KEPT)
      this.#acknowledged.delete(this.#acknowledged.keys().next().value as number);
  }

  /**
   * One getUpdates: acknowledges what is below the offset and waits for the rest. A poll that still waits is
   * ended, because a bot has one reader only.
   * @throws ApiError 409 in the poll that was ended
   */
  async poll({ offset = 0, limit = 100, timeout = 0 }: Poll, signal: AbortSignal): Promise<Update[]> {
    this.interrupt(
      'Conflict: terminated by other getUpdates request; make sure that only one bot instance is running',
    );
    const lastOnes = offset < 0 ? this.#waiting.slice(offset)[0]?.update_id : undefined;
    this.#acknowledgeBelow(lastOnes ?? offset);
    const most = Math.min(Math.max(limit, 1), 100);
    if (this.#waiting.length === 0 && timeout > 0)
      await this.#arrival(Math.min(timeout, LONGEST_POLL), signal);
    if (signal.aborted) return [];
    const given = this.#waiting.slice(0, most);
    for (const { update_id } of given) this.#again.delete(update_id);
    return structuredClone(given);
  }

  /** Ends the poll that waits with 409. */
  interrupt(why: string): void {
    this.#waiter?.fail(new ApiError(409, why));
  }

  /** Ends the poll that waits with an empty answer. */
  release(): void {
    this.#waiter?.finish();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #acknowledgeBelow(offset: number): void {
    for (const update of [...this.#waiting])
      if (update.update_id < offset && !this.#again.has(update.update_id)) this.acknowledge(update);
  }

  #changed(): void {
    this.#waiter?.finish();
    for (const listener of this.#listeners) listener();
  }

  #arrival(seconds: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void) => {
        clearTimeout(timer);
        signal.removeEventListener('abort', finish);
        if (this.#waiter === waiter) this.#waiter = undefined;
        settle();
      };
      const finish = () => end(resolve);
      const waiter: Waiter = { finish, fail: (error) => end(() => reject(error)) };
      const timer = setTimeout(finish, seconds * 1000);
      signal.addEventListener('abort', finish, { once: true });
      this.#waiter = waiter;
    });
  }
}

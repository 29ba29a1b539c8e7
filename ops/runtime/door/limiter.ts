/** Wrong passwords that cost nothing. */
const FREE = 5;
const FREE_OF_ALL = 30;
/** Milliseconds. */
const FIRST_WAIT = 5000;
const LONGEST_WAIT = 15 * 60_000;
/** From everywhere together it must stay short: whoever it is meant for waits as well. */
const LONGEST_WAIT_OF_ALL = 60_000;
/** Milliseconds without a wrong password after which all is as at first. */
const FORGET = 60 * 60_000;
const MOST_PEERS = 1000;
const MOST_TRUSTED = 100;

interface Tally {
  wrong: number;
  last: number;
  until: number;
  told: boolean;
}

/**
 * Slows down guessing of passwords: after five wrong ones a peer waits 5 s, 10 s, 20 s … up to 15 minutes, and
 * after thirty from everywhere all wait up to a minute, but for those who have logged in before. Who waits is
 * not asked for a password at all. Bounded; times in ms of a clock that never jumps.
 */
export class LoginLimiter {
  readonly #peers = new Map<string, Tally>();
  readonly #trusted = new Set<string>();
  #all: Tally = { wrong: 0, last: 0, until: 0, told: false };

  /**
   * An attempt begins; until it is seen to succeed it counts as a wrong one, so that many at once gain nothing.
   * @returns milliseconds to wait; 0 lets it go on
   */
  begin(peer: string, now: number): number {
    const own = fresh(this.#peers.get(peer), now);
    const all = fresh(this.#all, now);
    const trusted = this.#trusted.has(peer);
    const wait = Math.max(own.until, trusted ? 0 : all.until) - now;
    if (wait > 0) return wait;
    this.#keep(peer, counted(own, now, FREE, LONGEST_WAIT));
    if (!trusted) this.#all = counted(all, now, FREE_OF_ALL, LONGEST_WAIT_OF_ALL);
    return 0;
  }

  /** The attempt that began last was no wrong one. */
  success(peer: string): void {
    this.#peers.delete(peer);
    if (!this.#trusted.has(peer)) this.#all = { ...this.#all, wrong: Math.max(0, this.#all.wrong - 1) };
    this.#trusted.delete(peer);
    this.#trusted.add(peer);
    for (const oldest of this.#trusted) if (this.#trusted.size > MOST_TRUSTED) this.#trusted.delete(oldest);
  }

  /** Who has had to wait since the last call and is not told of yet: this peer, or everybody. */
  untold(peer: string): 'peer' | 'all' | undefined {
    const own = this.#peers.get(peer);
    if (own && own.until > 0 && !own.told) {
      own.told = true;
      return 'peer';
    }
    if (this.#all.until === 0 || this.#all.told) return undefined;
    this.#all.told = true;
    return 'all';
  }

  #keep(peer: string, record: Tally): void {
    this.#peers.delete(peer);
    this.#peers.set(peer, record);
    for (const oldest of this.#peers.keys()) if (this.#peers.size > MOST_PEERS) this.#peers.delete(oldest);
  }
}

function fresh(record: Tally | undefined, now: number): Tally {
  return record && now - record.last < FORGET ? record : { wrong: 0, last: now, until: 0, told: false };
}

function counted(record: Tally, now: number, free: number, longest: number): Tally {
  const over = record.wrong + 1 - free;
  const wait = Math.min(longest, FIRST_WAIT * 2 ** Math.min(over, 20));
  return { ...record, wrong: record.wrong + 1, last: now, until: over < 0 ? 0 : now + wait };
}

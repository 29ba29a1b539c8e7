import { type AuditEntry, audit } from '../../state/audit.js';
import type { Database } from '../../state/database.js';
import type { Refusal } from './identify.js';
import { OTHERS, Tally } from './tally.js';

/** Writes down who was turned away: the first of a kind at once, a flood of them as one count. */
export class Refusals {
  readonly #db: Database;
  readonly #tally = new Tally();

  constructor(db: Database) {
    this.#db = db;
  }

  /** @param now wall clock, epoch ms @param monotonic ms that never jump back */
  async note(refusal: Omit<Refusal, 'press'>, now: number, monotonic: number): Promise<void> {
    await this.sum(now, monotonic);
    const { user, refused, kind, said } = refusal;
    const key = this.#tally.note(`${user ?? '-'} ${refused}`, monotonic);
    if (key === undefined) return;
    if (key === OTHERS) await this.#write({ at: now, user: null, action: 'many', result: 'stranger' });
    else await this.#write({ at: now, user, action: kind, target: said || null, result: refused });
  }

  /** Writes the counts of the windows that are over; all of them with `Infinity`. */
  async sum(now: number, monotonic: number): Promise<void> {
    for (const { key, times } of this.#tally.ended(monotonic)) {
      const [who, result = 'stranger'] = key.split(' ');
      const user = who === OTHERS || who === '-' ? null : Number(who);
      await this.#write({ at: now, user, action: 'again', result, detail: { times } });
    }
  }

  #write(entry: Omit<AuditEntry, 'event'>): Promise<void> {
    return audit(this.#db, { event: 'refused', ...entry });
  }
}

import { ApiError } from './telegram.js';

/**
 * What can go wrong with one request.
 *
 * - `api`       answered by Telegram with an error, nothing is done
 * - `html`      answered by a proxy in front of Telegram with an HTML page, nothing is done
 * - `hang`      never answered, nothing is done
 * - `reset`     the connection is cut before anything is done
 * - `cut`       done and visible in the chat, but the connection is cut before the answer
 * - `redeliver` answered rightly, but the last update that was acknowledged comes once more
 */
export type Fault =
  | { kind: 'api'; error: ApiError }
  | { kind: 'html'; status: number }
  | { kind: 'hang' | 'reset' | 'cut' | 'redeliver' };

/** Where and how often a fault strikes. */
export interface Where {
  /** Bot API method; any if absent. */
  method?: string;
  /** Chat id of the call; any if absent. */
  chat?: number;
  /** How many calls it strikes; endless if absent. */
  times?: number;
  /** Milliseconds in which it strikes; endless if absent. */
  forMs?: number;
}

export interface Strike {
  /** Calls that it has struck so far. */
  readonly struck: number;
  off(): void;
}

/** Flood control; `seconds` is Telegram's retry_after. */
export function tooMany(seconds: number): Fault {
  return api(429, `Too Many Requests: retry after ${seconds}`, { retry_after: seconds });
}

export function serverError(status: 500 | 502 | 503 | 504 = 502): Fault {
  return { kind: 'html', status };
}

/** Refuses a text as bad HTML though it may be good. */
export function parseError(): Fault {
  return api(400, 'Bad Request: can\'t parse entities: Unsupported start tag "x" at byte offset 0');
}

export function unauthorized(): Fault {
  return api(401, 'Unauthorized');
}

/** A second bot on the same token. */
export function conflict(): Fault {
  return api(
    409,
    'Conflict: terminated by other getUpdates request; make sure that only one bot instance is running',
  );
}

export function blocked(): Fault {
  return api(403, 'Forbidden: bot was blocked by the user');
}

export function migrated(to: number): Fault {
  return api(400, 'Bad Request: group chat was upgraded to a supergroup chat', { migrate_to_chat_id: to });
}

export const hang: Fault = { kind: 'hang' };
export const reset: Fault = { kind: 'reset' };
export const cut: Fault = { kind: 'cut' };
export const redelivery: Fault = { kind: 'redeliver' };

function api(code: number, description: string, parameters?: ApiError['parameters']): Fault {
  return { kind: 'api', error: new ApiError(code, description, parameters) };
}

/** Chance per request of each fault, 0 to 1; `down` is the chance of an outage, `downMs` its longest. */
export interface Rates {
  tooMany?: number;
  serverError?: number;
  hang?: number;
  reset?: number;
  cut?: number;
  redeliver?: number;
  down?: number;
  downMs?: number;
  /** Seconds of retry_after. */
  retryAfter?: number;
}

interface Plan {
  fault: Fault;
  where: Where;
  until: number;
  struck: number;
}

/** The faults that are due. The first that fits a request strikes it. */
export class Faults {
  readonly #plans = new Set<Plan>();
  readonly #now: () => number;
  readonly #outage: (ms?: number) => Promise<void>;
  readonly #recover: () => Promise<void>;
  #random: ((method: string) => Fault | undefined) | undefined;

  constructor(now: () => number, outage: (ms?: number) => Promise<void>, recover: () => Promise<void>) {
    this.#now = now;
    this.#outage = outage;
    this.#recover = recover;
  }

  /** `faults.add(tooMany(3), { method: 'sendMessage', times: 2 })` */
  add(fault: Fault, where: Where = {}): Strike {
    const until = where.forMs === undefined ? Number.POSITIVE_INFINITY : this.#now() + where.forMs;
    const plan = { fault, where, until, struck: 0 };
    this.#plans.add(plan);
    return {
      get struck() {
        return plan.struck;
      },
      off: () => {
        this.#plans.delete(plan);
      },
    };
  }

  /** Refuses connections: really stops listening, cuts what is open, and comes back on the same port. */
  async down(ms?: number): Promise<void> {
    await this.#outage(ms);
  }

  /** Ends an outage. */
  async up(): Promise<void> {
    await this.#recover();
  }

  /** Ends all planned and random faults. An outage goes on until up(). */
  clear(): void {
    this.#plans.clear();
    this.#random = undefined;
  }

  /** A mix of faults for a long run; the same seed and requests bring the same faults. */
  random(seed: number, rates: Rates): void {
    const draw = mulberry32(seed);
    this.#random = (method) => {
      const dice = draw();
      const length = draw();
      let edge = 0;
      const hit = (rate = 0) => {
        edge += rate;
        return dice < edge;
      };
      if (hit(rates.tooMany)) return tooMany(rates.retryAfter ?? 1);
      if (hit(rates.serverError)) return serverError(length < 0.5 ? 500 : 502);
      if (hit(rates.hang)) return hang;
      if (hit(rates.reset)) return reset;
      if (hit(rates.cut)) return cut;
      if (hit(rates.redeliver)) return method === 'getupdates' ? redelivery : undefined;
      if (hit(rates.down)) {
        void this.down(Math.ceil(length * (rates.downMs ?? 2000)));
        return reset;
      }
      return undefined;
    };
  }

  /** The fault that strikes this call, if one does. */
  strike(method: string, chat: number | undefined): Fault | undefined {
    const called = method.toLowerCase();
    for (const plan of this.#plans) {
      const { where } = plan;
      const spent = plan.struck >= (where.times ?? Number.POSITIVE_INFINITY) || this.#now() > plan.until;
      if (spent) {
        this.#plans.delete(plan);
        continue;
      }
      if (where.method !== undefined && where.method.toLowerCase() !== called) continue;
      if (where.chat !== undefined && where.chat !== chat) continue;
      plan.struck++;
      return plan.fault;
    }
    return this.#random?.(called);
  }
}

/** A small seeded generator of numbers from 0 to 1 (Tommy Ettinger's Mulberry32, public domain). */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

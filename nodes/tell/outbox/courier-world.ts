import type { Verdict } from '../../host/telegram-errors.js';
import type { Clock } from '../../kit/clock.js';
import type { Language } from '../../kit/locale.js';
import type { Database } from '../../state/database.js';
import type { Limits } from '../../state/outbox.js';
import type { Taken } from '../../state/outbox-delivery.js';
import type { Call } from './compose.js';
import type { Step } from './next-step.js';

/** On a message to the sender node, and on its way back from there. */
export interface Tag {
  id: number;
  part: number;
  attempt: number;
}

/** What came back from the sender node. */
export type Result = { messageId?: number } | { error: unknown };

export interface Settings {
  limits: Limits;
  /** Milliseconds without any answer after which a message counts as not delivered. */
  answerWithin: number;
  /** More than `count` messages waiting, the oldest for longer than `age` ms: they become a digest. */
  digest: { count: number; age: number };
  lang: Language;
}

/** What a courier needs of the world around it. */
export interface World {
  db: Database;
  clock: Clock;
  random(): number;
  /** Hands a call to the sender node. `lane` orders calls there: one lane per chat until it is blocked. */
  hand(call: Call, tag: Tag, lane: string): void;
  delivered(chat: number): void;
  failed(verdict: Verdict, taken: Taken, step: Step): void;
  /** Something inside broke, e.g. the database. */
  broke(thrown: unknown): void;
}

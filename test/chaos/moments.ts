import type { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { hang, type RequestRecord, type Sandbox } from '../../ops/sandbox/server.js';
import type { Dice } from './dice.ts';
import type { Feed } from './feed.ts';

/** When Potion is killed. The first is at any time from its start on, the others while it is at work. */
const KINDS = [
  'any time',
  'any time',
  'a message has arrived at Telegram',
  'Telegram has answered about a message',
  'a message was left hanging by Telegram',
  'updates were fetched',
  'an event is handed in',
  'an event was acknowledged',
] as const;

export interface Moment {
  kind: (typeof KINDS)[number];
  /** Milliseconds after it. */
  delay: number;
}

/** Longest wait for Potion to be at work, and then for the moment itself, ms. */
const START = 15_000;
const OCCASION = 4000;

export function drawMoment(dice: Dice): Moment {
  const kind = dice.one(KINDS);
  if (kind === 'any time') return { kind, delay: dice.exponential(800, 100, 2500) };
  // Half of them at once, since what follows takes a millisecond or two: an answer read, a row written.
  return { kind, delay: dice.hits(0.5) ? 0 : dice.between(1, 40) };
}

/**
 * Strikes at the moment, or when it has not come in time; not when `over` comes first. Without a delay it strikes
 * within the event itself: what arrives at Telegram is then never answered.
 */
export async function strikeAt(
  { kind, delay }: Moment,
  sandbox: Sandbox,
  feed: Feed,
  over: Promise<unknown>,
  strike: () => void,
): Promise<void> {
  if (kind !== 'any time') {
    await once({ emitter: feed, event: 'kept' }, START, over);
    // Not always the very first of its kind in a life.
    await Promise.race([sleep(delay * 20), over]);
    const hanging = kind === HANGING && sandbox.faults.add(hang, { method: 'sendMessage', times: 1 });
    await once(occasion(kind, sandbox, feed), OCCASION, over, delay === 0 ? strike : undefined);
    if (hanging) hanging.off();
  }
  if (delay === 0) return;
  const inTime = await Promise.race([sleep(delay, true), over.then(() => false)]);
  if (inTime) strike();
}

/** What to wait for: the next event of a name, or the next one that fits. */
interface Occasion {
  emitter: Pick<EventEmitter, 'on' | 'off'>;
  event: string;
  fits?(record: RequestRecord): boolean;
}

const HANGING = 'a message was left hanging by Telegram';

function occasion(kind: Exclude<Moment['kind'], 'any time'>, sandbox: Sandbox, feed: Feed): Occasion {
  const request = (fits: Occasion['fits']): Occasion => ({ emitter: sandbox, event: 'request', fits });
  switch (kind) {
    case 'a message has arrived at Telegram':
      return { emitter: sandbox, event: 'sent' };
    case 'Telegram has answered about a message':
      return request(({ method, status }) => method === 'sendMessage' && status === 200);
    case HANGING:
      return request(({ fault }) => fault === 'hang');
    case 'updates were fetched':
      return request(({ method, status }) => method === 'getUpdates' && status === 200);
    case 'an event is handed in':
      return { emitter: feed, event: 'handing' };
    case 'an event was acknowledged':
      return { emitter: feed, event: 'kept' };
  }
}

/** Waits for an occasion, but not for longer than `ms`, and does something then, unless it is over. */
function once(
  { emitter, event, fits = () => true }: Occasion,
  ms: number,
  over: Promise<unknown>,
  then: () => void = () => {},
): Promise<void> {
  return new Promise((resolve) => {
    const look = (record: RequestRecord) => {
      if (fits(record)) end(then);
    };
    const end = (last: () => void) => {
      clearTimeout(timer);
      emitter.off(event, look);
      last();
      resolve();
    };
    const timer = setTimeout(() => end(then), ms);
    emitter.on(event, look);
    void over.then(() => end(() => {}));
  });
}

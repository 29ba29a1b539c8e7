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
  'a message is on its way to Telegram',
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
  const at = (emitter: Emitter, event: string, ms: number, then: () => void, fits?: Fits) =>
    once(emitter, event, { ms, over, then, fits });
  if (kind !== 'any time') {
    await at(feed, 'kept', START, () => {});
    // Not always the very first of its kind in a life.
    await Promise.race([sleep(delay * 20), over]);
    const now = delay === 0 ? strike : () => {};
    const request = (fits: (record: RequestRecord) => boolean) =>
      at(sandbox, 'request', OCCASION, now, (record) => fits(record as RequestRecord));
    if (kind === 'a message has arrived at Telegram') await at(sandbox, 'sent', OCCASION, now);
    else if (kind === 'Telegram has answered about a message')
      await request(({ method, status }) => method === 'sendMessage' && status === 200);
    else if (kind === 'updates were fetched')
      await request(({ method, status }) => method === 'getUpdates' && status === 200);
    else if (kind === 'an event is handed in') await at(feed, 'handing', OCCASION, now);
    else if (kind === 'an event was acknowledged') await at(feed, 'kept', OCCASION, now);
    else {
      const hanging = sandbox.faults.add(hang, { method: 'sendMessage', times: 1 });
      await request(({ fault }) => fault === 'hang');
      hanging.off();
    }
  }
  if (delay === 0) return;
  await Promise.race([sleep(delay), over]);
  strike();
}

type Emitter = Pick<EventEmitter, 'on' | 'off'>;
type Fits = (value: unknown) => boolean;

/** Waits for the next event that fits, but not for longer than `ms`; then does something, unless it is over. */
function once(
  emitter: Emitter,
  event: string,
  { ms, over, then, fits = () => true }: { ms: number; over: Promise<unknown>; then(): void; fits?: Fits },
): Promise<void> {
  return new Promise((resolve) => {
    const look = (value: unknown) => {
      if (fits(value)) end(then);
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

import { setTimeout as sleep } from 'node:timers/promises';
import { classify, type Verdict } from '../../nodes/host/telegram-errors.js';
import { cut, plain } from '../../nodes/kit/telegram-html.js';
import { callApi } from './bot-api.js';
import { describe } from './limit.js';
import type { Way } from './settings.js';

/** Milliseconds for one request. */
const ANSWER = 10_000;
/** Longer than that a run does not wait, whatever Telegram asks for: the next one tries again. */
const LONGEST_WAIT = 15_000;
/** Telegram takes at most so many characters. */
const LONGEST = 4096;

export type Sent =
  | { ok: true; bot: Way['bot'] }
  /** `wait`: seconds that every bot is asked to be quiet. `silence`: Telegram was not reached at all. */
  | { ok: false; reason: string; wait?: number; silence: boolean };

export interface Letter {
  target: string;
  html: string;
  silent: boolean;
}

/**
 * Sends to one chat, by the first bot that can. What may have arrived, though its answer was lost, is sent
 * again: twice is better than never. Never throws.
 * @param deadline by `performance.now()`
 */
export async function send(
  ways: readonly Way[],
  api: string,
  letter: Letter,
  deadline: number,
): Promise<Sent> {
  let last: Sent = { ok: false, reason: 'there is no bot', silence: false };
  let wait = Number.POSITIVE_INFINITY;
  for (const { bot, token } of ways) {
    const failure = await sendBy(token, api, letter, deadline);
    if (!failure) return { ok: true, bot };
    wait = Math.min(wait, failure.kind === 'flood' ? failure.seconds : 0);
    last = { ok: false, reason: failure.reason, silence: failure.kind === 'network' };
    // Another bot would ask the same server.
    if (last.silence) break;
  }
  return wait > 0 && Number.isFinite(wait) ? { ...last, wait } : last;
}

/** @returns why it was not sent; undefined when it was */
async function sendBy(
  token: string,
  api: string,
  { target, html, silent }: Letter,
  deadline: number,
): Promise<Verdict | undefined> {
  let params: object = { chat_id: target, text: html, parse_mode: 'HTML' };
  if (plain(html).length > LONGEST) params = asPlain(target, html);
  const attempt = () => once(token, api, { ...params, disable_notification: silent }, deadline);
  const first = await attempt();
  if (!first) return undefined;
  const pause = pauseBefore(first);
  if (pause === undefined || performance.now() + pause > deadline) return first;
  if (first.kind === 'markup' || first.kind === 'refused') params = asPlain(target, html);
  await sleep(pause);
  return attempt();
}

/** Milliseconds until a second try; undefined when none would help. */
function pauseBefore(failure: Verdict): number | undefined {
  switch (failure.kind) {
    case 'flood':
      return failure.seconds * 1000 <= LONGEST_WAIT ? failure.seconds * 1000 : undefined;
    case 'markup':
    case 'refused':
      return 0;
    case 'server':
      return 1000;
    case 'network':
      // One that has let the time run out would do so again.
      return /aborted|timeout|no time/i.test(failure.reason) ? undefined : 1000;
    default:
      return undefined;
  }
}

/** What Telegram will not take as it is goes without its markup. */
function asPlain(target: string, html: string): object {
  return { chat_id: target, text: cut(plain(html), LONGEST) };
}

async function once(
  token: string,
  api: string,
  params: object,
  deadline: number,
): Promise<Verdict | undefined> {
  const left = Math.min(ANSWER, deadline - performance.now());
  if (left <= 0) return { kind: 'network', reason: 'no time was left' };
  try {
    const signal = AbortSignal.timeout(Math.ceil(left));
    const answered = await callApi(api, token, 'sendMessage', params, signal);
    return answered.ok ? undefined : classify(answered.error);
  } catch (thrown) {
    return { kind: 'network', reason: describe(thrown) };
  }
}

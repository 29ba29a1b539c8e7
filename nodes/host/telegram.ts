import type { EventEmitter } from 'node:events';
import { allKept } from '../kit/intake.js';
import { UNSENT } from './telegram-errors.js';

/**
 * The bot of node-telegram-bot-api as far as Potion touches it. The library documents `request` as an option of
 * the constructor; the config node gives no way to set it, so it is set on the bot.
 */
export interface Bot extends EventEmitter {
  options?: { request?: TransportOptions };
  isPolling?(): boolean;
  stopPolling?(options?: { cancel?: boolean }): Promise<void>;
}

interface TransportOptions {
  fetch?: Fetch;
  maxRetriesOn429?: number;
  [other: string]: unknown;
}

type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** The config node `telegram bot`. Emits `status` with `started` or `stopped`. */
export interface BotConfig extends EventEmitter {
  /** The bot in use. With `true` (or nothing) a missing one is created, and polls: avoid that. */
  getTelegramBot(createIfMissing?: boolean): Bot | null | undefined;
  /** False in webhook and send-only mode. */
  usePolling?: boolean;
  /** Missing where the node has given up at once: without a token, or with one that another node has. */
  stop?: unknown;
}

/** What the outbox hears from a bot. */
export interface Ear {
  /** Milliseconds that Telegram may take to answer a message without a file. */
  answerWithin: number;
  /** Telegram has just answered something. */
  onAlive?: () => void;
  /**
   * Ends what is under way, since a request that hangs would hold up the stop of all flows for 15 s; and the
   * listening, but for the library's own repetition after a 429, which stays off.
   */
  signal: AbortSignal;
}

/** Uploads get this much more time: a slow phone line carries 20 KB/s. */
const UPLOAD_BYTES_PER_MS = 20;

/** Milliseconds that a request with so many bytes to upload may take. */
export function timeLimit(answerWithin: number, bytes: number): number {
  return answerWithin + Math.ceil(bytes / UPLOAD_BYTES_PER_MS);
}

const ears = new WeakMap<Bot, Ear>();

/**
 * Makes a bot report what Telegram says, at once and in full. Left alone,
 * - the library waits in silence for as long as a 429 asks and repeats by itself, and the sender node does so
 *   again, so that nobody knows whether a message is lost or late, and one that is handed in anew goes twice;
 * - a request that hangs is given up after 300 s;
 * - the id of the supergroup that a group has become is in a field that the error's text leaves out;
 * - `stopPolling` waits for the open poll although it is told to cancel it, so that each deploy, restart and
 *   end takes up to 10 s in which nobody is heard and nothing is told;
 * - the next poll confirms updates that nobody has kept yet, and a crash then loses them;
 * - an error says "fetch failed", whether there was never a connection or it broke with the message on it.
 * Calling it again changes what is told to whom.
 */
export function listenTo(bot: Bot, ear: Ear): void {
  const request = bot.options?.request;
  if (!request) return;
  const known = ears.has(bot);
  ears.set(bot, ear);
  if (known) return;
  const inner = request.fetch ?? (fetch as Fetch);
  const poll = cancellable(bot, inner);
  request.maxRetriesOn429 = 0;
  request.fetch = async (url, init) => {
    const ear = ears.get(bot);
    const isPoll = url.endsWith('/getUpdates');
    if (!ear || ear.signal.aborted) return isPoll ? poll(url, init) : inner(url, init);
    // Long polling has a time limit of its own.
    const response = await (isPoll
      ? poll(url, init)
      : send(inner, url, { ...init, signal: limit(init, ear) }));
    if (response.ok) ear.onAlive?.();
    return response.status === 429 || response.status === 400 ? told(response) : response;
  };
}

/** Polls until `stopPolling({ cancel: true })`, which then counts as an answer without updates. */
function cancellable(bot: Bot, inner: Fetch): Fetch {
  const stop = bot.stopPolling?.bind(bot);
  let polling = new AbortController();
  bot.stopPolling = async (options) => {
    if (options?.cancel) {
      polling.abort();
      polling = new AbortController();
    }
    await stop?.(options);
  };
  return async (url, init) => {
    const { signal } = polling;
    const either = init.signal ? AbortSignal.any([signal, init.signal]) : signal;
    await allKept(either);
    try {
      return await inner(url, { ...init, signal: either });
    } catch (thrown) {
      if (!signal.aborted) throw thrown;
      return Response.json({ ok: true, result: [] });
    }
  };
}

/** What undici and Node say when a connection was never there. */
const NO_CONNECTION = new Set([
  ...['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN', 'EADDRNOTAVAIL'],
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Sends, and says of a failure whether anything can have arrived. */
async function send(inner: Fetch, url: string, init: RequestInit): Promise<Response> {
  try {
    return await inner(url, init);
  } catch (thrown) {
    const code = (thrown as { cause?: { code?: unknown } } | null)?.cause?.code;
    if (typeof code !== 'string' || !NO_CONNECTION.has(code)) throw thrown;
    throw new Error(`fetch failed: ${code} ${UNSENT}`, { cause: thrown });
  }
}

function limit(init: RequestInit, { answerWithin, signal }: Ear): AbortSignal {
  const time = AbortSignal.timeout(timeLimit(answerWithin, sizeOf(init.body)));
  return AbortSignal.any([time, signal, ...(init.signal ? [init.signal] : [])]);
}

function sizeOf(body: RequestInit['body']): number {
  if (!(body instanceof FormData)) return 0;
  return [...body.values()].reduce((sum, value) => sum + (typeof value === 'string' ? 0 : value.size), 0);
}

/**
 * The same refusal with its parameters in the text, where they survive the way through the sender node; and
 * "retry after" in other words, because the sender node looks for these to repeat by itself.
 */
async function told(response: Response): Promise<Response> {
  const text = await response.text();
  return new Response(inWords(text), {
    status: response.status,
    headers: { 'content-type': 'application/json' },
  });
}

function inWords(text: string): string {
  try {
    const answer = JSON.parse(text);
    const { retry_after: wait, migrate_to_chat_id: chat } = answer.parameters ?? {};
    if (wait !== undefined) answer.description = `Too Many Requests [retry_after ${wait}]`;
    if (chat !== undefined) answer.description = `${answer.description} [migrate_to_chat_id ${chat}]`;
    return JSON.stringify(answer);
  } catch {
    return text;
  }
}

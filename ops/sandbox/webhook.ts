import { isLoopback } from '../../nodes/kit/config.js';
import type { Params } from './request.js';
import { badRequest, type Update, type UpdateKind } from './telegram.js';
import type { Updates } from './updates.js';

/** Milliseconds that a webhook has for its answer. */
const PATIENCE = 10_000;
const FIRST_RETRY = 500;
const LONGEST_RETRY = 60_000;

/** Pushes the waiting updates, one after the other, to an address on this machine. */
export class Webhook {
  readonly #updates: Updates;
  readonly #now: () => number;
  #url = '';
  #secret: string | undefined;
  #kinds: readonly UpdateKind[] | undefined;
  #lastError: { last_error_date: number; last_error_message: string } | undefined;
  #ending = new AbortController();

  constructor(updates: Updates, now: () => number) {
    this.#updates = updates;
    this.#now = now;
  }

  get active(): boolean {
    return this.#url !== '';
  }

  /** setWebhook; an empty address takes it away. */
  set(params: Params): string {
    const url = params.text('url') ?? '';
    if (url !== '' && !(URL.canParse(url) && isLoopback(new URL(url).hostname.replace(/^\[|\]$/g, ''))))
      throw badRequest('bad webhook: the chat sandbox delivers to loopback addresses only');
    const secret = params.text('secret_token');
    if (secret && !/^[\w-]{1,256}$/.test(secret))
      throw badRequest('secret token contains unallowed characters');
    this.#kinds = params.json<UpdateKind[]>('allowed_updates', 'allowed_updates');
    this.#updates.allow(this.#kinds);
    if (params.flag('drop_pending_updates')) this.#updates.dropAll();
    const before = this.#url;
    this.stop();
    this.#url = url;
    this.#secret = secret;
    if (url === '') return before === '' ? 'Webhook is already deleted' : 'Webhook was deleted';
    this.#updates.interrupt('Conflict: terminated by setWebhook request');
    this.#ending = new AbortController();
    void this.#deliver(this.#ending.signal);
    return before === url ? 'Webhook is already set' : 'Webhook was set';
  }

  info(): object {
    return {
      url: this.#url,
      has_custom_certificate: false,
      pending_update_count: this.#updates.pending.length,
      ...(this.active ? { max_connections: 40, ip_address: '127.0.0.1' } : {}),
      ...(this.#kinds ? { allowed_updates: this.#kinds } : {}),
      ...this.#lastError,
    };
  }

  stop(): void {
    this.#ending.abort();
    this.#lastError = undefined;
  }

  /** Never rejects: a failed delivery is kept for getWebhookInfo and tried again. */
  async #deliver(signal: AbortSignal): Promise<void> {
    let pause = FIRST_RETRY;
    while (!signal.aborted) {
      const update = this.#updates.pending[0];
      if (!update) {
        await this.#arrival(signal);
        continue;
      }
      const trouble = await this.#post(update, signal);
      if (signal.aborted) return;
      if (trouble === undefined) {
        this.#updates.acknowledge(update);
        pause = FIRST_RETRY;
        continue;
      }
      this.#lastError = { last_error_date: Math.floor(this.#now() / 1000), last_error_message: trouble };
      await sleep(pause, signal);
      pause = Math.min(pause * 2, LONGEST_RETRY);
    }
  }

  /** @returns what went wrong, in the words of getWebhookInfo */
  async #post(update: Update, signal: AbortSignal): Promise<string | undefined> {
    try {
      const response = await fetch(this.#url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(this.#secret ? { 'x-telegram-bot-api-secret-token': this.#secret } : {}),
        },
        body: JSON.stringify(update),
        signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]),
      });
      await response.arrayBuffer();
      if (response.ok) return undefined;
      return `Wrong response from the webhook: ${response.status} ${response.statusText}`;
    } catch (thrown) {
      if (thrown instanceof Error && thrown.name === 'TimeoutError') return 'Read timeout expired';
      return 'Connection refused';
    }
  }

  #arrival(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const off = this.#updates.onChange(done);
      signal.addEventListener('abort', done, { once: true });
      function done() {
        off();
        signal.removeEventListener('abort', done);
        resolve();
      }
    });
  }
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
    function done() {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
  });
}

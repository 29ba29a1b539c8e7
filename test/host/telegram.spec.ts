import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { type Bot, listenTo } from '../../nodes/host/telegram.js';
import { keeping } from '../../nodes/kit/intake.js';

const POLL = 'http://127.0.0.1/bot1:a/getUpdates';

/** A bot whose requests hang until they are aborted, and whose library waits for the open poll as the real one does. */
function hangingBot() {
  let open: Promise<Response> | undefined;
  const request: NonNullable<Bot['options']>['request'] = {
    fetch: (_url, { signal }) =>
      new Promise((_resolve, reject) => {
        if (signal?.aborted) reject(signal.reason);
        signal?.addEventListener('abort', () => reject(signal.reason));
      }),
  };
  const bot: Bot = Object.assign(new EventEmitter(), {
    options: { request },
    stopPolling: async () => {
      await open?.catch(() => {});
    },
  });
  const ask = (url: string, init: RequestInit = {}) => {
    open = request?.fetch?.(url, init);
    return open as Promise<Response>;
  };
  return { bot, ask };
}

const ear = () => ({ answerWithin: 60_000, signal: new AbortController().signal });

describe('a bot that is listened to', () => {
  it('ends its open poll when polling is stopped, as an answer without updates', async () => {
    const { bot, ask } = hangingBot();
    listenTo(bot, ear());
    const polled = ask(POLL);
    await bot.stopPolling?.({ cancel: true });
    assert.deepEqual(await (await polled).json(), { ok: true, result: [] });
  });

  it('polls anew after such a stop', async () => {
    const { bot, ask } = hangingBot();
    listenTo(bot, ear());
    ask(POLL);
    await bot.stopPolling?.({ cancel: true });
    const next = ask(POLL);
    const still = await Promise.race([next, new Promise((resolve) => setImmediate(resolve, 'open'))]);
    assert.equal(still, 'open');
    await bot.stopPolling?.({ cancel: true });
    await next;
  });

  it('keeps a poll failing that fails for another reason', async () => {
    const { bot, ask } = hangingBot();
    listenTo(bot, ear());
    await assert.rejects(ask(POLL, { signal: AbortSignal.abort(new Error('too slow')) }), /too slow|abort/i);
  });

  it('ends an open poll also when its listener is gone by then', async () => {
    const { bot, ask } = hangingBot();
    const gone = new AbortController();
    listenTo(bot, { ...ear(), signal: gone.signal });
    const polled = ask(POLL);
    gone.abort();
    await bot.stopPolling?.({ cancel: true });
    assert.equal((await polled).status, 200);
  });

  describe('while what it has brought is not kept yet', () => {
    /** A bot that answers at once, the addresses it was asked for, and how the keeping ends. */
    function busyBot() {
      const asked: string[] = [];
      const request: NonNullable<Bot['options']>['request'] = {
        fetch: async (url) => {
          asked.push(url.slice(url.lastIndexOf('/') + 1));
          return Response.json({ ok: true, result: [] });
        },
      };
      const bot: Bot = Object.assign(new EventEmitter(), {
        options: { request },
        stopPolling: async () => {},
      });
      listenTo(bot, ear());
      const work = Promise.withResolvers<void>();
      keeping(work.promise);
      const ask = (url: string) => request.fetch?.(url, {}) as Promise<Response>;
      return { bot, asked, ask, work };
    }
    const aWhile = () => new Promise((resolve) => setTimeout(resolve, 20));

    it('does not poll, because that would confirm it', async () => {
      const { asked, ask, work } = busyBot();
      const polled = ask(POLL);
      await aWhile();
      assert.deepEqual(asked, []);
      work.resolve();
      await polled;
      assert.deepEqual(asked, ['getUpdates']);
    });

    it('polls also when the keeping has failed', async () => {
      const { asked, ask, work } = busyBot();
      work.reject(new Error('disk full'));
      await ask(POLL);
      assert.deepEqual(asked, ['getUpdates']);
    });

    it('sends all the same', async () => {
      const { asked, ask, work } = busyBot();
      await ask(POLL.replace('getUpdates', 'sendMessage'));
      assert.deepEqual(asked, ['sendMessage']);
      work.resolve();
    });

    it('can be stopped', async () => {
      const { bot, ask, work } = busyBot();
      const polled = ask(POLL);
      await bot.stopPolling?.({ cancel: true });
      assert.equal((await polled).status, 200);
      work.resolve();
    });
  });
});

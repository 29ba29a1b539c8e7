import assert from 'node:assert/strict';
import { Faults } from '../../ops/sandbox/faults.js';
import {
  blocked,
  conflict,
  cut,
  hang,
  migrated,
  parseError,
  type Rates,
  redelivery,
  reset,
  serverError,
  tooMany,
  unauthorized,
} from '../../ops/sandbox/server.js';
import type { Message, Update } from '../../ops/sandbox/telegram.js';
import { callBot, freshSandbox, read, refusalOf, resultOf } from '../support/sandbox.ts';

const CHAT = 100_001;

describe('sandbox: faults', () => {
  const fresh = freshSandbox();
  const { call } = fresh;
  const send = (text = 'x', chat_id = CHAT) => call('sendMessage', { chat_id, text });
  const shown = () => fresh.sandbox.messages().map(({ text }) => text);

  it('flood control says how long to wait, in body and header', async () => {
    fresh.sandbox.faults.add(tooMany(7), { times: 1 });
    const response = await fetch(`${fresh.sandbox.url}/bot${fresh.sandbox.token}/getMe`);
    assert.equal(response.headers.get('retry-after'), '7');
    assert.deepEqual((await read(response)).body, {
      ok: false,
      error_code: 429,
      description: 'Too Many Requests: retry after 7',
      parameters: { retry_after: 7 },
    });
  });

  const REFUSALS = [
    [parseError(), '400 Bad Request: can\'t parse entities: Unsupported start tag "x" at byte offset 0'],
    [unauthorized(), '401 Unauthorized'],
    [blocked(), '403 Forbidden: bot was blocked by the user'],
    [
      conflict(),
      '409 Conflict: terminated by other getUpdates request; make sure that only one bot instance is running',
    ],
  ] as const;
  for (const [fault, words] of REFUSALS)
    it(`answers ${words.slice(0, 40)} and does nothing`, async () => {
      fresh.sandbox.faults.add(fault, { times: 1 });
      assert.equal(refusalOf(await send()), words);
      assert.deepEqual(shown(), []);
      resultOf(await send());
    });

  it('a group that became a supergroup names the new chat', async () => {
    fresh.sandbox.faults.add(migrated(-100555));
    const { body } = await send();
    assert.ok(!body.ok);
    assert.deepEqual(body.parameters, { migrate_to_chat_id: -100555 });
  });

  it('a proxy in front answers with HTML', async () => {
    fresh.sandbox.faults.add(serverError(500), { times: 1 });
    fresh.sandbox.faults.add(serverError(), { times: 1 });
    const first = await send();
    const second = await send();
    assert.deepEqual([first.status, second.status], [500, 502]);
    assert.equal(first.type, 'text/html');
    assert.equal(fresh.sandbox.requests[0]?.fault, 'html');
  });

  it('never answers, until the caller gives up', async () => {
    fresh.sandbox.faults.add(hang, { times: 1 });
    const url = `${fresh.sandbox.url}/bot${fresh.sandbox.token}/sendMessage?chat_id=${CHAT}&text=x`;
    await assert.rejects(fetch(url, { signal: AbortSignal.timeout(100) }), /timeout/);
    assert.deepEqual(shown(), []);
  });

  it('cuts the connection before the message was taken', async () => {
    fresh.sandbox.faults.add(reset, { times: 1 });
    await assert.rejects(send(), /fetch failed/);
    assert.deepEqual(shown(), []);
  });

  it('cuts the connection after the message was taken: it is in the chat', async () => {
    const strike = fresh.sandbox.faults.add(cut, { method: 'sendMessage', times: 1 });
    await assert.rejects(send('taken'), /fetch failed/);
    assert.deepEqual(shown(), ['taken']);
    assert.equal(strike.struck, 1);
  });

  it('strikes one method, one chat, so often, or for a time', async () => {
    const { faults } = fresh.sandbox;
    faults.add(blocked(), { method: 'SENDmessage', chat: CHAT, times: 2 });
    fresh.sandbox.say('hi', { user: 5 });
    resultOf(await call('getMe'));
    resultOf(await send('x', 5));
    assert.match(refusalOf(await send()), /blocked/);
    assert.match(refusalOf(await send()), /blocked/);
    resultOf(await send());

    faults.add(blocked(), { forMs: 40 });
    assert.match(refusalOf(await send()), /blocked/);
    await new Promise((resolve) => setTimeout(resolve, 60));
    resultOf(await send());

    const endless = faults.add(blocked());
    assert.match(refusalOf(await send()), /blocked/);
    endless.off();
    resultOf(await send());
  });

  it('refuses connections while it is down, and comes back on the same port with everything', async () => {
    const { url } = fresh.sandbox;
    const waiting = call('getUpdates', { timeout: 30 });
    fresh.sandbox.say('before');
    await waiting;
    const open = callBot(fresh.sandbox, 'getUpdates', { timeout: 30, offset: 2 ** 31 - 1 });
    const cutOff = assert.rejects(open, /fetch failed/);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await fresh.sandbox.faults.down();
    await cutOff;
    await assert.rejects(send(), (thrown: Error) => /ECONNREFUSED/.test(JSON.stringify(thrown.cause)));
    await fresh.sandbox.faults.up();
    assert.equal(fresh.sandbox.url, url);
    resultOf(await send('after'));
    assert.deepEqual(shown(), ['before', 'after']);
  });

  it('an outage of a given length ends by itself', async () => {
    await fresh.sandbox.faults.down(50);
    await assert.rejects(send(), /fetch failed/);
    await new Promise((resolve) => setTimeout(resolve, 150));
    resultOf(await send());
  });

  it('brings an update again that was acknowledged', async () => {
    fresh.sandbox.say('/reboot');
    const poll = async (offset?: number) => resultOf<Update[]>(await call('getUpdates', { offset }));
    const [update] = await poll();
    const next = (update?.update_id ?? 0) + 1;
    await poll(next);
    fresh.sandbox.faults.add(redelivery, { method: 'getUpdates', times: 1 });
    assert.deepEqual(await poll(next), [update]);
    assert.deepEqual(await poll(next), []);
  });

  describe('at random', () => {
    const none = async () => {};
    const mix: Rates = { tooMany: 0.1, serverError: 0.1, hang: 0.1, reset: 0.1, cut: 0.1, redeliver: 0.1 };
    const draw = (seed: number, rates = mix) => {
      const faults = new Faults(() => 0, none, none);
      faults.random(seed, rates);
      return Array.from({ length: 2000 }, () => faults.strike('getUpdates', 1)?.kind ?? 'none');
    };

    it('comes the same from one seed, and otherwise from another', () => {
      assert.deepEqual(draw(1), draw(1));
      assert.notDeepEqual(draw(1), draw(2));
    });

    it('comes about as often as asked for', () => {
      const drawn = draw(3);
      for (const kind of ['api', 'html', 'hang', 'reset', 'cut', 'redeliver'])
        assert.ok(Math.abs(drawn.filter((other) => other === kind).length - 200) < 60, kind);
    });

    it('stops when cleared', () => {
      const faults = new Faults(() => 0, none, none);
      faults.random(1, { reset: 1 });
      faults.clear();
      assert.equal(faults.strike('getMe', undefined), undefined);
    });

    it('loses and doubles nothing that was answered', async () => {
      fresh.sandbox.faults.random(7, { tooMany: 0.2, serverError: 0.2, reset: 0.2, cut: 0.2, retryAfter: 1 });
      const answered: string[] = [];
      for (let n = 0; n < 60; n++) {
        const reply = await send(`m${n}`).catch(() => undefined);
        if (reply?.body.ok) answered.push((reply.body.result as Message).text ?? '');
      }
      const visible = shown();
      assert.ok(answered.length > 0 && answered.length < 60);
      assert.deepEqual(
        answered.filter((text) => visible.filter((other) => other === text).length !== 1),
        [],
      );
      assert.ok(visible.length > answered.length, 'cut ones are visible too');
    });
  });
});

import assert from 'node:assert/strict';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Update } from '../../ops/sandbox/telegram.js';
import { freshSandbox, refusalOf, resultOf } from '../support/sandbox.ts';

describe('sandbox: webhook', () => {
  const fresh = freshSandbox();
  const { call } = fresh;
  let receiver: Server;
  let url: string;
  let status: number;
  let got: { update: Update; headers: IncomingHttpHeaders }[];
  let arrived: () => void;

  beforeEach(async () => {
    status = 200;
    got = [];
    arrived = () => {};
    receiver = createServer(async (request, response) => {
      const body: Buffer[] = [];
      for await (const chunk of request) body.push(chunk);
      got.push({ update: JSON.parse(Buffer.concat(body).toString()), headers: request.headers });
      response.writeHead(status).end();
      arrived();
    });
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
  });
  afterEach(() => {
    receiver.closeAllConnections();
    receiver.close();
  });

  /** Resolves when so many deliveries have come. */
  const deliveries = (count: number) =>
    new Promise<void>((resolve) => {
      arrived = () => got.length >= count && resolve();
      arrived();
    });
  const info = async () => resultOf<Record<string, unknown>>(await call('getWebhookInfo'));

  it('gets waiting and new updates in order, with the secret', async () => {
    fresh.sandbox.say('one');
    assert.equal(
      (await call('setWebhook', { url, secret_token: 'geheim' })).body.description,
      'Webhook was set',
    );
    await deliveries(1);
    fresh.sandbox.say('two');
    await deliveries(2);
    assert.deepEqual(
      got.map(({ update }) => update.message?.text),
      ['one', 'two'],
    );
    assert.equal(got[0]?.headers['x-telegram-bot-api-secret-token'], 'geheim');
    assert.equal((await info()).url, url);
  });

  it('ends and forbids getUpdates while it is set', async () => {
    const waiting = call('getUpdates', { timeout: 30 });
    await new Promise((resolve) => setTimeout(resolve, 50));
    await call('setWebhook', { url });
    assert.equal(refusalOf(await waiting), '409 Conflict: terminated by setWebhook request');
    assert.equal(
      refusalOf(await call('getUpdates')),
      "409 Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
    );
    assert.equal((await call('deleteWebhook')).body.description, 'Webhook was deleted');
    resultOf(await call('getUpdates'));
  });

  it('delivers again what was not taken, and says why', async () => {
    status = 500;
    await call('setWebhook', { url });
    fresh.sandbox.say('stubborn');
    await deliveries(1);
    while (!(await info()).last_error_message) await new Promise((resolve) => setTimeout(resolve, 10));
    const { last_error_message, pending_update_count } = await info();
    assert.equal(last_error_message, 'Wrong response from the webhook: 500 Internal Server Error');
    assert.equal(pending_update_count, 1);
    status = 200;
    await deliveries(2);
    assert.equal(got[0]?.update.update_id, got[1]?.update.update_id);
  });

  it('can be dropped with all that waits', async () => {
    fresh.sandbox.say('old');
    await call('deleteWebhook', { drop_pending_updates: true });
    assert.deepEqual(resultOf(await call('getUpdates')), []);
  });

  it('goes to loopback addresses only', async () => {
    assert.match(
      refusalOf(await call('setWebhook', { url: 'https://example.org/' })),
      /^400 Bad Request: bad webhook/,
    );
    assert.match(refusalOf(await call('setWebhook', { url, secret_token: 'ä' })), /unallowed characters/);
  });
});

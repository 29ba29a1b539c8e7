import assert from 'node:assert/strict';
import { request } from 'node:http';
import type { Update } from '../../ops/sandbox/telegram.js';
import { freshSandbox, refusalOf, resultOf, TOKEN } from '../support/sandbox.ts';

describe('sandbox: getUpdates', () => {
  const fresh = freshSandbox();
  const { call } = fresh;
  const updates = async (params: object = {}) => resultOf<Update[]>(await call('getUpdates', params));

  it('gives the same updates until a higher offset acknowledges them', async () => {
    fresh.sandbox.say('one');
    fresh.sandbox.say('two');
    const [one, two] = await updates();
    assert.deepEqual([one?.message?.text, two?.message?.text], ['one', 'two']);
    assert.equal((await updates()).length, 2, 'nothing was acknowledged');
    assert.deepEqual(await updates({ offset: two?.update_id }), [two]);
    assert.deepEqual(await updates({ offset: (two?.update_id ?? 0) + 1 }), []);
    assert.deepEqual(await updates(), []);
  });

  it('keeps to the limit, and a negative offset takes the last ones and forgets the rest', async () => {
    for (const text of ['one', 'two', 'three']) fresh.sandbox.say(text);
    const texts = async (params: object) => (await updates(params)).map(({ message }) => message?.text);
    assert.deepEqual(await texts({ limit: 1 }), ['one']);
    assert.deepEqual(await texts({ offset: -2 }), ['two', 'three']);
    assert.deepEqual(await texts({}), ['two', 'three']);
  });

  it('waits for an update and answers the moment it comes', async () => {
    const waiting = updates({ timeout: 30 });
    const started = performance.now();
    setTimeout(() => fresh.sandbox.say('now'), 30);
    assert.equal((await waiting)[0]?.message?.text, 'now');
    assert.ok(performance.now() - started < 5000);
  });

  it('answers with nothing when the wait is over', async () => {
    const started = performance.now();
    assert.deepEqual(await updates({ timeout: 1 }), []);
    assert.ok(performance.now() - started > 900);
  });

  it('ends the first of two at once with 409', async () => {
    const first = call('getUpdates', { timeout: 30 });
    await new Promise((resolve) => setTimeout(resolve, 50));
    const second = call('getUpdates', { timeout: 30 });
    assert.equal(
      refusalOf(await first),
      '409 Conflict: terminated by other getUpdates request; make sure that only one bot instance is running',
    );
    fresh.sandbox.say('for the second');
    assert.equal(resultOf<Update[]>(await second).length, 1);
  });

  it('brings only the kinds asked for, until others are asked for', async () => {
    await updates({ allowed_updates: ['callback_query'] });
    fresh.sandbox.say('not wanted');
    assert.deepEqual(await updates(), []);
    await updates({ allowed_updates: [] });
    fresh.sandbox.say('wanted');
    assert.equal((await updates())[0]?.message?.text, 'wanted');
  });

  it('forgets a reader who has hung up, and loses nothing by it', async () => {
    const gone = request(`${fresh.sandbox.url}/bot${TOKEN}/getUpdates?timeout=30`).on('error', () => {});
    gone.end();
    await new Promise((resolve) => setTimeout(resolve, 50));
    gone.destroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
    fresh.sandbox.say('still here');
    assert.equal((await updates({ timeout: 5 }))[0]?.message?.text, 'still here');
  });

  it('gives an acknowledged update once more when told to, whatever the offset', async () => {
    const { message_id } = fresh.sandbox.say('/reboot');
    const [first] = await updates();
    const offset = (first?.update_id ?? 0) + 1;
    assert.deepEqual(await updates({ offset }), []);
    assert.equal(fresh.sandbox.redeliver(first?.update_id), true);
    const [again] = await updates({ offset });
    assert.deepEqual(again, first);
    assert.equal(again?.message?.message_id, message_id);
    assert.deepEqual(await updates({ offset }), [], 'once');
  });
});

import assert from 'node:assert/strict';
import type { BotConfig } from '../../nodes/host/telegram.js';
import { pulseOf } from '../../nodes/kit/pulse.js';
import {
  conflict,
  cut,
  hang,
  migrated,
  parseError,
  reset,
  serverError,
  tooMany,
  unauthorized,
} from '../../ops/sandbox/server.js';
import { ApiError } from '../../ops/sandbox/telegram.js';
import { nodeOf } from '../support/node-red.ts';
import { useOutbox } from './outbox-fixture.ts';

describe('outbox, with the real sender node and a Bot API server: what goes wrong', () => {
  const bench = useOutbox();
  const { start, draft, put, texts, arrives, stateOf, until, sends, shows, group } = bench;

  describe('when Telegram', () => {
    it('asks to wait (429): does so for the whole bot, then goes on, each message once', async () => {
      await start();
      const other = group(-7);
      bench.telegram.faults.add(tooMany(1), { times: 1 });
      put(draft('one'), draft('two'));
      await until(() => sends().length === 1);
      const struck = Date.now();
      await shows(/Telegram minta tunggu 1 detik/);
      put(draft('elsewhere', { chat: other }));
      await arrives('two');
      await arrives('elsewhere');
      assert.deepEqual(texts(), ['one', 'two']);
      assert.deepEqual(texts(other).slice(1), ['elsewhere']);
      assert.ok(
        sends().every(({ at }, i) => i === 0 || at >= struck + 950),
        'asked again too early',
      );
      assert.equal(sends().length, 4);
    });

    for (const [what, fault] of [
      ['answers with a page of a proxy (502)', serverError(502)],
      ['answers with a page of trouble (500)', serverError(500)],
      ['cuts the connection before it has the message', reset],
      ['names a conflict (409)', conflict()],
    ] as const)
      it(`${what}: it is sent again, in order, each message once`, async () => {
        await start();
        bench.telegram.faults.add(fault, { method: 'sendMessage', times: 1 });
        put(draft('one'), draft('two'));
        await arrives('two');
        assert.deepEqual(texts(), ['one', 'two']);
      });

    it('cuts the connection after it has the message: that arrives twice at most, nothing else does', async () => {
      await start();
      bench.telegram.faults.add(cut, { method: 'sendMessage', times: 1 });
      put(draft('one'), draft('two'));
      await arrives('two');
      assert.deepEqual(texts(), ['one', 'one', 'two']);
    });

    it('refuses connections: waits, says so, and delivers when it is back', async () => {
      await start();
      await bench.telegram.faults.down();
      put(draft('one'), draft('two'));
      await shows(/2 menunggu.*Telegram tidak bisa dihubungi/);
      await bench.telegram.faults.up();
      await arrives('two');
      assert.deepEqual(texts(), ['one', 'two']);
    });

    it('never answers: the message is sent again after the time limit, and what comes later too', async () => {
      await start({ answerWithin: 0.5 });
      bench.telegram.faults.add(hang, { method: 'sendMessage', times: 1 });
      put(draft('one'), draft('two'));
      await arrives('two');
      assert.deepEqual(texts(), ['one', 'two']);
    });

    it('refuses the markup: the same words go as plain text', async () => {
      await start();
      put(draft('a <nginx> & <b>bold</b> &lt;ok&gt;'), draft('two'));
      await arrives('a <nginx> & bold <ok>');
      bench.telegram.faults.add(parseError(), { times: 1 });
      put(draft('<b>fine</b> &amp; good'));
      await arrives('fine & good');
    });

    it('refuses a button: the words go without it', async () => {
      await start();
      put(draft('words', { inline: [[{ text: 'x', callback_data: 'y'.repeat(65) }]] }));
      const { reply_markup } = await arrives('words');
      assert.equal(reply_markup, undefined);
    });

    it('says that the person has blocked the bot (403): that chat waits and says so, others go on', async () => {
      await start();
      const other = group(-7);
      bench.telegram.block();
      put(draft('one'), draft('elsewhere', { chat: other }));
      await bench.telegram.waitFor((message) => message.text === 'elsewhere');
      await shows(/chat 100001 menolak: .*blocked by the user/);
      bench.telegram.block(false);
      put(draft('two', { request: 'r', kind: 'reply' }));
      await arrives('two');
      assert.deepEqual(texts(), ['one', 'two']);
    });

    it('does not know the chat (400): it is kept and its chat waits', async () => {
      await start();
      put(draft('lost', { chat: 999 }), draft('here'));
      await arrives('here');
      await until(async () => /chat not found/.test((await stateOf('lost'))?.error ?? ''));
      assert.equal((await stateOf('lost'))?.state, 'queued');
    });

    it('refuses the token (401): everything waits and says so, and health ails', async () => {
      await start();
      bench.telegram.faults.add(unauthorized());
      put(draft('one'));
      await shows(/token bot ditolak/);
      assert.match(pulseOf('telegram')?.ailing ?? '', /token is refused/);
      assert.equal((await stateOf('one'))?.state, 'queued');
    });

    it('says that the group has become another: messages follow it, also later ones', async () => {
      await start();
      const now = group(-1007);
      const before = group(-7);
      bench.telegram.faults.add(migrated(now), { chat: before });
      put(draft('one', { chat: before }), draft('two', { chat: before }));
      await arrives('two');
      put(draft('three', { chat: before }));
      await arrives('three');
      assert.deepEqual(texts(now).slice(1), ['one', 'two', 'three']);
    });

    it('refuses even the barest text: it is given up, said in the log, and the next goes on', async () => {
      await start();
      bench.telegram.faults.add(
        { kind: 'api', error: new ApiError(400, 'Bad Request: nothing works') },
        { times: 2 },
      );
      put(draft('never'), draft('next'));
      await arrives('next');
      assert.deepEqual([(await stateOf('never'))?.state, texts()], ['failed', ['next']]);
    });
  });

  it('loses nothing with a bot that can’t be listened to, and a request that hangs', async () => {
    await start({ answerWithin: 0.2 });
    const bot = (nodeOf('bot') as BotConfig).getTelegramBot(false);
    assert.ok(bot?.options);
    bot.options.request = undefined;
    bench.telegram.faults.add(hang, { method: 'sendMessage', times: 1 });
    put(draft('one'), draft('two'));
    await arrives('two', 9000);
    assert.deepEqual(texts(), ['one', 'two']);
    // The request that hangs would hold up the stop of the bench.flow.
    await bench.telegram.stop();
  });
});

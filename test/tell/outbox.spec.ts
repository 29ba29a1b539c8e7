import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BotConfig } from '../../nodes/host/telegram.js';
import type { Draft } from '../../nodes/kit/messages.js';
import { pulseOf } from '../../nodes/kit/pulse.js';
import { type Database, openDatabase } from '../../nodes/state/database.js';
import { enqueue } from '../../nodes/state/outbox.js';
import {
  conflict,
  cut,
  hang,
  migrated,
  parseError,
  reset,
  type Sandbox,
  serverError,
  tooMany,
  unauthorized,
} from '../../ops/sandbox/server.js';
import { ApiError } from '../../ops/sandbox/telegram.js';
import { nodeOf, type Running } from '../support/node-red.ts';
import { botNode, deliveryNodes, draftFor, startTelegram, telegramFlow } from '../support/telegram.ts';

describe('outbox, with the real sender node and a Bot API server', () => {
  let telegram: Sandbox;
  let db: Database;
  let flow: Running;

  const start = async (outbox: object = {}) => {
    flow = await telegramFlow(['tell/outbox'], [botNode(telegram.url), ...deliveryNodes(outbox)], db);
  };
  beforeEach(async () => {
    telegram = await startTelegram();
    db = await openDatabase(':memory:');
  });
  afterEach(async () => {
    await flow.stop();
    await telegram.stop();
    await db.destroy();
  });

  const draft = (html: string, more: Partial<Draft> = {}) => draftFor(telegram, html, more);
  const put = (...drafts: Draft[]) => flow.give('outbox', { payload: drafts });
  const texts = (chat?: number) => telegram.messages(chat).map((message) => message.text ?? message.caption);
  const arrives = (text: string, ms = 5000) => telegram.waitFor((message) => message.text === text, ms);
  const stateOf = async (html: string) => {
    const rows = await db.selectFrom('outbox').selectAll().execute();
    return rows.find((row) => JSON.parse(row.draft).html === html);
  };
  const waiting = () =>
    db.selectFrom('outbox').selectAll().where('state', 'in', ['queued', 'sending']).execute();
  /** Waits until something is so; fails with what is there instead. */
  const until = async (fits: () => Promise<boolean> | boolean, ms = 5000) => {
    for (const end = Date.now() + ms; !(await fits()); await sleep(10))
      if (Date.now() > end)
        assert.fail(`${JSON.stringify(texts())}, waiting: ${JSON.stringify(await waiting())}`);
  };
  const sends = (method = 'sendMessage') => telegram.requests.filter((request) => request.method === method);
  const shows = (text: RegExp) => until(() => text.test(flow.statuses('outbox').at(-1)?.text ?? ''));
  const group = (id: number) => {
    telegram.say('hello', { chat: { id, type: 'group', title: 'Home' } });
    return id;
  };

  it('delivers what it gets, in order, and is empty then', async () => {
    await start();
    put(draft('<b>one</b>'), draft('two'));
    put(draft('three'));
    await arrives('three');
    assert.deepEqual(texts(), ['one', 'two', 'three']);
    await until(async () => (await waiting()).length === 0);
    await shows(/^semua terkirim$/);
  });

  it('sends what an earlier process has left, before what is new', async () => {
    await enqueue(db, [draft('one'), draft('two')], Date.now(), { messages: 99, characters: 1e6 });
    await db.updateTable('outbox').set({ state: 'sending' }).where('id', '=', 1).execute();
    await start();
    put(draft('three'));
    await arrives('three');
    assert.deepEqual(texts(), ['one', 'two', 'three']);
  });

  it('loses nothing and keeps the order when its flow is stopped in the midst, again and again', async () => {
    const all = Array.from({ length: 30 }, (_, i) => `m${i}`);
    await start();
    put(...all.map((text) => draft(text)));
    for (let stop = 0; stop < 5; stop++) {
      await until(() => texts().length > 0 && texts().length >= stop * 4);
      await flow.stop();
      await start();
    }
    await arrives('m29');
    await until(async () => (await waiting()).length === 0);
    const seen = texts();
    assert.deepEqual([...new Set(seen)], all);
    assert.ok(seen.length <= all.length + 5, `${seen.length - all.length} duplicates of 5 stops`);
  });

  describe('when Telegram', () => {
    it('asks to wait (429): does so for the whole bot, then goes on, each message once', async () => {
      await start();
      const other = group(-7);
      telegram.faults.add(tooMany(1), { times: 1 });
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
        telegram.faults.add(fault, { method: 'sendMessage', times: 1 });
        put(draft('one'), draft('two'));
        await arrives('two');
        assert.deepEqual(texts(), ['one', 'two']);
      });

    it('cuts the connection after it has the message: that arrives twice at most, nothing else does', async () => {
      await start();
      telegram.faults.add(cut, { method: 'sendMessage', times: 1 });
      put(draft('one'), draft('two'));
      await arrives('two');
      assert.deepEqual(texts(), ['one', 'one', 'two']);
    });

    it('refuses connections: waits, says so, and delivers when it is back', async () => {
      await start();
      await telegram.faults.down();
      put(draft('one'), draft('two'));
      await shows(/2 menunggu.*Telegram tidak bisa dihubungi/);
      await telegram.faults.up();
      await arrives('two');
      assert.deepEqual(texts(), ['one', 'two']);
    });

    it('never answers: the message is sent again after the time limit, and what comes later too', async () => {
      await start({ answerWithin: 0.5 });
      telegram.faults.add(hang, { method: 'sendMessage', times: 1 });
      put(draft('one'), draft('two'));
      await arrives('two');
      assert.deepEqual(texts(), ['one', 'two']);
    });

    it('refuses the markup: the same words go as plain text', async () => {
      await start();
      put(draft('a <nginx> & <b>bold</b> &lt;ok&gt;'), draft('two'));
      await arrives('a <nginx> & bold <ok>');
      telegram.faults.add(parseError(), { times: 1 });
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
      telegram.block();
      put(draft('one'), draft('elsewhere', { chat: other }));
      await telegram.waitFor((message) => message.text === 'elsewhere');
      await shows(/chat 100001 menolak: .*blocked by the user/);
      telegram.block(false);
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
      telegram.faults.add(unauthorized());
      put(draft('one'));
      await shows(/token bot ditolak/);
      assert.match(pulseOf('telegram')?.ailing ?? '', /token is refused/);
      assert.equal((await stateOf('one'))?.state, 'queued');
    });

    it('says that the group has become another: messages follow it, also later ones', async () => {
      await start();
      const now = group(-1007);
      const before = group(-7);
      telegram.faults.add(migrated(now), { chat: before });
      put(draft('one', { chat: before }), draft('two', { chat: before }));
      await arrives('two');
      put(draft('three', { chat: before }));
      await arrives('three');
      assert.deepEqual(texts(now).slice(1), ['one', 'two', 'three']);
    });

    it('refuses even the barest text: it is given up, said in the log, and the next goes on', async () => {
      await start();
      telegram.faults.add(
        { kind: 'api', error: new ApiError(400, 'Bad Request: nothing works') },
        { times: 2 },
      );
      put(draft('never'), draft('next'));
      await arrives('next');
      assert.deepEqual([(await stateOf('never'))?.state, texts()], ['failed', ['next']]);
    });
  });

  describe('one message in the chat', () => {
    it('is edited by later ones of its slot, and answered when it is over', async () => {
      await start();
      put(draft('🔴 down', { slot: 'i', kind: 'alert' }));
      const { message_id } = await arrives('🔴 down');
      put(draft('🟡 trying', { slot: 'i', kind: 'alert' }));
      await arrives('🟡 trying');
      put(draft('✅ up', { slot: 'i', kind: 'alert', reply: true, silent: true }));
      const answer = await arrives('✅ up');
      assert.deepEqual(texts(), ['🟡 trying', '✅ up']);
      assert.equal(answer.reply_to_message?.message_id, message_id);
      assert.equal(telegram.chatLog().at(-1)?.silent, true);
    });

    it('is sent anew when it was deleted meanwhile', async () => {
      await start();
      put(draft('one', { slot: 's' }));
      const { message_id } = await arrives('one');
      telegram.world.rooms.get(telegram.user.id)?.entries.delete(message_id);
      put(draft('two', { slot: 's' }));
      const again = await arrives('two');
      put(draft('three', { slot: 's' }));
      assert.equal((await arrives('three')).message_id, again.message_id);
    });

    it('an edit that changes nothing has arrived', async () => {
      await start();
      put(draft('same', { slot: 's' }));
      await arrives('same');
      put(draft('same', { slot: 's' }), draft('next'));
      await arrives('next');
      assert.deepEqual(texts(), ['same', 'next']);
    });

    it('is the pressed button’s own where that is asked for, and loses its buttons', async () => {
      await start();
      put(draft('sure?', { inline: [[{ text: 'yes', callback_data: 'ok:1' }]] }));
      const { message_id } = await arrives('sure?');
      put(draft('done', { edit: message_id }));
      const edited = await arrives('done');
      assert.deepEqual([edited.message_id, edited.reply_markup], [message_id, undefined]);
    });
  });

  describe('a long message', () => {
    const long = Array.from({ length: 900 }, (_, i) => `<b>${i}</b> line`).join('\n');

    it('comes in parts with its buttons below the last', async () => {
      await start();
      put(draft(long, { inline: [[{ text: 'more', callback_data: '/more' }]] }), draft('end'));
      await arrives('end');
      const parts = telegram.messages().slice(0, -1);
      assert.ok(parts.length > 1 && parts.every((part) => (part.text ?? '').length <= 4096));
      assert.equal(parts.map((part) => part.text).join('\n'), long.replace(/<\/?b>/g, ''));
      assert.deepEqual(
        parts.map((part) => part.reply_markup !== undefined),
        parts.map((_, i) => i === parts.length - 1),
      );
    });

    it('resumes after a stop at the part that is missing', async () => {
      await start();
      telegram.once('sent', () => telegram.faults.add(hang, { method: 'sendMessage', times: 1 }));
      put(draft(long));
      await until(() => sends().length === 2);
      await flow.stop();
      await start();
      await until(async () => (await waiting()).length === 0);
      assert.equal(texts().join('\n'), long.replace(/<\/?b>/g, ''));
    });
  });

  describe('a file', () => {
    const file = join(tmpdir(), `potion-outbox-${process.pid}.txt`);
    before(() => writeFileSync(file, 'line\n'.repeat(100)));
    after(() => rmSync(file, { force: true }));

    it('goes with its caption, from a path or from the message', async () => {
      await start();
      put(draft('the log', { file: { name: 'runtime.log', path: file } }));
      put(draft('inside', { file: { name: 'a.txt', base64: Buffer.from('hello').toString('base64') } }));
      const [log, inside] = [await caption('the log'), await caption('inside')];
      assert.deepEqual([log.document?.file_name, log.document?.file_size], ['runtime.log', 500]);
      assert.deepEqual([inside.document?.file_name, inside.document?.file_size], ['a.txt', 5]);
    });

    it('goes as a picture where it is one, and as a document where Telegram does not take it as a picture', async () => {
      await start();
      put(draft('broken', { file: { name: 'a.png', base64: Buffer.from('no png').toString('base64') } }));
      assert.equal((await caption('broken')).document?.file_name, 'a.png');
    });

    it('survives a 429, once', async () => {
      await start();
      telegram.faults.add(tooMany(1), { method: 'sendDocument', times: 1 });
      put(
        draft('one', { file: { name: '1.txt', path: file } }),
        draft('two', { file: { name: '2.txt', path: file } }),
      );
      await caption('two');
      assert.deepEqual(texts(), ['one', 'two']);
    });

    it('has the words that do not fit below it in messages of their own', async () => {
      await start();
      const words = 'word '.repeat(400).trim();
      put(draft(words, { file: { name: 'x.txt', path: file } }));
      await arrives(words);
      assert.deepEqual(texts(), [undefined, words]);
    });

    it('that is gone is told instead', async () => {
      await start();
      put(draft('look', { file: { name: 'gone.txt', path: '/nonexistent/gone.txt' } }));
      await telegram.waitFor((message) => /^look\n📎 gone.txt/.test(message.text ?? ''));
    });

    const caption = (text: string) => telegram.waitFor((message) => message.caption === text, 5000);
  });

  describe('after a long outage', () => {
    const ago = (minutes: number) => Date.now() - minutes * 60_000;
    const left = (drafts: Draft[], at: number) => enqueue(db, drafts, at, { messages: 999, characters: 1e7 });

    it('a late message says when it happened', async () => {
      await left([draft('one', { at: ago(10) })], ago(10));
      await start();
      const { text } = await telegram.waitFor((message) => /one$/.test(message.text ?? ''));
      assert.match(text ?? '', /^🕓 Telat: ini kejadian .*\d{2}\.\d{2}\.\none$/);
    });

    it('many become one message that tells of each, with when it began and ended', async () => {
      const alerts = Array.from({ length: 20 }, (_, i) =>
        draft(`🔴 alert ${i}`, { kind: 'alert', slot: `i:${i}`, at: ago(60 - i) }),
      );
      await left([...alerts, draft('a notice', { at: ago(30) })], ago(60));
      await left(
        [draft('✅ over', { kind: 'alert', slot: 'i:3', reply: true, over: true, at: ago(20) })],
        ago(20),
      );
      await start();
      const { text = '' } = await telegram.waitFor((message) => /📬/.test(message.text ?? ''));
      await until(async () => (await waiting()).length === 0);
      assert.equal(
        texts().length,
        2,
        'the first by itself, which shows that Telegram is back, then the digest',
      );
      assert.match(texts()[0] ?? '', /🔴 alert 0/);
      for (let i = 1; i < 20; i++) assert.match(text, new RegExp(`🔴 alert ${i}\\b`));
      assert.match(text, /19 peringatan, 1 pesan lain/);
      assert.match(text, /a notice/);
      assert.match(text, /\d{2}\.\d{2} – \d{2}\.\d{2} ✅ 🔴 alert 3\n/);
    });

    it('the queue has an end: notices are given up for space and counted, alerts are told', async () => {
      await telegram.faults.down();
      await start({ maxMessages: 5 });
      for (let i = 0; i < 20; i++) put(draft(`notice ${i}`));
      put(draft('🔴 alert', { kind: 'alert' }));
      await until(async () => (await stateOf('🔴 alert')) !== undefined);
      await telegram.faults.up();
      await until(async () => (await waiting()).length === 0, 8000);
      const all = texts().join('\n');
      assert.match(all, /🔴 alert/);
      const told = texts().filter((text) => /^notice/.test(text ?? '')).length;
      const dropped = Number(/(\d+) pesan biasa tidak kebagian tempat/.exec(all)?.[1]);
      assert.equal(told + dropped, 20);
    }).timeout(15_000);
  });

  it('loses nothing with a bot that can’t be listened to, and a request that hangs', async () => {
    await start({ answerWithin: 0.2 });
    const bot = (nodeOf('bot') as BotConfig).getTelegramBot(false);
    assert.ok(bot?.options);
    bot.options.request = undefined;
    telegram.faults.add(hang, { method: 'sendMessage', times: 1 });
    put(draft('one'), draft('two'));
    await arrives('two', 9000);
    assert.deepEqual(texts(), ['one', 'two']);
    // The request that hangs would hold up the stop of the flow.
    await telegram.stop();
  });

  it('sends nothing while the sender’s outputs do not lead back, and says so', async () => {
    flow = await telegramFlow(
      ['tell/outbox'],
      [
        botNode(telegram.url),
        ...deliveryNodes().map((node) => ('bot' in node ? { ...node, wires: [['outbox'], []] } : node)),
      ],
      db,
    );
    put(draft('one'));
    await shows(/dua outputnya kembali ke sini/);
    assert.equal(sends().length, 0);
  });

  it('refuses what is no message', async () => {
    flow = await telegramFlow(
      ['tell/outbox'],
      [
        botNode(telegram.url),
        ...deliveryNodes(),
        { id: 'catch', type: 'catch', z: 'tab', scope: ['outbox'], wires: [['caught']] },
        { id: 'caught', type: 'helper', z: 'tab' },
      ],
      db,
    );
    const caught = flow.next('caught');
    flow.give('outbox', { payload: 'hello' });
    assert.equal((await caught).error?.cause?.text, 'outbox.not-a-draft');
  });

  it('there is only one: a second one says so and keeps nothing', async () => {
    flow = await telegramFlow(
      ['tell/outbox'],
      [
        botNode(telegram.url),
        ...deliveryNodes(),
        { id: 'second', type: 'potion-outbox', z: 'tab', wires: [[]] },
      ],
      db,
    );
    flow.give('second', { payload: [draft('twice')] });
    put(draft('once'));
    await arrives('once');
    assert.deepEqual(texts(), ['once']);
    assert.match(flow.statuses('second').at(-1)?.text ?? '', /outbox/);
  });
});

import assert from 'node:assert/strict';
import { startSandbox, World } from '../../ops/sandbox/server.js';
import type { BotCommand, CallbackQuery, Message, Update } from '../../ops/sandbox/telegram.js';
import { callBot, DOT, freshSandbox, read, resultOf, TOKEN } from '../support/sandbox.ts';

const CHAT = 100_001;

describe('sandbox: the Bot API protocol', () => {
  const fresh = freshSandbox();
  const { call } = fresh;
  const at = (method: string) => `${fresh.sandbox.url}/bot${TOKEN}/${method}`;
  const updates = async (params: object = {}) => resultOf<Update[]>(await call('getUpdates', params));
  const send = async (params: object = {}) =>
    resultOf<Message>(await call('sendMessage', { chat_id: CHAT, text: 'x', ...params }));

  describe('takes parameters', () => {
    const FORMS: [how: string, url: (method: string) => string, init: RequestInit][] = [
      ['in the address of a GET', (method) => `${at(method)}?chat_id=${CHAT}&text=a%26b`, {}],
      [
        'as a web form',
        at,
        { method: 'POST', body: new URLSearchParams({ chat_id: String(CHAT), text: 'a&b' }) },
      ],
      [
        'as JSON',
        at,
        {
          method: 'POST',
          headers: { 'content-type': 'application/json; charset=utf-8' },
          body: JSON.stringify({ chat_id: CHAT, text: 'a&b' }),
        },
      ],
    ];
    for (const [how, url, init] of FORMS)
      it(how, async () => {
        const sent = resultOf<Message>(await read(await fetch(url('sendMessage'), init)));
        assert.equal(sent.text, 'a&b');
      });

    it('as multipart, mixed with the address, and method names in any case', async () => {
      const form = new FormData();
      form.set('text', 'a&b');
      const reply = await fetch(`${at('SENDMESSAGE')}?chat_id=${CHAT}`, { method: 'POST', body: form });
      assert.equal(resultOf<Message>(await read(reply)).text, 'a&b');
    });
  });

  it('listens on loopback only', () => assert.match(fresh.sandbox.url, /^http:\/\/127\.0\.0\.1:\d+$/));

  it('names the bot by the number in its token', async () => {
    const me = resultOf<{ id: number; is_bot: boolean; username: string }>(await call('getMe'));
    assert.equal(me.id, 4242);
    assert.equal(me.is_bot, true);
    assert.match(me.username, /bot$/);
  });

  it('answers a message in the shape that Telegram gives', async () => {
    const first = fresh.sandbox.say('halo');
    const sent = await send({
      text: '<b>CPU</b> 93 % /status',
      parse_mode: 'HTML',
      disable_notification: true,
      reply_parameters: { message_id: first.message_id },
      reply_markup: { inline_keyboard: [[{ text: 'Detail', callback_data: 'd' }]] },
    });
    const { message_id, date, ...rest } = sent;
    assert.equal(message_id, first.message_id + 1);
    assert.ok(Math.abs(date - Date.now() / 1000) < 5);
    assert.deepEqual(rest, {
      from: { id: 4242, is_bot: true, first_name: 'Potion', username: 'potion_sandbox_bot' },
      chat: { id: CHAT, type: 'private', first_name: 'Admin' },
      text: 'CPU 93 % /status',
      entities: [
        { type: 'bold', offset: 0, length: 3 },
        { type: 'bot_command', offset: 9, length: 7 },
      ],
      reply_to_message: first,
      reply_markup: { inline_keyboard: [[{ text: 'Detail', callback_data: 'd' }]] },
    });
    assert.equal(fresh.sandbox.chatLog().at(-1)?.silent, true);
  });

  it('edits in place and says when', async () => {
    const { message_id } = await send();
    const edited = resultOf<Message>(await call('editMessageText', { chat_id: CHAT, message_id, text: 'y' }));
    assert.equal(edited.message_id, message_id);
    assert.ok(edited.edit_date);
    const [shown] = fresh.sandbox.messages();
    assert.equal(shown?.text, 'y');
    assert.deepEqual(
      fresh.sandbox.chatLog().map(({ what, message }) => `${what} ${message.text}`),
      ['sent x', 'edited y'],
    );
  });

  it('changes a keyboard alone without the mark of an edit', async () => {
    const { message_id } = await send();
    const reply_markup = { inline_keyboard: [[{ text: 'a', callback_data: 'b' }]] };
    const edited = resultOf<Message>(
      await call('editMessageReplyMarkup', { chat_id: CHAT, message_id, reply_markup }),
    );
    assert.deepEqual(edited.reply_markup, reply_markup);
    assert.equal(edited.edit_date, undefined);
  });

  it('deletes, copies and forwards', async () => {
    const { message_id } = await send({ text: 'original' });
    const from = { chat_id: CHAT, from_chat_id: CHAT, message_id };
    const copy = resultOf<{ message_id: number }>(await call('copyMessage', from));
    const forward = resultOf<Message>(await call('forwardMessage', from));
    resultOf(await call('deleteMessage', { chat_id: CHAT, message_id }));
    assert.deepEqual(
      fresh.sandbox.messages().map((message) => [message.message_id, message.text]),
      [
        [copy.message_id, 'original'],
        [forward.message_id, 'original'],
      ],
    );
    assert.equal(forward.forward_origin?.sender_user.id, 4242);
  });

  it('brings a pressed button with its message, and keeps the answer to it', async () => {
    const sent = await send({
      reply_markup: { inline_keyboard: [[{ text: 'Ya', callback_data: 'yes:1' }]] },
    });
    const press = fresh.sandbox.press(sent.message_id, 'Ya');
    const [update] = await updates();
    const query = update?.callback_query as CallbackQuery;
    assert.equal(query.id, press.id);
    assert.equal(query.data, 'yes:1');
    assert.equal(query.from.id, CHAT);
    assert.deepEqual(query.message, sent);
    resultOf(
      await call('answerCallbackQuery', { callback_query_id: query.id, text: 'Oke', show_alert: true }),
    );
    assert.equal(press.answer?.text, 'Oke');
    assert.equal(press.answer?.alert, true);
    assert.throws(() => fresh.sandbox.press(sent.message_id, 'Tidak'), /no button "Tidak".*"Ya"/);
  });

  it('lets strangers and groups write, each in their chat', async () => {
    const group = { id: -1001, type: 'supergroup', title: 'Server' } as const;
    fresh.sandbox.say('/status', { user: 666 });
    fresh.sandbox.say('/status', { user: 666, chat: group });
    const [alone, together] = await updates();
    assert.equal(alone?.message?.from?.id, 666);
    assert.equal(alone?.message?.chat.id, 666);
    assert.equal(together?.message?.chat.id, -1001);
    assert.equal((await send({ chat_id: -1001 })).chat.title, 'Server');
  });

  describe('files', () => {
    it('a document goes up and down unchanged, and again by its id', async () => {
      const content = Buffer.from([...Array(256).keys(), 13, 10, 45, 45]);
      const form = new FormData();
      form.set('chat_id', String(CHAT));
      form.set('caption', '<i>log</i>');
      form.set('parse_mode', 'HTML');
      form.set('document', new Blob([content], { type: 'text/plain' }), 'catatan "ä".log');
      const sent = resultOf<Message>(
        await read(await fetch(at('sendDocument'), { method: 'POST', body: form })),
      );
      assert.equal(sent.document?.file_name, 'catatan "ä".log');
      assert.equal(sent.document?.mime_type, 'text/plain');
      assert.equal(sent.document?.file_size, content.length);
      assert.equal(sent.caption, 'log');
      assert.deepEqual(sent.caption_entities, [{ type: 'italic', offset: 0, length: 3 }]);

      const { file_path } = resultOf<{ file_path: string }>(
        await call('getFile', { file_id: sent.document?.file_id }),
      );
      const download = await fetch(`${fresh.sandbox.url}/file/bot${TOKEN}/${file_path}`);
      assert.deepEqual(Buffer.from(await download.arrayBuffer()), content);

      const again = resultOf<Message>(
        await call('sendDocument', { chat_id: CHAT, document: sent.document?.file_id }),
      );
      assert.deepEqual(again.document, sent.document);
    });

    it('a photo is measured', async () => {
      const form = new FormData();
      form.set('chat_id', String(CHAT));
      form.set('photo', 'attach://picture');
      form.set('picture', new Blob([DOT]), 'dot.png');
      const sent = resultOf<Message>(
        await read(await fetch(at('sendPhoto'), { method: 'POST', body: form })),
      );
      assert.equal(sent.photo?.[0]?.width, 1);
      assert.equal(sent.photo?.[0]?.height, 1);
    });

    it('a caption is edited', async () => {
      fresh.sandbox.sendFile(
        { name: 'a.txt', type: 'text/plain', content: Buffer.from('a') },
        { caption: '/save' },
      );
      const [update] = await updates();
      const file_id = update?.message?.document?.file_id;
      assert.equal(update?.message?.caption, '/save');
      const { message_id } = resultOf<Message>(
        await call('sendDocument', { chat_id: CHAT, document: file_id }),
      );
      const edited = resultOf<Message>(
        await call('editMessageCaption', { chat_id: CHAT, message_id, caption: 'b' }),
      );
      assert.equal(edited.caption, 'b');
    });
  });

  it('keeps commands per scope and language, and shows the narrowest', async () => {
    const set = async (description: string, params: object) =>
      resultOf(await call('setMyCommands', { commands: [{ command: 'status', description }], ...params }));
    await set('default', {});
    await set('private, Indonesian', { scope: { type: 'all_private_chats' }, language_code: 'id' });
    await set('this chat', { scope: JSON.stringify({ type: 'chat', chat_id: 5 }) });
    const shown = (chat: number, lang?: string) => fresh.sandbox.commands(chat, lang)[0]?.description;
    assert.deepEqual(
      [shown(1), shown(1, 'id'), shown(5, 'id')],
      ['default', 'private, Indonesian', 'this chat'],
    );
    resultOf(await call('deleteMyCommands', { scope: { type: 'chat', chat_id: 5 } }));
    assert.equal(shown(5), 'default');
    assert.deepEqual(resultOf<BotCommand[]>(await call('getMyCommands')), [
      { command: 'status', description: 'default' },
    ]);
  });

  it('tells about a chat', async () => {
    const chat = resultOf<{ id: number; type: string }>(await call('getChat', { chat_id: CHAT }));
    assert.deepEqual([chat.id, chat.type], [CHAT, 'private']);
  });

  it('logs every call with its parameters and status', async () => {
    await send({ text: 'logged' });
    await call('sendMessage', { chat_id: 7, text: 'x' });
    assert.deepEqual(
      fresh.sandbox.requests.map(({ method, params, status, description }) => [
        method,
        params.text,
        status,
        description,
      ]),
      [
        ['sendMessage', 'logged', 200, undefined],
        ['sendMessage', 'x', 400, 'Bad Request: chat not found'],
      ],
    );
  });

  it('goes on in the same world after it was stopped', async () => {
    fresh.sandbox.say('before');
    const { message_id } = await send();
    await fresh.sandbox.stop();
    const next = await startSandbox({ token: TOKEN, store: fresh.sandbox.world });
    try {
      const [update] = resultOf<Update[]>(await callBot(next, 'getUpdates'));
      assert.equal(update?.message?.text, 'before');
      resultOf(await callBot(next, 'editMessageText', { chat_id: CHAT, message_id, text: 'after' }));
    } finally {
      await next.stop();
    }
  });

  it('numbers messages and updates from the clock, so that a new world never repeats an old one', () => {
    const noon = Date.UTC(2030, 0, 1, 12);
    const early = new World(TOKEN, () => noon);
    const room = early.meet({ id: 1, is_bot: false, first_name: 'A' });
    const { message } = early.add(room, early.bot, { text: 'x' });
    const later = new World(TOKEN, () => noon + 1000);
    const next = later.add(later.meet({ id: 1, is_bot: false, first_name: 'A' }), later.bot, { text: 'x' });
    assert.ok(next.message.message_id > message.message_id);
    assert.ok(next.message.message_id < 2 ** 31);
  });

  it('waits for a message of the bot, and says what came instead', async () => {
    const waiting = fresh.sandbox.waitFor(({ text }) => text === 'ready');
    await send({ text: 'starting' });
    await send({ text: 'ready' });
    assert.equal((await waiting).text, 'ready');
    await assert.rejects(
      fresh.sandbox.waitFor(({ text }) => text === 'never', 20),
      /within 20 ms.*"starting".*"ready"/,
    );
  });
});

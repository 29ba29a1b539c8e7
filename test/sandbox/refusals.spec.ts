import assert from 'node:assert/strict';
import type { Message } from '../../ops/sandbox/telegram.js';
import { freshSandbox, read, refusalOf, resultOf } from '../support/sandbox.ts';

const CHAT = 100_001;

describe('sandbox: refuses what Telegram refuses, in its words', () => {
  const fresh = freshSandbox();
  const { call } = fresh;
  const refused = async (method: string, params: object) => refusalOf(await call(method, params));
  const send = async (params: object = {}) =>
    resultOf<Message>(await call('sendMessage', { chat_id: CHAT, text: 'x', ...params }));
  const inline = (button: object) => ({ reply_markup: { inline_keyboard: [[button]] } });

  const MESSAGES: [what: string, params: object, why: string][] = [
    ['a text over 4096 characters', { text: 'x'.repeat(4097) }, '400 Bad Request: message is too long'],
    ['no text', { text: '' }, '400 Bad Request: message text is empty'],
    ['nothing but spaces', { text: ' \n ' }, '400 Bad Request: text must be non-empty'],
    ['nothing but tags', { text: '<b></b>', parse_mode: 'HTML' }, '400 Bad Request: text must be non-empty'],
    [
      'bad HTML',
      { text: 'load is 9 <foo>', parse_mode: 'HTML' },
      '400 Bad Request: can\'t parse entities: Unsupported start tag "foo" at byte offset 10',
    ],
    ['an unknown parse mode', { parse_mode: 'BBCode' }, '400 Bad Request: unsupported parse_mode'],
    ['an unknown chat', { chat_id: 7 }, '400 Bad Request: chat not found'],
    ['an unknown name', { chat_id: '@nobody' }, '400 Bad Request: chat not found'],
    ['no chat', { chat_id: '' }, '400 Bad Request: chat_id is empty'],
    [
      'callback data over 64 bytes',
      inline({ text: 'a', callback_data: 'ä'.repeat(33) }),
      '400 Bad Request: BUTTON_DATA_INVALID',
    ],
    [
      'an inline button that does nothing',
      inline({ text: 'a' }),
      "400 Bad Request: can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
    ],
    [
      'an inline button without a label',
      inline({ text: '', callback_data: 'x' }),
      '400 Bad Request: inline keyboard button text must be non-empty',
    ],
    [
      'a link that only this machine knows',
      inline({ text: 'a', url: 'http://localhost:1880' }),
      "400 Bad Request: inline keyboard button URL 'http://localhost:1880' is invalid: Wrong HTTP URL",
    ],
    [
      'a keyboard that is no JSON',
      { reply_markup: '{oops' },
      "400 Bad Request: can't parse reply keyboard markup JSON object",
    ],
    [
      'an answer to a message that is not there',
      { reply_parameters: { message_id: 1 } },
      '400 Bad Request: message to be replied not found',
    ],
  ];
  for (const [what, params, why] of MESSAGES)
    it(`sendMessage with ${what}`, async () => {
      assert.equal(await refused('sendMessage', { chat_id: CHAT, text: 'x', ...params }), why);
      assert.equal(fresh.sandbox.messages().length, 0, 'nothing was sent');
    });

  it('takes exactly 4096 characters, counted after the tags are gone', async () => {
    const { text } = await send({ text: `<b>${'x'.repeat(4095)}</b>&lt;`, parse_mode: 'HTML' });
    assert.equal(text?.length, 4096);
  });

  it('an edit that changes nothing', async () => {
    const { message_id } = await send({
      text: '<b>x</b>',
      parse_mode: 'HTML',
      ...inline({ text: 'a', callback_data: 'b' }),
    });
    const why =
      '400 Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message';
    const same = { chat_id: CHAT, message_id, ...inline({ text: 'a', callback_data: 'b' }) };
    assert.equal(
      await refused('editMessageText', { ...same, text: ' <strong>x</strong>\n', parse_mode: 'HTML' }),
      why,
    );
    assert.equal(await refused('editMessageReplyMarkup', same), why);
  });

  it('an edit without a keyboard takes the keyboard away', async () => {
    const { message_id } = await send(inline({ text: 'a', callback_data: 'b' }));
    const edited = resultOf<Message>(await call('editMessageText', { chat_id: CHAT, message_id, text: 'x' }));
    assert.equal(edited.reply_markup, undefined);
  });

  it('edits of what is not there, not its own, or came with a keyboard below the chat', async () => {
    const edit = (message_id: unknown) =>
      refused('editMessageText', { chat_id: CHAT, message_id, text: 'y' });
    assert.equal(await edit(1), '400 Bad Request: message to edit not found');
    assert.equal(await edit(undefined), '400 Bad Request: message identifier is not specified');
    assert.equal(await edit(fresh.sandbox.say('hi').message_id), "400 Bad Request: message can't be edited");
    const { message_id } = await send({ reply_markup: { keyboard: [['a']] } });
    assert.equal(await edit(message_id), "400 Bad Request: message can't be edited");
  });

  it('the wrong kind of edit', async () => {
    const { message_id } = await send();
    assert.equal(
      await refused('editMessageCaption', { chat_id: CHAT, message_id, caption: 'y' }),
      '400 Bad Request: there is no caption in the message to edit',
    );
  });

  it('deleting what is not there', async () =>
    assert.equal(
      await refused('deleteMessage', { chat_id: CHAT, message_id: 1 }),
      '400 Bad Request: message to delete not found',
    ));

  it('a person who has blocked the bot, until they write again', async () => {
    fresh.sandbox.block();
    assert.equal(
      await refused('sendMessage', { chat_id: CHAT, text: 'x' }),
      '403 Forbidden: bot was blocked by the user',
    );
    fresh.sandbox.say('/start');
    await send();
  });

  it('an answer to a button that is unknown or was answered already', async () => {
    const why = '400 Bad Request: query is too old and response timeout expired or query ID is invalid';
    assert.equal(await refused('answerCallbackQuery', { callback_query_id: '5' }), why);
    const { message_id } = await send(inline({ text: 'a', callback_data: 'b' }));
    const { id } = fresh.sandbox.press(message_id, 'a');
    resultOf(await call('answerCallbackQuery', { callback_query_id: id }));
    assert.equal(await refused('answerCallbackQuery', { callback_query_id: id }), why);
  });

  it('files that are missing, empty, unknown or no picture', async () => {
    const upload = async (method: string, field: string, content: string | undefined) => {
      const form = new FormData();
      form.set('chat_id', String(CHAT));
      if (content !== undefined) form.set(field, new Blob([content]), 'a.png');
      return refusalOf(
        await read(
          await fetch(`${fresh.sandbox.url}/bot${fresh.sandbox.token}/${method}`, {
            method: 'POST',
            body: form,
          }),
        ),
      );
    };
    assert.equal(
      await upload('sendDocument', 'document', undefined),
      '400 Bad Request: there is no document in the request',
    );
    assert.equal(await upload('sendDocument', 'document', ''), '400 Bad Request: file must be non-empty');
    assert.equal(await upload('sendPhoto', 'photo', 'text'), '400 Bad Request: IMAGE_PROCESS_FAILED');
    assert.equal(
      await refused('sendDocument', { chat_id: CHAT, document: 'BQACunknown' }),
      '400 Bad Request: wrong file identifier/HTTP URL specified',
    );
    assert.equal(await refused('getFile', { file_id: 'x' }), '400 Bad Request: invalid file_id');
  });

  it('captions over 1024 characters', async () => {
    const form = new FormData();
    form.set('chat_id', String(CHAT));
    form.set('caption', 'x'.repeat(1025));
    form.set('document', new Blob(['a']), 'a.txt');
    const reply = await fetch(`${fresh.sandbox.url}/bot${fresh.sandbox.token}/sendDocument`, {
      method: 'POST',
      body: form,
    });
    assert.equal(refusalOf(await read(reply)), '400 Bad Request: message caption is too long');
  });

  it('a file over 50 MB, but not one of 50 MB', async () => {
    const upload = async (size: number) => {
      const form = new FormData();
      form.set('chat_id', String(CHAT));
      form.set('document', new Blob([Buffer.alloc(size)]), 'big.bin');
      return read(
        await fetch(`${fresh.sandbox.url}/bot${fresh.sandbox.token}/sendDocument`, {
          method: 'POST',
          body: form,
        }),
      );
    };
    const limit = 50 * 1024 * 1024;
    assert.equal(refusalOf(await upload(limit + 1)), '413 Request Entity Too Large');
    assert.equal(refusalOf(await upload(limit + 2 ** 21)), '413 Request Entity Too Large');
    const { document } = resultOf<Message>(await upload(limit));
    assert.equal(
      await refused('getFile', { file_id: document?.file_id }),
      '400 Bad Request: file is too big',
      'a bot may download 20 MB at most',
    );
  });

  it('commands that Telegram would not show', async () => {
    const set = (command: string, description: string) =>
      refused('setMyCommands', { commands: [{ command, description }] });
    assert.equal(await set('Status', 'x'), '400 Bad Request: BOT_COMMAND_INVALID');
    assert.equal(await set('status', ''), '400 Bad Request: BOT_COMMAND_DESCRIPTION_INVALID');
  });

  it('a wrong token, a token that is none, an unknown method, and any other address', async () => {
    const get = async (path: string) => refusalOf(await read(await fetch(fresh.sandbox.url + path)));
    assert.equal(await get(`/bot1:${'x'.repeat(35)}/getMe`), '401 Unauthorized');
    assert.equal(await get('/botsecret/getMe'), '404 Not Found');
    assert.equal(await get(`/bot${fresh.sandbox.token}/sendGreeting`), '404 Not Found: method not found');
    assert.equal(await get('/'), '404 Not Found');
    assert.equal(await get(`/file/bot${fresh.sandbox.token}/documents/none.txt`), '404 Not Found');
  });

  it('a body that is no JSON', async () => {
    const reply = await fetch(`${fresh.sandbox.url}/bot${fresh.sandbox.token}/getMe`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '[1',
    });
    assert.equal(refusalOf(await read(reply)), "400 Bad Request: can't parse JSON object");
  });
});

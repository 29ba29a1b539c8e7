import assert from 'node:assert/strict';
import { cut, tooMany } from '../../ops/sandbox/server.js';
import { type BotClient, startBot } from '../support/bot-client.ts';
import { freshSandbox, TOKEN } from '../support/sandbox.ts';

const CHAT = 100_001;

describe('sandbox: with the client library of the telegrambot nodes', () => {
  const fresh = freshSandbox();
  let bot: BotClient;
  let troubles: string[];

  beforeEach(() => {
    troubles = [];
    bot = startBot(TOKEN, fresh.sandbox.url);
    bot.on('polling_error', (error: Error) => troubles.push(error.message));
  });
  afterEach(() => bot.stopPolling({ cancel: true }));

  it('a command is answered, its button pressed, the message edited', async () => {
    bot.on('message', (message) => {
      void bot.sendMessage(message.chat.id, '<b>Status</b>', {
        parse_mode: 'HTML',
        reply_markup: { inline_keyboard: [[{ text: 'Detail', callback_data: 'detail' }]] },
      });
    });
    bot.on('callback_query', async (query) => {
      await bot.answerCallbackQuery(query.id, { text: 'ok' });
      await bot.editMessageText('Detail: all well', { chat_id: CHAT, message_id: query.message?.message_id });
    });
    fresh.sandbox.say('/status');
    const status = await fresh.sandbox.waitFor(({ text }) => text === 'Status');
    const press = fresh.sandbox.press(status.message_id, 'Detail');
    const detail = await fresh.sandbox.waitFor(({ text }) => text === 'Detail: all well');
    assert.equal(detail.message_id, status.message_id);
    assert.equal(press.answer?.text, 'ok');
    assert.deepEqual(troubles, []);
  });

  it('documents go up, and come down through a link', async () => {
    const options = { filename: 'log é.txt', contentType: 'text/plain' };
    const { document } = await bot.sendDocument(CHAT, Buffer.from('lines'), { caption: 'the log' }, options);
    assert.equal(document?.file_name, 'log é.txt');
    const link = await bot.getFileLink(document?.file_id ?? '');
    assert.equal(await (await fetch(link)).text(), 'lines');
  });

  it('its own patience with flood control works', async () => {
    fresh.sandbox.faults.add(tooMany(0.01), { method: 'sendMessage', times: 1 });
    await bot.sendMessage(CHAT, 'patient');
    const calls = fresh.sandbox.requests.filter(({ method }) => method === 'sendMessage');
    assert.deepEqual(
      calls.map(({ status }) => status),
      [429, 200],
    );
  });

  it('polls on after an outage, and misses nothing said meanwhile', async () => {
    const heard: string[] = [];
    bot.on('message', ({ text }) => {
      heard.push(text ?? '');
    });
    await fresh.sandbox.faults.down();
    fresh.sandbox.say('while you were away');
    await fresh.sandbox.faults.up();
    while (heard.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.deepEqual(heard, ['while you were away']);
  });

  it('an answer that is cut off is an error there and a message here', async () => {
    fresh.sandbox.faults.add(cut, { method: 'sendMessage', times: 1 });
    await assert.rejects(bot.sendMessage(CHAT, 'twice?'));
    assert.equal(fresh.sandbox.messages().at(-1)?.text, 'twice?');
  });

  it('a second bot on the token is told so', async () => {
    const second = startBot(TOKEN, fresh.sandbox.url);
    second.on('polling_error', (error: Error) => troubles.push(error.message));
    while (troubles.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    await second.stopPolling({ cancel: true });
    assert.match(troubles[0] ?? '', /409 Conflict: terminated by other getUpdates request/);
  });
});

import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Locator, Page } from 'playwright-core';
import { type BotClient, startBot } from '../support/bot-client.ts';
import { type Browser, startBrowser } from '../support/browser.ts';
import { tokenFlow } from '../support/echo-flow.ts';
import { needs } from '../support/needs.ts';
import { type Potion, startPotion } from '../support/potion.ts';
import { DOT } from '../support/sandbox.ts';

const ADMIN = 100_001;
const NO_BOT = { BOT_TOKEN: '', TELEGRAM_API_URL: '', SERVER_NAME: 'laptop' };

describe('sandbox: the chat page in a browser', function () {
  this.timeout(30_000);
  let potion: Potion;
  let browser: Browser;
  let page: Page;
  let bot: BotClient;
  let heard: { from: number; text: string; document?: string }[];

  /** A bot on the token that this Potion has made up. */
  async function connectBot(): Promise<void> {
    const file = join(potion.dataDir, 'bot.json');
    // That of an earlier start names a bot that is no more.
    rmSync(file, { force: true });
    assert.equal((await potion.admin('/flows', { body: tokenFlow(file) })).status, 204);
    let found: { token: string; url: string } | undefined;
    while (!found) {
      await sleep(20);
      try {
        found = JSON.parse(readFileSync(file, 'utf8'));
      } catch {}
    }
    bot = startBot(found.token, found.url);
    bot.on('polling_error', () => {});
    bot.on('message', ({ from, text, caption, document }) => {
      heard.push({ from: from?.id ?? 0, text: text ?? caption ?? '', document: document?.file_name });
    });
  }

  before(async function () {
    needs(this, 'chromium');
    heard = [];
    potion = await startPotion({ env: NO_BOT });
    await potion.waitReady();
    await connectBot();
    browser = await startBrowser();
    page = browser.page;
    await page.goto(`${potion.url}/potion/chat`);
    await page.locator('#app').waitFor();
  });
  after(async () => {
    const stopped = bot?.stopPolling({ cancel: true });
    await browser?.close();
    await potion?.stop();
    await stopped;
  });
  beforeEach(() => {
    heard = [];
  });

  const bubbles = () => page.locator('.message');
  const last = () => bubbles().last();
  const say = async (text: string) => {
    await page.locator('#input').fill(text);
    await page.locator('#input').press('Enter');
  };
  const play = (name: string) => page.locator('#switch').getByRole('button', { name }).click();
  const until = async (fits: () => boolean | Promise<boolean>) => {
    for (let left = 200; left > 0; left--) {
      if (await fits()) return;
      await sleep(20);
    }
    throw new Error('it did not come about within 4 s');
  };
  const shows = (locator: Locator, words: string) => locator.filter({ hasText: words }).waitFor();
  const inline = (text: string, callback_data: string) => ({
    reply_markup: { inline_keyboard: [[{ text, callback_data }]] },
  });

  it('says what to type while nothing was said', async () => {
    const empty = page.locator('.empty');
    await empty.waitFor();
    assert.match(await empty.innerText(), /Halo! Ini ruang coba Potion.*\/start.*\/status.*\/help/s);
  });

  it('a typed /status is answered, its button pressed, and the edit arrives in place', async () => {
    bot.on('callback_query', async (query) => {
      if (query.data !== 'detail') return;
      await bot.answerCallbackQuery(query.id, { text: 'Sudah yang terbaru' });
      await bot.editMessageText('Detail: aman', { chat_id: ADMIN, message_id: query.message?.message_id });
    });
    await say('/status');
    await until(() => heard.some(({ text }) => text === '/status'));
    await bot.sendMessage(ADMIN, '<b>CPU</b> 7 % 🟢', { parse_mode: 'HTML', ...inline('Detail', 'detail') });
    await shows(last(), 'CPU 7 % 🟢');
    assert.equal(await last().locator('.words b').innerText(), 'CPU');
    await last().getByRole('button', { name: 'Detail' }).click();
    await page.getByText('Sudah yang terbaru').waitFor();
    await shows(last(), 'Detail: aman');
    assert.equal(await bubbles().count(), 2);
    assert.equal(await last().locator('.edited').innerText(), 'diedit');
    assert.equal(await last().locator('.key').count(), 0, 'the edit took the button away');
  });

  it('shows markup as Telegram does, and runs nothing that a bot writes', async () => {
    const html =
      '<code>x</code> <a href="https://example.org/">l</a> <tg-spoiler>s</tg-spoiler> &lt;img src=x onerror=alert(1)&gt;';
    await bot.sendMessage(ADMIN, html, { parse_mode: 'HTML' });
    await shows(last(), 'onerror');
    const words = last().locator('.words');
    assert.equal(await words.locator('img').count(), 0);
    assert.equal(await words.locator('code').innerText(), 'x');
    assert.equal(await words.locator('a').getAttribute('href'), 'https://example.org/');
    await words.locator('.spoiler').click();
    assert.equal(await words.locator('.spoiler.open').count(), 1);

    const entities = [{ type: 'text_link', offset: 0, length: 4, url: 'javascript:alert(1)' }];
    await bot.sendMessage(ADMIN, 'trap', { entities });
    await shows(last(), 'trap');
    assert.equal(await last().locator('a').getAttribute('href'), null);
  });

  it('lists the commands on "/" and sends the chosen one', async () => {
    await bot.setMyCommands([
      { command: 'status', description: 'Ringkasan' },
      { command: 'services', description: 'Layanan' },
      { command: 'help', description: 'Bantuan' },
    ]);
    await page.locator('#command-button').waitFor();
    await page.locator('#input').fill('/s');
    const options = page.locator('#commands button');
    assert.deepEqual(await options.allInnerTexts(), ['/status\nRingkasan', '/services\nLayanan']);
    await page.locator('#input').press('ArrowDown');
    await page.locator('#input').press('Enter');
    await until(() => heard.some(({ text }) => text === '/services'));
    await page.locator('#commands').waitFor({ state: 'hidden' });
  });

  it('shows the keyboard below the chat, until the bot takes it away', async () => {
    const keyboard = [['📊 Status', '🧰 Kontrol'], ['💾 Backup']];
    await bot.sendMessage(ADMIN, 'menu', { reply_markup: { keyboard } });
    const keys = page.locator('#keyboard .key');
    await keys.first().waitFor();
    assert.deepEqual(await keys.allInnerTexts(), keyboard.flat());
    await keys.nth(2).click();
    await until(() => heard.some(({ text }) => text === '💾 Backup'));
    await bot.sendMessage(ADMIN, 'no menu', { reply_markup: { remove_keyboard: true } });
    await page.locator('#keyboard').waitFor({ state: 'hidden' });
  });

  it('marks silent messages, quotes what is answered, and lets deleted ones vanish', async () => {
    const first = await bot.sendMessage(ADMIN, 'pertama', { disable_notification: true });
    await shows(last(), 'pertama');
    assert.equal(await last().locator('.silent').count(), 1);
    const answer = await bot.sendMessage(ADMIN, 'kedua', { reply_to_message_id: first.message_id });
    await shows(last(), 'kedua');
    assert.match(await last().locator('.quote').innerText(), /Potion\s+pertama/);
    await bot.deleteMessage(ADMIN, answer.message_id);
    await page.locator(`[data-id="${answer.message_id}"]`).waitFor({ state: 'detached' });
  });

  it('a person can answer a message', async () => {
    await bot.sendMessage(ADMIN, 'Yakin mau restart? Balas YA');
    await shows(last(), 'Yakin');
    await last().locator('.bubble').dblclick();
    await say('YA');
    await until(() => heard.some(({ text }) => text === 'YA'));
    await shows(last(), 'YA');
    assert.match(await last().locator('.quote').innerText(), /Yakin mau restart/);
  });

  it('an alert that answers a button waits for OK', async () => {
    bot.on('callback_query', (query) => {
      if (query.data === 'alert')
        void bot.answerCallbackQuery(query.id, { text: 'Hati-hati!', show_alert: true });
    });
    await bot.sendMessage(ADMIN, 'x', inline('Bahaya', 'alert'));
    await page.getByRole('button', { name: 'Bahaya' }).click();
    const dialog = page.getByRole('dialog');
    await shows(dialog, 'Hati-hati!');
    await dialog.getByRole('button').click();
    await dialog.waitFor({ state: 'hidden' });
  });

  it('documents can be saved, photos are seen, files can be sent', async () => {
    await bot.sendDocument(
      ADMIN,
      Buffer.from('lines'),
      {},
      { filename: 'app.log', contentType: 'text/plain' },
    );
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.locator('.document').last().click(),
    ]);
    assert.equal(download.suggestedFilename(), 'app.log');
    assert.equal(readFileSync(await download.path(), 'utf8'), 'lines');

    await bot.sendPhoto(ADMIN, DOT, { caption: 'titik' }, { filename: 'dot.png', contentType: 'image/png' });
    await shows(last(), 'titik');
    const width = () =>
      last()
        .locator('img')
        .evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth);
    await until(async () => (await width()) === 1);

    await page
      .locator('#attach')
      .setInputFiles({ name: 'catatan.txt', mimeType: 'text/plain', buffer: Buffer.from('x') });
    await until(() => heard.some(({ document }) => document === 'catatan.txt'));
    await shows(last(), 'catatan.txt');
  });

  it('a stranger has a chat of their own, and the admin sees nothing of it', async () => {
    const before = await bubbles().count();
    await play('Orang asing');
    await page.locator('#stranger-hint').waitFor();
    await page.locator('.empty').waitFor();
    await say('/status');
    await until(() => heard.some(({ from, text }) => from === 999_999_001 && text === '/status'));
    // The bot may hear of it before the page has drawn it.
    await shows(last(), '/status');
    assert.equal(await bubbles().count(), 1);

    await bot.sendMessage(ADMIN, 'sementara itu');
    await until(async () => /^\(1\) laptop/.test(await page.title()));
    assert.equal(await bubbles().count(), 1, 'what goes to the admin is not shown here');
    await play('Admin');
    await shows(last(), 'sementara itu');
    assert.equal(await bubbles().count(), before + 1);
    assert.doesNotMatch(await page.title(), /^\(/);
  });

  it('follows new messages at the end, but not a person who reads further up', async () => {
    for (let n = 0; n < 30; n++) await bot.sendMessage(ADMIN, `baris ${n}`);
    await shows(last(), 'baris 29');
    const log = page.locator('#log');
    const fromEnd = () =>
      log.evaluate((element) => {
        const { scrollHeight, scrollTop, clientHeight } = element as unknown as Record<string, number>;
        return (scrollHeight ?? 0) - (scrollTop ?? 0) - (clientHeight ?? 0);
      });
    await until(async () => (await fromEnd()) < 5);
    await log.evaluate((element) => element.scrollTo(0, 0));
    await page.locator('#down').waitFor();
    await bot.sendMessage(ADMIN, 'baru');
    await page.locator('#down-count').filter({ hasText: '1' }).waitFor();
    assert.ok((await fromEnd()) > 500);
    await page.locator('#down').click();
    await until(async () => (await fromEnd()) < 5);
  });

  it('fits a wide window: the people stand beside the chat', async () => {
    await page.setViewportSize({ width: 1280, height: 800 });
    assert.deepEqual(await page.locator('.person strong').allInnerTexts(), ['Admin', 'Orang asing']);
    assert.equal(await page.locator('#switch').isVisible(), false);
    await page.setViewportSize({ width: 390, height: 844 });
    const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
    assert.equal(overflow, 0, 'nothing sticks out on a phone');
  });

  it('asked no other machine for anything, and no script failed', () =>
    assert.deepEqual(browser.troubles, []));

  it('finds back by itself after Potion was killed and started again, with the chat as it was', async () => {
    await say('sebelum');
    await sleep(1300);
    // In this order: the client waits for the poll that is open, which ends with Potion.
    const stopped = bot.stopPolling({ cancel: true });
    await potion.kill();
    await stopped;
    await page.locator('#lost').waitFor();
    const { port, dataDir, flowsDir } = potion;
    potion = await startPotion({ env: NO_BOT, port, dataDir, flowsDir });
    await page.locator('#lost').waitFor({ state: 'hidden', timeout: 15_000 });
    await shows(last(), 'sebelum');
    await connectBot();
    await say('sesudah');
    await until(() => heard.some(({ text }) => text === 'sesudah'));
  });
});

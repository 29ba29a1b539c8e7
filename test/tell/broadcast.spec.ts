import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { setConfig } from '../../nodes/kit/config.js';
import { type Database, openDatabase } from '../../nodes/state/database.js';
import {
  blocked,
  cut,
  hang,
  parseError,
  reset,
  type Sandbox,
  serverError,
  tooMany,
} from '../../ops/sandbox/server.js';
import type { Running } from '../support/node-red.ts';
import { startTelegram } from '../support/telegram.ts';
import { startTelegramTab } from '../support/telegram-tab.ts';

const AUTHOR = 100_001;
const OTHERS = [200_002, 300_003];
const ADMINS = [AUTHOR, ...OTHERS];

describe('broadcast, on Potion’s own Telegram tab', () => {
  let telegram: Sandbox;
  let db: Database;
  let flow: Running;

  const start = async (outbox: object = {}) => {
    const env = { ADMIN_IDS: ADMINS.join(',') };
    flow = await startTelegramTab(telegram.url, env, db, { 'tg-outbox': outbox });
  };
  beforeEach(async () => {
    telegram = await startTelegram();
    db = await openDatabase(':memory:');
  });
  afterEach(async () => {
    const stopped = flow.stop();
    await telegram.stop();
    await stopped;
    await db.destroy();
    setConfig(undefined);
  });

  const meet = (people = OTHERS) => {
    for (const user of people) telegram.say('/start', { user });
  };
  const heard = (text: RegExp, chat = AUTHOR, ms = 8000) =>
    telegram.waitFor((message) => message.chat.id === chat && text.test(message.text ?? ''), ms);
  const copies = (chat: number) =>
    telegram
      .chatLog(chat)
      .filter(({ what, message }) => what === 'sent' && /📣 Siaran/.test(message.text ?? '')).length;
  const ask = async (text: string) => {
    telegram.say(text);
    return heard(/^Yakin mau/);
  };
  const confirmed = async (text: string) => {
    const question = await ask(text);
    telegram.press(question.message_id, '✅ Ya');
    return question;
  };
  const states = async () => {
    const rows = await db.selectFrom('broadcast_targets').selectAll().orderBy('target').execute();
    return rows.map(({ state, error }) => (error ? `${state} (${error})` : state));
  };

  it('shows the text and how many get it, then reaches every admin once and says so in one message', async () => {
    await start();
    meet();
    const question = await confirmed('/broadcast Server <mati> sebentar\njam 22.00 & hidup lagi');
    assert.match(
      question.text ?? '',
      /siaran ini ke 3 admin:\n“Server <mati> sebentar\njam 22.00 & hidup lagi”\?/,
    );
    const told = await heard(/^📣 3 dari 3 terkirim ✅$/);
    assert.equal(told.message_id, question.message_id);
    assert.equal(told.reply_markup, undefined);
    for (const chat of OTHERS) {
      const got = await heard(/Siaran dari admin 100001/, chat);
      assert.match(got.text ?? '', /rumah\n\nServer <mati> sebentar\njam 22.00 & hidup lagi$/);
    }
    assert.deepEqual(ADMINS.map(copies), [1, 1, 1]);
    assert.deepEqual(await states(), ['sent', 'sent', 'sent']);
    const audited = await db.selectFrom('audit').selectAll().execute();
    assert.ok(audited.some(({ event, result }) => event === 'broadcast' && result === '3 of 3 sent'));
  });

  it('goes by its Indonesian name, and wants a text', async () => {
    await start();
    telegram.say('/siar');
    await heard(/message belum disebut/);
    telegram.say('/broadcast_stop');
    await heard(/job belum disebut/);
    telegram.say('/broadcast_stop nothing');
    await heard(/Tidak ada lagi yang bisa dihentikan/);
    telegram.say(`/broadcast ${'x'.repeat(3501)}`);
    await heard(/siarannya kepanjangan: 3\.501 karakter\n👉 Paling panjang 3\.500/);
    await ask('/siar halo semua');
  });

  it('sends nothing without a yes', async () => {
    await start();
    meet();
    const question = await ask('/broadcast halo');
    telegram.press(question.message_id, '❌ Batal');
    await heard(/^Oke, batal/);
    assert.deepEqual([ADMINS.map(copies), await states()], [[0, 0, 0], []]);
  });

  it('fails a blocked chat with the reason, and a person who never wrote to the bot', async () => {
    await start();
    meet([200_002]);
    await heard(/./, 200_002);
    telegram.block(true, 200_002);
    await confirmed('/broadcast halo');
    const told = await heard(/^📣 1 dari 3 terkirim, 2 gagal:/);
    assert.match(told.text ?? '', /❌ 200002 — chat-nya tertutup.*blocked by the user/);
    assert.match(told.text ?? '', /❌ 300003 — chat-nya tertutup.*chat not found/);
  });

  it('fails a blocked chat also when other messages wait there', async () => {
    await start();
    meet();
    telegram.faults.add(blocked(), { chat: 200_002 });
    flow.give('tg-outbox', {
      payload: [{ chat: 200_002, html: 'an alert', kind: 'alert', at: Date.now() }],
    });
    for (let turn = 0; turn < 200; turn++) {
      const row = await db.selectFrom('outbox').selectAll().where('error', 'is not', null).executeTakeFirst();
      if (row) break;
      await sleep(10);
    }
    await confirmed('/broadcast halo');
    await heard(/^📣 2 dari 3 terkirim, 1 gagal:/);
  });

  it('sends again what Telegram has refused for the moment, or what never had a connection', async () => {
    await start();
    meet();
    const question = await ask('/broadcast halo');
    telegram.faults.add(tooMany(1), { chat: 200_002, method: 'sendMessage', times: 1 });
    telegram.faults.add(parseError(), { chat: 300_003, method: 'sendMessage', times: 1 });
    telegram.press(question.message_id, '✅ Ya');
    await heard(/^📣 3 dari 3 terkirim ✅/);
    assert.deepEqual(ADMINS.map(copies), [1, 1, 1]);
  });

  it('waits while Telegram refuses connections, and then reaches everyone once', async () => {
    await start();
    meet();
    const question = await ask('/broadcast halo');
    telegram.press(question.message_id, '✅ Ya');
    for (let turn = 0; turn < 500; turn++) {
      if (await db.selectFrom('broadcast_jobs').selectAll().executeTakeFirst()) break;
      await sleep(1);
    }
    await telegram.faults.down(1500);
    await heard(/^📣 \d dari 3 terkirim/, AUTHOR, 12_000);
    await heard(/^📣 [23] dari 3 terkirim( ✅|, 1 gagal)/, AUTHOR, 12_000);
    for (const chat of ADMINS) assert.ok(copies(chat) <= 1);
  }).timeout(30_000);

  for (const [what, fault, arrives] of [
    ['the connection is cut after Telegram has it', cut, 1],
    ['the connection is cut before Telegram has it', reset, 0],
    ['Telegram answers with a page of trouble', serverError(502), 0],
    ['Telegram never answers', hang, 0],
  ] as const)
    it(`does not send it a second time when ${what}: its author reads that it may have arrived`, async () => {
      await start({ answerWithin: 1 });
      meet();
      await heard(/./, 200_002);
      await heard(/./, 300_003);
      const question = await ask('/broadcast halo');
      telegram.faults.add(fault, { chat: 200_002, method: 'sendMessage', times: 1 });
      telegram.press(question.message_id, '✅ Ya');
      const told = await heard(/^📣 2 dari 3 terkirim, 1 gagal:/);
      assert.match(told.text ?? '', /❌ 200002 — belum tentu sampai/);
      assert.deepEqual(ADMINS.map(copies), [1, arrives, 1]);
      await sleep(1500);
      assert.deepEqual(ADMINS.map(copies), [1, arrives, 1]);
    }).timeout(15_000);

  it('can be stopped while Telegram is out of reach', async () => {
    await start();
    meet();
    await confirmed('/broadcast satu');
    await heard(/^📣 3 dari 3/);
    await db
      .insertInto('broadcast_jobs')
      .values({
        id: 'j',
        request: JSON.stringify({
          id: 'j',
          user: AUTHOR,
          chat: AUTHOR,
          command: 'broadcast',
          args: [],
          startedAt: 1,
        }),
        text: 'dua',
        created_at: Date.now(),
        ended_at: null,
      })
      .execute();
    await db
      .insertInto('broadcast_targets')
      .values({ job: 'j', target: 200_002, state: 'pending', error: null, updated_at: 1 })
      .execute();
    telegram.say('/broadcast_stop j');
    await heard(/1 kiriman yang belum berangkat aku batalkan/);
    await heard(/200002 — kamu hentikan/);
    assert.equal(copies(200_002), 1);
  });
});

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readConfig, setConfig } from '../../nodes/kit/config.js';
import { type Database, openDatabase } from '../../nodes/state/database.js';
import type { Press, Sandbox } from '../../ops/sandbox/server.js';
import type { Running } from '../support/node-red.ts';
import { botNode, deliveryNodes, PERSON, startTelegram, telegramFlow } from '../support/telegram.ts';

const STRANGER = 666;

const say = (id: string, text: string, more: object = {}) => ({
  id,
  type: 'potion-say',
  z: 'tab',
  textType: 'template',
  to: 'asker',
  chat: '',
  kind: 'auto',
  silent: false,
  editPressed: true,
  fileAbove: 0,
  buttons: '',
  keyboard: false,
  text,
  wires: [['outbox']],
  ...more,
});

/** The whole way of a command, from Telegram to Telegram, with its own sender for pressed buttons. */
const nodes = (url: string) => [
  botNode(url, { updatemode: 'polling' }),
  {
    id: 'receiver',
    type: 'telegram receiver',
    z: 'tab',
    bot: 'bot',
    handleallupdates: true,
    wires: [['gate'], ['gate']],
  },
  { id: 'gate', type: 'potion-gate', z: 'tab', wires: [['say'], ['spinner']] },
  {
    id: 'spinner',
    type: 'telegram sender',
    z: 'tab',
    bot: 'bot',
    haserroroutput: true,
    outputs: 2,
    wires: [[], []],
  },
  {
    id: 'cmd-svc',
    type: 'potion-command',
    z: 'tab',
    command: 'svc',
    args: '<stop|restart> <unit>',
    changes: true,
    wires: [['confirm']],
  },
  {
    id: 'confirm',
    type: 'potion-confirm',
    z: 'tab',
    action: '{{ payload.action }} {{ payload.unit }}',
    ttl: 5,
    wires: [['did', 'done'], ['say']],
  },
  { id: 'did', type: 'helper', z: 'tab' },
  { id: 'cmd-slow', type: 'potion-command', z: 'tab', command: 'slow', wires: [['slow']] },
  { id: 'slow', type: 'helper', z: 'tab', wires: [] },
  say('done', 'beres: {{ payload.unit }}'),
  say('say', ''),
  { id: 'catch', type: 'catch', z: 'tab', wires: [['say']] },
  ...deliveryNodes(),
];

describe('a command, from the chat to the chat', () => {
  let home: string;
  let telegram: Sandbox;
  let db: Database;
  let flow: Running;

  const start = async () => {
    const paths = ['gate', 'command', 'confirm', 'say', 'outbox'].map((name) => `tell/${name}`);
    flow = await telegramFlow(paths, nodes(telegram.url), db);
    setConfig(readConfig({ ADMIN_IDS: String(PERSON), SERVICES_WHITELIST: 'nginx' }, home));
  };
  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'potion-commands-'));
    telegram = await startTelegram();
    db = await openDatabase(':memory:');
    await start();
  });
  afterEach(async () => {
    // The bot's close waits for its long poll, up to 10 s; the server's end cuts that short.
    const stopped = flow.stop();
    await telegram.stop();
    await stopped;
    await db.destroy();
    rmSync(home, { recursive: true });
  });

  const arrives = (text: RegExp, ms = 5000) =>
    telegram.waitFor((message) => text.test(message.text ?? ''), ms);
  const fromBot = (chat?: number) =>
    telegram
      .messages(chat)
      .filter(({ from }) => from?.is_bot)
      .map(({ text }) => text);
  const answered = async (press: Press) => {
    for (let turn = 0; turn < 200 && !press.answer; turn++) await sleep(10);
    return press.answer?.text;
  };
  const audit = async () =>
    (await db.selectFrom('audit').selectAll().orderBy('id').execute()).map((row) =>
      [row.user_id, row.event, row.action, row.result].join(' '),
    );

  it('is asked about, pressed, done, and told where the question stood', async () => {
    telegram.say('/svc restart nginx');
    const question = await arrives(/^Yakin mau restart nginx\.service\?/);
    const press = telegram.press(question.message_id, '✅ Ya');
    assert.equal(await answered(press), 'Sip, aku kerjakan ✅');
    const result = await arrives(/^beres: nginx\.service$/);
    assert.equal(result.message_id, question.message_id);
    assert.equal(result.reply_markup, undefined);
    assert.deepEqual(fromBot(), ['beres: nginx.service']);
    assert.deepEqual(await audit(), [
      `${PERSON} request svc accepted`,
      `${PERSON} confirm svc asked`,
      `${PERSON} confirm svc yes`,
      `${PERSON} result svc ok`,
    ]);
  });

  it('is called off with a press, and the question says so', async () => {
    telegram.say('/svc stop nginx');
    const question = await arrives(/^Yakin/);
    await answered(telegram.press(question.message_id, '❌ Batal'));
    const result = await arrives(/^Oke, batal/);
    assert.equal(result.message_id, question.message_id);
    assert.deepEqual(flow.got('did'), []);
  });

  it('expires: the question then says so and has no buttons any more', async () => {
    telegram.say('/svc stop nginx');
    const question = await arrives(/^Yakin/);
    const expired = await arrives(/kedaluwarsa/, 8000);
    assert.equal(expired.message_id, question.message_id);
    assert.equal(expired.reply_markup, undefined);
    assert.deepEqual(flow.got('did'), []);
  }).timeout(15_000);

  it('that takes long says so after a second, and the result takes the place of that', async () => {
    telegram.say('/slow');
    const processing = await arrives(/^Oke, lagi aku cek dulu/);
    const [msg] = flow.got('slow');
    flow.give('done', { ...msg, payload: { unit: 'slow' } });
    const result = await arrives(/^beres: slow$/);
    assert.equal(result.message_id, processing.message_id);
    assert.deepEqual(fromBot(), ['beres: slow']);
  });

  it('with wrong arguments is answered with its usage', async () => {
    telegram.say('/svc restart sshd');
    const answer = await arrives(/sshd tidak ada di daftar layanan/);
    assert.match(answer.text ?? '', /Yang boleh: nginx\.service/);
    telegram.say('/svc explode nginx');
    await arrives(/Begini caranya: \/svc <stop\|restart> <unit>/);
    assert.ok((await audit()).includes(`${PERSON} result svc DENIED`));
  });

  it('of a stranger is not even answered, nor are their presses', async () => {
    telegram.say('/svc restart nginx');
    const question = await arrives(/^Yakin/);
    telegram.say('/svc restart nginx', { user: STRANGER });
    const press = telegram.press(question.message_id, '✅ Ya', { user: STRANGER });
    telegram.say('/nothing');
    await arrives(/belum kenal perintah/);
    assert.deepEqual(fromBot(STRANGER), []);
    assert.equal(press.answer, undefined);
    assert.deepEqual(flow.got('did'), []);
    const refused = (await audit()).filter((line) => line.startsWith(String(STRANGER)));
    assert.deepEqual(refused, [`${STRANGER} refused message stranger`]);
  });

  it('that Telegram delivers again after a restart is not done again', async () => {
    telegram.say('/svc restart nginx');
    const question = await arrives(/^Yakin/);
    telegram.press(question.message_id, '✅ Ya');
    await arrives(/^beres/);
    await flow.stop();
    telegram.redeliver();
    await start();
    telegram.say('/nothing');
    await arrives(/belum kenal perintah/);
    assert.deepEqual(flow.got('did'), []);
    assert.deepEqual(
      (await audit()).filter((line) => line.endsWith('duplicate')),
      [`${PERSON} refused message duplicate`],
    );
  }).timeout(30_000);
});

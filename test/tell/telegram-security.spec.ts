import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import fc from 'fast-check';
import {
  ADMIN,
  FLOW,
  type House,
  NOW,
  OTHER_ADMIN,
  openHouse,
  payloadOf,
  STRANGER,
} from '../support/door.ts';
import { updates } from '../support/updates.ts';

const require = createRequire(import.meta.url);
const TOKEN = `4242:${'S'.repeat(35)}`;

// telegrambot as a careful person would set it up: only the admin's chat and user name are allowed.
const TELEGRAM = [
  {
    id: 'bot',
    type: 'telegram bot',
    botname: 'potion',
    updatemode: 'send',
    usernames: 'admin',
    chatids: String(ADMIN),
  },
  {
    id: 'receiver',
    z: 'tab',
    x: 1,
    y: 1,
    type: 'telegram receiver',
    bot: 'bot',
    hasinput: true,
    handleallupdates: true,
    wires: [
      ['gate', 'let-in'],
      ['gate', 'kept-out'],
    ],
  },
  { id: 'let-in', z: 'tab', x: 1, y: 1, type: 'helper' },
  { id: 'kept-out', z: 'tab', x: 1, y: 1, type: 'helper' },
];

const OTHERS = {
  nodes: [require('node-red-contrib-telegrambot/telegrambot/99-telegrambot.js')],
  credentials: { bot: { token: TOKEN } },
};

const date = NOW / 1000;
const privateChat = (id: number) => ({ id, type: 'private' });
const admin = { id: ADMIN, is_bot: false, first_name: 'Admin', username: 'admin' };
const nameless = { id: STRANGER, is_bot: false, first_name: 'Nobody' };
const named = { ...nameless, username: 'mallory' };
const group = { id: -100, type: 'group', title: 'Group' };

describe('the gate behind a real telegrambot receiver', () => {
  let house: House;
  let updateId = 1;
  beforeEach(async () => {
    house = await openHouse([...FLOW, ...TELEGRAM], {}, OTHERS);
    house.clock.advance(10_000);
  });
  afterEach(() => house.stop());

  const deliver = async (...some: object[]) => {
    for (const update of some) house.flow.give('receiver', { payload: { update_id: updateId++, ...update } });
    await house.all('say');
  };
  const nothingHappened = async () => {
    for (const node of ['say', 'presses', 'asked', 'done', 'looked', 'did'])
      assert.deepEqual(await house.all(node), [], node);
  };

  it('serves the admin', async () => {
    await deliver({ message: { message_id: 1, date, from: admin, chat: privateChat(ADMIN), text: '/look' } });
    assert.equal((await house.all('looked')).length, 1);
  });

  const holes: [string, object][] = [
    [
      'a stranger without a user name',
      { message: { message_id: 1, date, from: nameless, chat: privateChat(STRANGER), text: '/now' } },
    ],
    [
      'anyone in a group without a public name',
      { message: { message_id: 1, date, from: named, chat: group, text: '/now' } },
    ],
    [
      'a stranger without a user name who presses a button',
      {
        callback_query: {
          id: '1',
          from: nameless,
          message: { message_id: 1, date, chat: privateChat(STRANGER) },
          data: '/now',
          chat_instance: '1',
        },
      },
    ],
    [
      'a stranger who presses a button of an inline message',
      {
        callback_query: { id: '1', from: nameless, inline_message_id: 'i', data: '/now', chat_instance: '1' },
      },
    ],
    [
      'a channel that the bot was added to',
      { channel_post: { message_id: 1, date, chat: { id: -5, type: 'channel' }, text: '/now' } },
    ],
  ];
  for (const [who, update] of holes)
    it(`refuses ${who}, whom the receiver lets in`, async () => {
      await deliver(update);
      assert.equal(
        (await house.all('let-in')).length,
        1,
        'telegrambot has closed this hole: say so in the facts',
      );
      await nothingHappened();
      const lines = await house.audit();
      assert.equal(lines.length, 1);
      assert.match(
        lines[0] ?? '',
        /^(666|-) refused (message|callback_query|channel_post) .*(stranger|no-sender)$/,
      );
    });

  it('refuses whom the receiver keeps out, too: both of its outputs lead here', async () => {
    const chat = { ...privateChat(STRANGER), username: 'mallory' };
    await deliver({
      message: { message_id: 1, date, from: named, chat, text: '/now' },
    });
    assert.equal((await house.all('kept-out')).length, 1);
    await nothingHappened();
    assert.deepEqual(await house.audit(), ['666 refused message /now stranger']);
  });

  it('stands 600 random updates of admins and strangers: no crash, nothing done without right', async () => {
    const some = fc.sample(updates([ADMIN, OTHER_ADMIN, STRANGER], NOW), { numRuns: 600, seed: 7 });
    const mayAct = new Set<unknown>();
    const pressed = new Set<unknown>();
    for (const [i, msg] of some.entries()) {
      const origin = msg.originalMessage as { from?: { id?: unknown }; id?: unknown } | undefined;
      if (origin?.from?.id === ADMIN || origin?.from?.id === OTHER_ADMIN) {
        mayAct.add(origin.from.id);
        pressed.add(origin.id);
      }
      house.flow.give('gate', msg);
      // Else the allowance of the admins would end the test after its first updates.
      if (i % 10 === 9) {
        await house.all('say');
        house.clock.advance(6000);
      }
    }
    const acted = (
      await Promise.all(['asked', 'looked', 'did', 'say'].map((node) => house.all(node)))
    ).flat();
    assert.ok(acted.length > 20, `only ${acted.length} did anything`);
    for (const { request } of acted) {
      assert.ok(request);
      assert.ok(mayAct.has(request.user));
      assert.equal(request.chat, request.user);
    }
    const ended = (await house.all('presses')).map((msg) => payloadOf<{ callbackQueryId: string }>(msg));
    assert.ok(ended.length > 20, `only ${ended.length} presses were answered`);
    for (const { callbackQueryId } of ended) assert.ok(pressed.has(callbackQueryId));
    const failures = (await house.all('failed')).map((msg) => msg.error?.cause?.code);
    for (const code of failures)
      assert.ok(code === 'INVALID' || code === 'DENIED', `a command failed with ${code}`);
    for (const line of house.log())
      assert.match(line, /^\d{4}-\d\d-\d\dT\S+ user=(42|43|666|-) event=\w+ action=/);
  }).timeout(30_000);
});

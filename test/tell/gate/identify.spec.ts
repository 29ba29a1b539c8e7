import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { CommandSpec } from '../../../nodes/kit/door.js';
import { Door } from '../../../nodes/kit/door.js';
import type { Message } from '../../../nodes/kit/messages.js';
import { decide } from '../../../nodes/tell/gate/decide.js';
import { identify, type Refusal, type Update } from '../../../nodes/tell/gate/identify.js';
import { printable } from '../../../nodes/tell/gate/parse.js';
import { message, press, received, updates } from '../../support/updates.ts';

const ADMIN = 42;
const STRANGER = 666;
const NOW = Date.UTC(2026, 0, 1);
const RULES = { adminIds: [ADMIN], groups: false };

const refused = (msg: Message, rules = RULES) => (identify(msg, rules) as Refusal).refused;

describe('who may pass the gate', () => {
  it('an admin in their private chat, with a text', () => {
    assert.deepEqual(identify(message(ADMIN, '/status', 7, NOW), RULES), {
      id: `42:7:${NOW / 1000}`,
      user: ADMIN,
      chat: ADMIN,
      messageId: 7,
      text: '/status',
      sentAt: NOW,
      forwarded: false,
      group: false,
    });
  });

  it('an admin who presses a button', () => {
    const { press: id, ...rest } = identify(press(ADMIN, '/status', '8001', 12), RULES) as Update;
    assert.equal(id, '8001');
    assert.deepEqual(rest, {
      id: 'cb:8001',
      user: ADMIN,
      chat: ADMIN,
      messageId: 12,
      text: '/status',
      carriedAt: 1000,
      forwarded: false,
      group: false,
    });
  });

  it('nobody when no admin is set', () => {
    assert.equal(refused(message(ADMIN, '/status', 1, NOW), { adminIds: [], groups: true }), 'stranger');
  });

  const group = { chat: { id: -100, type: 'supergroup' } };
  const cases: [string, Message, string][] = [
    ['a stranger', message(STRANGER, '/status', 1, NOW), 'stranger'],
    [
      'a stranger with an admin’s user name',
      message(STRANGER, '/status', 1, NOW, { from: { id: STRANGER, is_bot: false, username: 'admin' } }),
      'stranger',
    ],
    ['a stranger who presses a button', press(STRANGER, '/status', '1'), 'stranger'],
    [
      'a stranger who presses a button in an admin’s chat',
      press(STRANGER, '/status', '1', 5, {
        message: { message_id: 5, date: 1, chat: { id: ADMIN, type: 'private' } },
      }),
      'stranger',
    ],
    [
      'an id that only looks like an admin’s',
      message(ADMIN, '/x', 1, NOW, { from: { id: '42', is_bot: false } }),
      'no-sender',
    ],
    ['a message without a sender', message(ADMIN, '/x', 1, NOW, { from: undefined }), 'no-sender'],
    [
      'a channel post',
      received('channel_post', { message_id: 1, date: 1, chat: { id: -100, type: 'channel' }, text: '/x' }),
      'no-sender',
    ],
    [
      'a channel post that names an admin',
      received('channel_post', {
        message_id: 1,
        date: 1,
        from: { id: ADMIN, is_bot: false },
        chat: { id: -100, type: 'channel' },
        text: '/x',
      }),
      'event',
    ],
    [
      'an anonymous admin of a group',
      message(ADMIN, '/x', 1, NOW, { ...group, sender_chat: { id: -100 } }),
      'anonymous',
    ],
    ['a bot', message(ADMIN, '/x', 1, NOW, { from: { id: ADMIN, is_bot: true } }), 'bot'],
    ['a text made by another bot', message(ADMIN, '/x', 1, NOW, { via_bot: { id: 9 } }), 'via-bot'],
    ['a message in a group', message(ADMIN, '/x', 1, NOW, group), 'group'],
    [
      'an edited message',
      received('edited_message', {
        message_id: 1,
        date: 1,
        edit_date: 2,
        from: { id: ADMIN, is_bot: false },
        chat: { id: ADMIN, type: 'private' },
        text: '/x',
      }),
      'edited',
    ],
    ['an edit that comes as a message', message(ADMIN, '/x', 1, NOW, { edit_date: 2 }), 'edited'],
    [
      'a business account’s customer',
      received('business_message', {
        message_id: 1,
        date: 1,
        from: { id: ADMIN, is_bot: false },
        chat: { id: 5, type: 'private' },
        text: '/x',
      }),
      'business',
    ],
    [
      'a private chat that is somebody else’s',
      message(ADMIN, '/x', 1, NOW, { chat: { id: 5, type: 'private' } }),
      'malformed',
    ],
    ['a message without a date', message(ADMIN, '/x', 1, NOW, { date: undefined }), 'malformed'],
    ['a text longer than Telegram carries', message(ADMIN, '/x '.repeat(10_000), 1, NOW), 'malformed'],
    [
      'a photo',
      message(ADMIN, '', 1, NOW, { text: undefined, photo: [{ file_id: 'f', width: 1, height: 1 }] }),
      'no-text',
    ],
    [
      'a reaction',
      received('message_reaction', {
        message_id: 1,
        date: 1,
        from: { id: ADMIN, is_bot: false },
        chat: { id: ADMIN, type: 'private' },
      }),
      'event',
    ],
    [
      'a button of an inline message, which has no chat',
      press(ADMIN, '/x', '1', 1, { message: undefined, inline_message_id: 'i' }),
      'malformed',
    ],
    [
      'a raw update, which telegrambot can pass on as well',
      { payload: { type: 'update', content: {} } },
      'malformed',
    ],
    ['nothing at all', {}, 'malformed'],
  ];
  for (const [who, msg, reason] of cases) it(`not ${who}`, () => assert.equal(refused(msg), reason));

  it('an admin in a group, where that is allowed, but still no stranger', () => {
    const rules = { adminIds: [ADMIN], groups: true };
    const update = identify(message(ADMIN, '/x', 1, NOW, group), rules) as Update;
    assert.equal(update.chat, -100);
    assert.equal(update.group, true);
    assert.equal(refused(message(STRANGER, '/x', 1, NOW, group), rules), 'stranger');
    const channel = { chat: { id: -100, type: 'channel' } };
    assert.equal(refused(message(ADMIN, '/x', 1, NOW, channel), rules), 'group');
  });

  it('a redelivered update is the same, another bot’s message of the same number is not', () => {
    const id = (msg: Message) => (identify(msg, RULES) as Update).id;
    assert.equal(id(message(ADMIN, '/x', 7, NOW)), id(message(ADMIN, '/x', 7, NOW)));
    assert.notEqual(id(message(ADMIN, '/x', 7, NOW)), id(message(ADMIN, '/x', 7, NOW + 60_000)));
  });

  it('nobody but an admin gets anything run, in 15,000 random updates', () => {
    const door = new Door();
    const spec = { aliases: [], order: 1, description: '', usage: '' };
    const commands: CommandSpec[] = [
      { ...spec, name: 'svc', changes: true },
      { ...spec, name: 'look', changes: false, button: { id: '📊 Status' } },
    ];
    for (const command of commands) door.register(command, () => {});
    let passed = 0;
    let run = 0;
    fc.assert(
      fc.property(updates([ADMIN, 43, STRANGER], NOW), fc.boolean(), fc.boolean(), (msg, groups, backlog) => {
        const update = identify(msg, { adminIds: [ADMIN, 43], groups });
        if ('refused' in update) return;
        passed++;
        const origin = msg.originalMessage as Record<string, Record<string, unknown>>;
        assert.ok(update.user === ADMIN || update.user === 43);
        assert.equal(origin.from?.id, update.user);
        assert.ok(!origin.from?.is_bot);
        const carrier = (update.press ? origin.message : origin) as Record<string, Record<string, unknown>>;
        assert.equal(carrier.chat?.id, update.chat);
        if (!groups) assert.equal(update.chat, update.user);
        if (!update.press)
          for (const sign of ['sender_chat', 'via_bot', 'edit_date', 'business_connection_id'])
            assert.equal(origin[sign], undefined);

        const decision = decide(update, { door, now: NOW, backlog });
        if (decision.do !== 'run') return;
        run++;
        assert.ok(!update.forwarded);
        assert.match(printable(update.text), /^\s*\/|Status/);
        if (decision.spec.changes && update.sentAt !== undefined)
          assert.ok(Math.abs(NOW - update.sentAt) <= 120_000);
      }),
      { numRuns: 15_000 },
    );
    // The generator must reach what it is for.
    assert.ok(passed > 500, `only ${passed} passed`);
    assert.ok(run > 50, `only ${run} ran`);
  }).timeout(60_000);
});

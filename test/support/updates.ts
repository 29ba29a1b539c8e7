import { createRequire } from 'node:module';
import fc from 'fast-check';
import type { Message } from '../../nodes/kit/messages.js';

const require = createRequire(import.meta.url);
const converter = require('node-red-contrib-telegrambot/telegrambot/lib/converter.js');

type Facts = Record<string, unknown>;

/** What telegrambot's receiver sends for an update of this kind, built by its own converter. */
export function received(kind: string, origin: Facts): Message {
  const { chatid } = converter.getUserInfo(origin);
  return {
    payload: converter.convertMessage(kind, chatid, origin),
    originalMessage: origin,
    telegramBot: { botname: 'potion', testEnvironment: false, baseApiUrl: 'http://127.0.0.1:1' },
  };
}

/** A person writes to the bot in their private chat. @param at epoch ms */
export function message(user: number, text: string, id: number, at: number, more: Facts = {}): Message {
  return received('message', {
    message_id: id,
    date: Math.floor(at / 1000),
    from: { id: user, is_bot: false, first_name: 'A' },
    chat: { id: user, type: 'private' },
    text,
    ...more,
  });
}

/** A person presses a button below a message of the bot. */
export function press(user: number, data: string, id: string, messageId = 900, more: Facts = {}): Message {
  return received('callback_query', {
    id,
    from: { id: user, is_bot: false, first_name: 'A' },
    message: { message_id: messageId, date: 1, chat: { id: user, type: 'private' } },
    chat_instance: '1',
    data,
    ...more,
  });
}

const KINDS = [
  ...['message', 'edited_message', 'channel_post', 'edited_channel_post', 'business_message'],
  ...['callback_query', 'inline_query', 'chosen_inline_result', 'message_reaction', 'poll', 'poll_answer'],
  ...['my_chat_member', 'chat_member', 'chat_join_request', 'shipping_query', 'pre_checkout_query'],
];

const HOSTILE_TEXT = fc.oneof(
  fc.constantFrom(
    ...[
      '/svc restart nginx',
      '/look',
      '/SVC@Other x',
      'YA',
      'no',
      '📊 Status',
      '',
      '/',
      '/svc "',
      '#1',
      'ok:1',
    ],
    ...['/svc --version', '/svc ; rm -rf /', '/svc $(id)', '/svc ../../etc', '\u202e/svc', '/svc\u0000nginx'],
    ...['/constructor', '/__proto__', '/toString', '/svc\nuser=42 event=result'],
  ),
  fc.string({ unit: 'binary', maxLength: 100 }),
  fc.string({ unit: 'grapheme', maxLength: 40 }).map((text) => `/svc ${text}`),
  fc.string({ maxLength: 64 }).map((text) => `ok:${text}`),
  fc.string({ maxLength: 64 }).map((text) => `#${text}`),
  fc.integer({ min: 4000, max: 20_000 }).map((length) => `/svc ${'x'.repeat(length)}`),
);

/** Values that are not what Telegram documents. */
const ODD = fc.constantFrom<unknown>(
  ...[undefined, null, true, false, 0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60],
  ...['', '42', '42 ', {}, [], [42], { id: 42 }, { valueOf: 42 }],
);

function mostly<T>(good: fc.Arbitrary<T>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 9, arbitrary: good }, { weight: 1, arbitrary: ODD });
}

/**
 * Updates as anyone could send or forge them: most well-formed, all kinds, from the given people, with the
 * signs of forwarding, of other bots and of anonymous admins, and some with a value that makes no sense.
 */
export function updates(people: readonly number[], now: number): fc.Arbitrary<Message> {
  const person = fc.constantFrom(...people);
  const from = fc.record(
    {
      id: mostly(person),
      is_bot: fc.oneof({ weight: 9, arbitrary: fc.constant<unknown>(false) }, { weight: 1, arbitrary: ODD }),
      first_name: fc.string({ maxLength: 8 }),
      username: fc.string({ maxLength: 8 }),
    },
    { requiredKeys: ['id', 'is_bot'] },
  );
  const chat = fc.record({
    id: mostly(fc.oneof(person, fc.constant(-100_123))),
    type: mostly(
      fc.oneof(
        { weight: 5, arbitrary: fc.constant('private') },
        fc.constantFrom('group', 'supergroup', 'channel'),
      ),
    ),
  });
  const date = mostly(fc.integer({ min: -600, max: 60 }).map((seconds) => Math.floor(now / 1000) + seconds));
  const signs = fc.record(
    {
      sender_chat: fc.constant({ id: -100_123 }),
      via_bot: fc.constant({ id: 7 }),
      forward_origin: fc.constant({ type: 'hidden_user' }),
      forward_date: fc.constant(1),
      edit_date: fc.constant(1),
      business_connection_id: fc.constant('b'),
      photo: fc.constant([]),
    },
    { requiredKeys: [] },
  );
  const plain = fc.constant<Facts>({});
  const origin = fc
    .tuple(
      fc.record({
        message_id: mostly(fc.integer({ min: 1, max: 400 })),
        id: mostly(fc.integer({ min: 1, max: 400 }).map((id) => `q${id}`)),
        date,
        from: mostly(from),
        chat: mostly(chat),
        text: mostly(HOSTILE_TEXT),
        data: mostly(HOSTILE_TEXT.map((text) => text.slice(0, 64))),
        message: mostly(fc.record({ message_id: fc.integer({ min: 1, max: 400 }), chat, date })),
      }),
      fc.oneof({ weight: 4, arbitrary: plain }, signs),
      // In most private chats the chat is the person's own.
      fc.boolean(),
    )
    .map(([facts, sign, own]) => (own ? inOwnChat({ ...facts, ...sign }) : { ...facts, ...sign }));
  const kind = fc.oneof(
    { weight: 4, arbitrary: fc.constant('message') },
    { weight: 3, arbitrary: fc.constant('callback_query') },
    fc.constantFrom(...KINDS),
  );
  return fc.tuple(kind, origin).map(([kind, origin]) => asReceived(kind, origin));
}

function inOwnChat(origin: Facts): Facts {
  const id = (origin.from as Facts | undefined)?.id;
  const chat = { id, type: 'private' };
  return { ...origin, chat, message: { message_id: 5, date: 1, chat } };
}

// A callback query has no chat, a message no data; the converter throws on some of what makes no sense, then
// nothing arrives, but the gate must stand that too.
function asReceived(kind: string, facts: Facts): Message {
  const { chat, text, message_id, id, data, message, ...rest } = facts;
  const origin =
    kind === 'callback_query' ? { ...rest, id, data, message } : { ...rest, chat, text, message_id };
  try {
    return received(kind, origin);
  } catch {
    return { payload: { type: kind, content: text }, originalMessage: origin };
  }
}

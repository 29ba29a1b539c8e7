import type { Message } from '../../kit/messages.js';

/** What a person sent: typed text, or the data of a pressed button. */
export interface Update {
  /** The same when Telegram delivers it again. */
  id: string;
  user: number;
  chat: number;
  /** A message's text or a button's data. */
  text: string;
  /** Epoch ms as Telegram stamped it; a press has no time of its own. */
  sentAt?: number;
  /** Epoch ms at which the message with the pressed button got its words: no press of it can be older. */
  carriedAt?: number;
  /** The message itself, or the one that carries the pressed button. */
  messageId: number;
  /** Id of the callback query, to end the spinner on the phone. */
  press?: string;
  /** Passed on from elsewhere: words that the person need not have chosen. */
  forwarded: boolean;
  /** In a chat with others, where a command may be meant for another bot. */
  group: boolean;
}

/** Why an update goes no further. */
export type Reason =
  | 'malformed' // not the shape that Telegram documents
  | 'no-sender' // nobody answers for it: channels, polls, counters
  | 'stranger' // not on the list of admins
  | 'bot'
  | 'anonymous' // sent in the name of a chat
  | 'via-bot' // written by another bot on the person's behalf
  | 'business' // a business account's conversation with somebody else
  | 'edited'
  | 'group' // in a chat with others, where the gate is not set to listen
  | 'no-text' // a photo, a sticker, a service message
  | 'duplicate' // it has been through the gate before
  | 'event'; // nothing that a person says: reactions, memberships …

/** An update that goes no further, with what the audit log is to know of it. */
export interface Refusal {
  refused: Reason;
  user: number | null;
  /** Telegram's kind of update. */
  kind: string;
  /** The beginning of what it said. */
  said: string;
  /** Id of the callback query. */
  press?: string;
}

export interface Rules {
  adminIds: readonly number[];
  /** Listen in groups too. */
  groups: boolean;
}

/** UTF-16 units. Telegram's limit is 4096 characters; more did not come from there. */
const LONGEST_TEXT = 8192;

/**
 * Who sent this, and what. `from.id` of the original update is the only identity there is, and whatever is not
 * certain is refused: telegrambot lets updates through for which it has no user name (see its `isAnonymous`),
 * so nothing of its own judgement counts here.
 */
export function identify(msg: Message, rules: Rules): Update | Refusal {
  const origin = record(msg.originalMessage);
  const kind = String(record(msg.payload)?.type ?? 'unknown').slice(0, 40);
  if (!origin) return { refused: 'malformed', user: null, kind, said: '' };

  const from = record(origin.from);
  const user = identity(from?.id);
  const press = kind === 'callback_query' && typeof origin.id === 'string' ? origin.id : undefined;
  const said =
    typeof origin.text === 'string' ? origin.text : typeof origin.data === 'string' ? origin.data : '';
  const refuse = (refused: Reason): Refusal => ({
    refused,
    user,
    kind,
    said: said.slice(0, 64).toWellFormed(),
    press,
  });

  if (user === null) return refuse('no-sender');
  if (!rules.adminIds.includes(user)) return refuse('stranger');
  if (from?.is_bot !== undefined && from.is_bot !== false) return refuse('bot');
  if (kind === 'callback_query') return pressOf(origin, user, rules, refuse);
  if (kind === 'edited_message' || has(origin, 'edit_date')) return refuse('edited');
  if (kind.includes('business') || has(origin, 'business_connection_id')) return refuse('business');
  if (EVENTS.has(kind)) return refuse('event');
  return messageOf(origin, user, rules, refuse);
}

/** Kinds that telegrambot's receiver passes on which are no messages of a person. */
const EVENTS = new Set([
  'unknown',
  'update',
  'channel_post',
  'edited_channel_post',
  'message_reaction',
  'message_reaction_count',
  'inline_query',
  'chosen_inline_result',
  'shipping_query',
  'pre_checkout_query',
  'purchased_paid_media',
  'poll',
  'poll_answer',
  'my_chat_member',
  'chat_member',
  'chat_join_request',
  'chat_boost',
  'removed_chat_boost',
]);

type Facts = Record<string, unknown>;
type Refuse = (reason: Reason) => Refusal;

function messageOf(origin: Facts, user: number, rules: Rules, refuse: Refuse): Update | Refusal {
  if (has(origin, 'sender_chat')) return refuse('anonymous');
  if (has(origin, 'via_bot')) return refuse('via-bot');
  const place = placeOf(origin, user, rules, refuse);
  if ('refused' in place) return place;
  const { date, text } = origin;
  if (typeof date !== 'number' || !Number.isSafeInteger(date) || date <= 0) return refuse('malformed');
  if (typeof text !== 'string') return refuse('no-text');
  if (text.length > LONGEST_TEXT) return refuse('malformed');
  return {
    ...place,
    id: `${place.chat}:${place.messageId}:${date}`,
    user,
    text,
    sentAt: date * 1000,
    forwarded: FORWARDED.some((sign) => has(origin, sign)),
  };
}

/** `forward_origin` since Bot API 7.0, the others before. */
const FORWARDED = [
  'forward_origin',
  'forward_date',
  'forward_from',
  'forward_from_chat',
  'forward_sender_name',
  'is_automatic_forward',
];

function pressOf(origin: Facts, user: number, rules: Rules, refuse: Refuse): Update | Refusal {
  const carrier = record(origin.message);
  const { id, data } = origin;
  if (typeof id !== 'string' || !/^[\w-]{1,64}$/.test(id)) return refuse('malformed');
  if (!carrier || typeof data !== 'string' || data.length > 256) return refuse('malformed');
  const place = placeOf(carrier, user, rules, refuse);
  if ('refused' in place) return place;
  const carriedAt = Math.max(seconds(carrier.date), seconds(carrier.edit_date)) * 1000;
  return { ...place, id: `cb:${id}`, user, text: data, carriedAt, press: id, forwarded: false };
}

function placeOf(carrier: Facts, user: number, rules: Rules, refuse: Refuse) {
  const chat = record(carrier.chat);
  const { message_id } = carrier;
  if (typeof chat?.id !== 'number' || !Number.isSafeInteger(chat.id)) return refuse('malformed');
  if (typeof message_id !== 'number' || !Number.isSafeInteger(message_id)) return refuse('malformed');
  const place = { chat: chat.id, messageId: message_id };
  // In a private chat the chat's id is the person's own.
  if (chat.type === 'private') return chat.id === user ? { ...place, group: false } : refuse('malformed');
  const group = chat.type === 'group' || chat.type === 'supergroup';
  return group && rules.groups ? { ...place, group: true } : refuse('group');
}

function identity(id: unknown): number | null {
  return typeof id === 'number' && Number.isSafeInteger(id) && id > 0 ? id : null;
}

function seconds(date: unknown): number {
  return typeof date === 'number' && Number.isSafeInteger(date) && date > 0 ? date : 0;
}

function record(value: unknown): Facts | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Facts) : undefined;
}

function has(facts: Facts, name: string): boolean {
  return facts[name] !== undefined && facts[name] !== null && facts[name] !== false;
}

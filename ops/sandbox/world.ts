import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { CommandBook } from './commands.js';
import { FileShelf } from './files.js';
import {
  ApiError,
  badRequest,
  type Chat,
  type InlineKeyboard,
  type Message,
  plain,
  type ReplyMarkup,
  type User,
} from './telegram.js';
import { Updates } from './updates.js';

/** Messages kept per chat; older ones are forgotten. */
const KEPT_MESSAGES = 5000;
/** Milliseconds in which Telegram takes the answer to a pressed button. */
const QUERY_LIFETIME = 15 * 60_000;

/** A message with what the Bot API itself doesn't tell about it. */
export interface Entry {
  message: Message;
  /** By the bot, not by a person. */
  own: boolean;
  /** Sent with `disable_notification`. */
  silent: boolean;
  /** A keyboard below the chat, or its removal, that came with it. */
  markup?: Exclude<ReplyMarkup, InlineKeyboard>;
}

export interface Room {
  chat: Chat;
  /** By message id, oldest first. */
  entries: Map<number, Entry>;
  /** The bot may not write here. */
  blocked: boolean;
}

/** What became of a pressed button. */
export interface Press {
  id: string;
  user: number;
  at: number;
  answer?: { text?: string; alert: boolean; at: number };
}

/** What happens in the chats. */
interface WorldEvents {
  /** The bot wrote. */
  sent: [entry: Entry];
  /** A person wrote. */
  said: [entry: Entry];
  edited: [entry: Entry];
  deleted: [entry: Entry];
  /** A person pressed an inline button. */
  pressed: [press: Press, message: Message];
  /** The bot answered a pressed button. */
  answered: [press: Press];
  /** The bot shows that it is busy, e.g. `typing`. */
  action: [chat: number, action: string];
  /** The bot's list of commands has changed. */
  commands: [];
}

/**
 * Everything that Telegram would remember: chats, messages, files, commands, waiting updates. It outlives the
 * server that speaks for it, so that a sandbox can be stopped and started again as an outage.
 *
 * Ids start from the clock's seconds, so that a new world never repeats those of an earlier one.
 */
export class World {
  readonly bot: User;
  readonly rooms = new Map<number, Room>();
  readonly people = new Map<number, User>();
  readonly presses = new Map<string, Press>();
  readonly files = new FileShelf();
  readonly commands = new CommandBook();
  readonly events = new EventEmitter<WorldEvents>();
  readonly updates: Updates;
  /** Epoch ms. */
  readonly now: () => number;
  #nextMessage: number;

  /** @param firstMessage lowest id of the next message, where older ones are known */
  constructor(token: string, now: () => number = Date.now, firstMessage = 0) {
    this.now = now;
    this.events.setMaxListeners(0);
    const id = Number(token.split(':')[0]);
    this.bot = { id, is_bot: true, first_name: 'Potion', username: 'potion_sandbox_bot' };
    this.#nextMessage = Math.max(firstMessage, Math.floor(now() / 1000));
    this.updates = new Updates(Math.floor(now() / 1000));
  }

  /** A person whom the bot may write to, as after their first `/start`. */
  meet(person: User): Room {
    this.people.set(person.id, person);
    const { is_bot: _, language_code: __, ...name } = person;
    return this.enter({ type: 'private', ...name });
  }

  enter(chat: Chat): Room {
    const known = this.rooms.get(chat.id);
    if (known) return known;
    const room = { chat, entries: new Map(), blocked: false };
    this.rooms.set(chat.id, room);
    return room;
  }

  /** @throws ApiError when the bot knows no such chat, or may not write there */
  room(chatId: string | undefined): Room {
    if (!chatId) throw badRequest('chat_id is empty');
    const name = chatId.startsWith('@') ? chatId.slice(1).toLowerCase() : undefined;
    const room = name
      ? [...this.rooms.values()].find(
          ({ chat }) => chat.type !== 'private' && chat.username?.toLowerCase() === name,
        )
      : this.rooms.get(Number(chatId));
    if (!room) throw badRequest('chat not found');
    return room;
  }

  /** @throws ApiError 403 as well when the person has blocked the bot */
  openRoom(chatId: string | undefined): Room {
    const room = this.room(chatId);
    if (room.blocked)
      throw new ApiError(
        403,
        room.chat.type === 'private'
          ? 'Forbidden: bot was blocked by the user'
          : `Forbidden: bot was kicked from the ${room.chat.type} chat`,
      );
    return room;
  }

  /** Adds a message and gives it the next id. */
  add(room: Room, from: User, content: Partial<Message>, rest: Partial<Entry> = {}): Entry {
    const message = plain<Message>({
      message_id: this.#nextMessage++,
      from,
      chat: room.chat,
      date: this.seconds(),
      ...content,
    });
    const entry: Entry = { message, own: from.id === this.bot.id, silent: false, ...rest };
    room.entries.set(message.message_id, entry);
    if (room.entries.size > KEPT_MESSAGES) room.entries.delete(room.entries.keys().next().value as number);
    return entry;
  }

  press(message: Message, from: User, data: string | undefined): Press {
    const id = String(randomBytes(8).readBigUInt64BE() >> 1n);
    const press: Press = { id, user: from.id, at: this.now() };
    this.presses.set(id, press);
    if (this.presses.size > KEPT_MESSAGES) this.presses.delete(this.presses.keys().next().value as string);
    this.updates.add({
      callback_query: { id, from, message, chat_instance: String(message.chat.id * 7919), data },
    });
    return press;
  }

  /** @throws ApiError when the query is unknown, too old or answered already */
  pendingPress(id: string | undefined): Press {
    const press = this.presses.get(id ?? '');
    if (!press || press.answer || this.now() - press.at > QUERY_LIFETIME)
      throw badRequest('query is too old and response timeout expired or query ID is invalid');
    return press;
  }

  seconds(): number {
    return Math.floor(this.now() / 1000);
  }
}

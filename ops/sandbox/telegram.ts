// The part of Telegram's Bot API (https://core.telegram.org/bots/api) that the sandbox speaks, as types.

export interface User {
  id: number;
  is_bot: boolean;
  first_name: string;
  last_name?: string;
  username?: string;
  language_code?: string;
}

export interface Chat {
  id: number;
  type: 'private' | 'group' | 'supergroup' | 'channel';
  title?: string;
  username?: string;
  first_name?: string;
  last_name?: string;
}

/** `offset` and `length` count UTF-16 code units, as a JavaScript string does. */
export interface MessageEntity {
  type:
    | 'bold'
    | 'italic'
    | 'underline'
    | 'strikethrough'
    | 'spoiler'
    | 'code'
    | 'pre'
    | 'blockquote'
    | 'expandable_blockquote'
    | 'text_link'
    | 'text_mention'
    | 'custom_emoji'
    | 'bot_command'
    | 'url'
    | 'mention';
  offset: number;
  length: number;
  url?: string;
  user?: User;
  language?: string;
  custom_emoji_id?: string;
}

export interface InlineButton {
  text: string;
  callback_data?: string;
  url?: string;
  [action: string]: unknown;
}

export interface InlineKeyboard {
  inline_keyboard: InlineButton[][];
}

export interface ReplyKeyboard {
  keyboard: { text: string; [action: string]: unknown }[][];
  resize_keyboard?: boolean;
  is_persistent?: boolean;
  one_time_keyboard?: boolean;
  input_field_placeholder?: string;
}

export type ReplyMarkup =
  | InlineKeyboard
  | ReplyKeyboard
  | { remove_keyboard: true }
  | { force_reply: true; input_field_placeholder?: string };

export interface FileFacts {
  file_id: string;
  file_unique_id: string;
  file_size: number;
}

export interface PhotoSize extends FileFacts {
  width: number;
  height: number;
}

export interface Document extends FileFacts {
  file_name?: string;
  mime_type?: string;
}

export interface Message {
  message_id: number;
  from?: User;
  chat: Chat;
  /** Seconds since the epoch, like every time in the Bot API. */
  date: number;
  edit_date?: number;
  text?: string;
  entities?: MessageEntity[];
  caption?: string;
  caption_entities?: MessageEntity[];
  document?: Document;
  photo?: PhotoSize[];
  reply_to_message?: Message;
  reply_markup?: InlineKeyboard;
  forward_origin?: { type: 'user'; sender_user: User; date: number };
}

export interface CallbackQuery {
  id: string;
  from: User;
  message?: Message;
  chat_instance: string;
  data?: string;
}

interface ChatMemberUpdated {
  chat: Chat;
  from: User;
  date: number;
  old_chat_member: { user: User; status: string };
  new_chat_member: { user: User; status: string; until_date?: number };
}

export interface Update {
  update_id: number;
  message?: Message;
  edited_message?: Message;
  callback_query?: CallbackQuery;
  my_chat_member?: ChatMemberUpdated;
}

export type UpdateKind = Exclude<keyof Update, 'update_id'>;

export interface BotCommand {
  command: string;
  description: string;
}

/** What the Bot API answers to every request. */
export type Answer =
  | { ok: true; result: unknown; description?: string }
  | { ok: false; error_code: number; description: string; parameters?: ErrorParameters };

export interface ErrorParameters {
  /** Seconds. */
  retry_after?: number;
  migrate_to_chat_id?: number;
}

/** A refusal in the Bot API's own words. */
export class ApiError extends Error {
  readonly code: number;
  readonly parameters: ErrorParameters | undefined;

  constructor(code: number, description: string, parameters?: ErrorParameters) {
    super(description);
    this.name = 'ApiError';
    this.code = code;
    this.parameters = parameters;
  }
}

/** 400 with Telegram's usual beginning. */
export function badRequest(why: string): ApiError {
  return new ApiError(400, `Bad Request: ${why}`);
}

/** A copy as it goes over the wire: what is undefined is absent. */
export function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value));
}

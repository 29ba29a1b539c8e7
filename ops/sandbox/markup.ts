import { linkTarget } from './html.js';
import type { Params } from './request.js';
import { badRequest, type InlineButton, type InlineKeyboard, type ReplyMarkup } from './telegram.js';

/** Bytes of callback_data, https://core.telegram.org/bots/api#inlinekeyboardbutton. */
const CALLBACK_DATA_LIMIT = 64;
const BUTTON_LIMIT = 100;

/** The `reply_markup` of a call, checked as Telegram checks it. */
export function replyMarkup(params: Params): ReplyMarkup | undefined {
  const markup = params.json<Record<string, unknown>>('reply_markup', 'reply keyboard markup');
  if (markup === undefined) return undefined;
  if (typeof markup !== 'object' || Array.isArray(markup))
    throw badRequest('object expected as reply markup');
  if ('inline_keyboard' in markup) return inlineKeyboard(markup.inline_keyboard);
  if ('keyboard' in markup) return { ...markup, keyboard: replyButtons(markup.keyboard) };
  if (markup.remove_keyboard === true) return { remove_keyboard: true };
  if (markup.force_reply === true) return { ...markup, force_reply: true };
  return undefined;
}

/** Only an inline keyboard can be given to a message that exists. */
export function inlineMarkup(params: Params): InlineKeyboard | undefined {
  const markup = replyMarkup(params);
  if (markup === undefined) return undefined;
  if (!('inline_keyboard' in markup)) throw badRequest('inline keyboard expected');
  return markup.inline_keyboard.length > 0 ? markup : undefined;
}

function inlineKeyboard(value: unknown): InlineKeyboard {
  const rows = rowsOf(value, 'inline_keyboard', 'InlineKeyboardButton').map((row) => row.map(inlineButton));
  if (rows.flat().length > BUTTON_LIMIT) throw badRequest('reply markup is too long');
  return { inline_keyboard: rows.filter((row) => row.length > 0) };
}

function inlineButton(value: unknown): InlineButton {
  const trouble = "can't parse inline keyboard button";
  if (typeof value !== 'object' || value === null)
    throw badRequest(`${trouble}: InlineKeyboardButton must be an Object`);
  const button = value as InlineButton;
  if (typeof button.text !== 'string') throw badRequest(`${trouble}: Field "text" must be of type String`);
  if (button.text.trim() === '') throw badRequest('inline keyboard button text must be non-empty');
  const { callback_data: data, url } = button;
  if (typeof data === 'string' && data !== '') {
    if (Buffer.byteLength(data) > CALLBACK_DATA_LIMIT) throw badRequest('BUTTON_DATA_INVALID');
  } else if (typeof url === 'string' && url !== '') {
    if (!linkTarget(url)) throw badRequest(`inline keyboard button URL '${url}' is invalid: Wrong HTTP URL`);
  } else if (Object.keys(button).length === 1 || data !== undefined || url !== undefined) {
    throw badRequest(`${trouble}: Text buttons are unallowed in the inline keyboard`);
  }
  return button;
}

function replyButtons(value: unknown): { text: string }[][] {
  return rowsOf(value, 'keyboard', 'KeyboardButton').map((row) =>
    row.map((button) => {
      const text = typeof button === 'string' ? button : (button as { text?: unknown } | null)?.text;
      if (typeof text !== 'string')
        throw badRequest('can\'t parse keyboard button: Field "text" must be of type String');
      if (text.trim() === '') throw badRequest('keyboard button text must be non-empty');
      return typeof button === 'string' ? { text } : { ...(button as object), text };
    }),
  );
}

function rowsOf(value: unknown, field: string, what: string): unknown[][] {
  if (!Array.isArray(value)) throw badRequest(`field "${field}" of the reply markup must be of type Array`);
  for (const row of value)
    if (!Array.isArray(row)) throw badRequest(`field "${field}" must be an Array of Arrays of ${what}`);
  return value as unknown[][];
}

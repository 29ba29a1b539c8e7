import { type Language, render } from '../../kit/locale.js';
import { cut, plain } from '../../kit/telegram-html.js';
import type { Taken } from '../../state/outbox-delivery.js';
import type { Digest, StoredDraft } from '../../state/outbox-digest.js';
import type { Form } from './next-step.js';
import { splitHtml } from './split-html.js';

/** A call of node-telegram-bot-api, made through the sender node's `callApi`. */
export interface Call {
  method:
    | 'sendMessage'
    | 'editMessageText'
    | 'sendDocument'
    | 'sendPhoto'
    | 'deleteMessage'
    | 'editMessageReplyMarkup';
  args: unknown[];
}

/**
 * The call as the sender node takes it. `callApi` because its other types cut at 4000 characters through the
 * markup, and after a 429 lose one file and send the next one twice.
 * @param lane calls of one lane are made one after the other
 */
export function methodPayload({ method, args }: Call, lane: string) {
  return { type: 'callApi', method, args, chatId: lane };
}

/** One Telegram message out of a draft. */
export interface Part {
  html: string;
  file?: NonNullable<StoredDraft['file']>;
}

/** Telegram's limits in UTF-16 units after the markup is read, less room for the stamp of a late message. */
const STAMP_ROOM = 160;
const TEXT_LIMIT = 4096 - STAMP_ROOM;
const CAPTION_LIMIT = 1024 - STAMP_ROOM;

/** A message that arrives this many ms after what it tells says when that was. */
const LATE = 2 * 60_000;

/**
 * The Telegram messages that a draft becomes. The same draft gives the same parts at any time, so that a
 * crash in between resumes at the right one.
 */
export function partsOf(draft: StoredDraft, lang: Language): Part[] {
  const html = draft.digest ? digestText(draft.digest, draft.at, lang) : draft.html;
  const file = draft.file;
  if (file && plain(html).length <= CAPTION_LIMIT) return [{ html, file }];
  const texts = splitHtml(html, TEXT_LIMIT).map((part): Part => ({ html: part }));
  if (file) return [{ html: '', file }, ...texts];
  // Telegram refuses an empty message; a person should still see that there was one.
  return texts.length > 0 ? texts : [{ html: '…' }];
}

/** The call that delivers one part. */
export function callFor(
  taken: Taken,
  part: Part & { index: number; last: boolean },
  form: Form,
  lang: Language,
  now: number,
): Call {
  const { chat, draft } = taken;
  const html = part.index === 0 ? stamped(draft, part.html, lang, now) : part.html;
  if (form.bare) return { method: 'sendMessage', args: [chat, bareText(html, part, lang), silence(draft)] };
  const text = form.plain ? plain(html) : html;
  const markup = {
    ...(form.plain ? {} : { parse_mode: 'HTML' }),
    ...(part.last ? buttons(draft) : {}),
  };
  const target = editTarget(taken, part.index, form);
  const noPreview = { link_preview_options: { is_disabled: true } };
  if (target !== undefined)
    return {
      method: 'editMessageText',
      args: [text, { chat_id: chat, message_id: target, ...markup, ...noPreview }],
    };
  const options = { ...silence(draft), ...markup, ...answer(taken, part.index, form) };
  if (!part.file) return { method: 'sendMessage', args: [chat, text, { ...options, ...noPreview }] };
  const { file } = part;
  const content = file.base64 === undefined ? file.path : Buffer.from(file.base64, 'base64');
  return {
    method: isPhoto(part) && !form.asDocument ? 'sendPhoto' : 'sendDocument',
    args: [chat, content, { ...options, ...(text ? { caption: text } : {}) }, { filename: file.name }],
  };
}

/** Whether a part goes as a picture that the chat shows. */
export function isPhoto(part: Part): boolean {
  return part.file !== undefined && /\.(png|jpe?g)$/i.test(part.file.name);
}

/** Whether the call edits another message or answers one. */
export function refers(taken: Taken, index: number, form: Form): boolean {
  return editTarget(taken, index, form) !== undefined || 'reply_parameters' in answer(taken, index, form);
}

/** The message that this part edits; a file or a keyboard below the chat can't be put into an old message. */
export function editTarget({ draft, slotMessage }: Taken, index: number, form: Form): number | undefined {
  if (index > 0 || draft.reply || draft.file || draft.keyboard || form.anew || form.bare) return undefined;
  return draft.edit ?? slotMessage;
}

/**
 * Takes away the PROCESSING text of a request whose answer could not be put in its place, because it is a file
 * or went into the message of the pressed button.
 * @param edited the message that the answer was put into
 */
export function leftover({ chat, draft, slotMessage }: Taken, edited: number | undefined): Call | undefined {
  const isAnswer = draft.request !== undefined && !draft.interim && !draft.overwrite;
  if (!isAnswer || slotMessage === undefined || slotMessage === edited) return undefined;
  return { method: 'deleteMessage', args: [chat, slotMessage] };
}

/**
 * Takes the buttons away from the question that the first message of a request settles, as where it was answered
 * by a word. A question that the message itself has replaced has none any more.
 * @param edited the message that it was put into
 */
export function settled(
  { chat, slotMessage, settledMessage }: Taken,
  edited: number | undefined,
): Call | undefined {
  if (settledMessage === undefined || settledMessage === edited || slotMessage !== undefined)
    return undefined;
  const message = { chat_id: chat, message_id: settledMessage };
  return { method: 'editMessageReplyMarkup', args: [{ inline_keyboard: [] }, message] };
}

function answer({ draft, slotMessage }: Taken, index: number, form: Form) {
  if (!draft.reply || slotMessage === undefined || index > 0 || form.anew) return {};
  return { reply_parameters: { message_id: slotMessage, allow_sending_without_reply: true } };
}

function silence(draft: StoredDraft) {
  return draft.silent ? { disable_notification: true } : {};
}

function buttons({ inline, keyboard }: StoredDraft) {
  if (inline && inline.length > 0) return { reply_markup: { inline_keyboard: inline } };
  if (!keyboard || keyboard.length === 0) return {};
  const rows = keyboard.map((row) => row.map((text) => ({ text })));
  return { reply_markup: { keyboard: rows, resize_keyboard: true, is_persistent: true } };
}

function stamped(draft: StoredDraft, html: string, lang: Language, now: number): string {
  if (draft.digest || now - draft.at <= LATE) return html;
  const key = draft.until === undefined ? 'outbox.late' : 'outbox.late-span';
  return `${render(lang, key, { at: draft.at, until: draft.until })}\n${html}`;
}

function bareText(html: string, part: Part, lang: Language): string {
  const text = plain(html);
  if (!part.file) return cut(text, 4096);
  return cut(`${text}\n${plain(render(lang, 'outbox.no-file', { name: part.file.name }))}`.trim(), 4096);
}

function digestText(digest: Digest, at: number, lang: Language): string {
  const alerts = digest.entries.filter((entry) => entry.kind === 'alert');
  const notices = digest.entries.filter((entry) => entry.kind !== 'alert');
  const lines = (entries: Digest['entries']) =>
    entries.map((entry) => render(lang, 'outbox.digest-line', entry)).join('\n');
  return [
    render(lang, 'outbox.digest', {
      at,
      until: Math.max(at, ...digest.entries.map((entry) => entry.over ?? entry.at)),
      alerts: alerts.length + digest.moreAlerts,
      notices: notices.length + digest.moreNotices,
    }),
    lines(alerts),
    digest.moreAlerts > 0 ? render(lang, 'outbox.digest-more-alerts', { count: digest.moreAlerts }) : '',
    lines(notices),
    digest.moreNotices > 0 ? render(lang, 'outbox.digest-more-notices', { count: digest.moreNotices }) : '',
    digest.dropped > 0 ? render(lang, 'outbox.digest-dropped', { count: digest.dropped }) : '',
  ]
    .filter(Boolean)
    .join('\n');
}

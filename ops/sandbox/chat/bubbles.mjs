import { make } from './dom.mjs';
import { formatted } from './entities.mjs';
import { file } from './link.mjs';
import { clock, size, t } from './texts.mjs';

/**
 * One message as it is shown.
 * @param entry the sandbox's entry: message, own (by the bot), silent
 * @param actions what can be done with it: say, press, reply, jump, trouble
 */
export function bubble(entry, actions) {
  const { message, own } = entry;
  const { text, entities, caption, caption_entities, document: attached, photo } = message;
  const body = make('div', { class: `bubble${photo ? ' with-photo' : ''}` });
  if (message.reply_to_message) body.append(quote(message.reply_to_message, actions));
  if (photo) body.append(picture(photo.at(-1), actions));
  if (attached) body.append(attachment(attached, actions));
  const words = text ?? caption;
  if (words)
    body.append(make('div', { class: 'words' }, formatted(words, entities ?? caption_entities, actions.say)));
  body.append(meta(entry));
  if (isOnlyEmoji(words, entry)) body.classList.add('emoji-only');
  const row = make('article', {
    class: `message ${own ? 'theirs' : 'mine'}`,
    'data-id': message.message_id,
    ondblclick: () => actions.reply(entry),
  });
  row.append(body);
  if (message.reply_markup) row.append(inlineKeyboard(message, actions));
  return row;
}

/** The line above the input, and the quote in an answer: what is being answered. */
export function summary(message) {
  if (message.text || message.caption)
    return (message.text ?? message.caption).replace(/\s+/g, ' ').slice(0, 90);
  if (message.photo) return t('photo');
  return message.document?.file_name ?? t('deletedQuote');
}

function quote(original, actions) {
  return make(
    'button',
    { type: 'button', class: 'quote', onclick: () => actions.jump(original.message_id) },
    make('strong', {}, original.from?.is_bot ? original.from.first_name : t('you')),
    make('span', {}, summary(original)),
  );
}

function meta({ message, silent }) {
  const line = make('span', { class: 'meta' });
  if (silent) line.append(make('span', { class: 'silent', title: t('silent') }, '🔕'));
  if (message.edit_date) line.append(make('span', { class: 'edited' }, t('edited')));
  line.append(make('time', { datetime: new Date(message.date * 1000).toISOString() }, clock(message.date)));
  return line;
}

function isOnlyEmoji(words, { message }) {
  if (!words || message.reply_markup || message.photo || message.document) return false;
  return /^(?:\p{Extended_Pictographic}\ufe0f?){1,3}$/u.test(words);
}

function inlineKeyboard(message, actions) {
  const rows = message.reply_markup.inline_keyboard.map((row) =>
    make('div', { class: 'keys-row' }, ...row.map((button) => inlineButton(button, message, actions))),
  );
  return make('div', { class: 'inline-keys' }, ...rows);
}

function inlineButton({ text, url, callback_data }, message, actions) {
  if (url)
    return make('a', { class: 'key link', href: url, target: '_blank', rel: 'noopener noreferrer' }, text);
  return make(
    'button',
    {
      type: 'button',
      class: 'key',
      'data-data': callback_data,
      onclick: ({ currentTarget }) => actions.press(message, callback_data, currentTarget),
    },
    text,
  );
}

function attachment({ file_id, file_name = 'file', file_size }, actions) {
  const extension = /\.([a-z\d]{1,4})$/i.exec(file_name)?.[1] ?? '…';
  return make(
    'button',
    {
      type: 'button',
      class: 'document',
      onclick: () => save(file_id, file_name).catch(() => actions.trouble(t('gone'))),
    },
    make('span', { class: 'document-icon' }, extension),
    make(
      'span',
      { class: 'document-facts' },
      make('strong', {}, file_name),
      make('small', {}, size(file_size)),
    ),
  );
}

async function save(id, name) {
  const url = URL.createObjectURL(await file(id));
  make('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Object addresses of photos, so that an edit doesn't fetch them again. */
const pictures = new Map();

function picture({ file_id, width, height }, actions) {
  const image = make('img', { class: 'photo', alt: t('photo'), width, height });
  if (!pictures.has(file_id))
    pictures.set(
      file_id,
      file(file_id).then((blob) => URL.createObjectURL(blob)),
    );
  pictures.get(file_id).then(
    (url) => {
      image.src = url;
    },
    () => pictures.delete(file_id),
  );
  image.addEventListener('click', () => save(file_id, 'photo').catch(() => actions.trouble(t('gone'))));
  return image;
}

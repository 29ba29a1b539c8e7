import { facts, pictureSize, type StoredFile } from '../files.js';
import { replyMarkup } from '../markup.js';
import { type Params, UPLOAD_LIMIT } from '../request.js';
import { ApiError, badRequest, type Message, type MessageEntity } from '../telegram.js';
import { botText } from '../text.js';
import type { Room, World } from '../world.js';
import type { Call, Done } from './call.js';

const ACTIONS =
  /^(typing|upload_photo|record_video|upload_video|record_voice|upload_voice|upload_document|choose_sticker|find_location|record_video_note|upload_video_note)$/;

export function sendMessage(call: Call): Done {
  return post(call, textOf(call.params));
}

export function sendDocument(call: Call): Done {
  const file = fileOf(call, 'document');
  const { name, type } = file;
  return post(call, {
    document: { file_name: name, mime_type: type, ...facts(file) },
    ...captionOf(call.params),
  });
}

export function sendPhoto(call: Call): Done {
  const file = fileOf(call, 'photo');
  const size = pictureSize(file.content);
  if (!size) throw badRequest('IMAGE_PROCESS_FAILED');
  return post(call, { photo: [{ ...facts(file), ...size }], ...captionOf(call.params) });
}

export function sendChatAction({ world, params }: Call): Done {
  const room = world.openRoom(params.text('chat_id'));
  const action = params.text('action') ?? '';
  if (!ACTIONS.test(action)) throw badRequest('wrong parameter action in request');
  world.events.emit('action', room.chat.id, action);
  return { result: true };
}

export function copyMessage(call: Call): Done {
  const { text, entities, document, photo, ...source } = sourceOf(call);
  const caption = call.params.has('caption')
    ? captionOf(call.params)
    : { caption: source.caption, caption_entities: source.caption_entities };
  const { message_id } = post(call, text ? { text, entities } : { document, photo, ...caption })
    .result as Message;
  return { result: { message_id } };
}

export function forwardMessage(call: Call): Done {
  const { text, entities, caption, caption_entities, document, photo, from, date } = sourceOf(call);
  return post(call, {
    ...{ text, entities, caption, caption_entities, document, photo },
    ...(from ? { forward_origin: { type: 'user', sender_user: from, date } } : {}),
  });
}

/** The text of a call, ready to be part of a message. */
export function textOf(params: Params): Pick<Message, 'text' | 'entities'> {
  const { text, entities } = botText(
    params.text('text'),
    params.text('parse_mode'),
    params.json<MessageEntity[]>('entities', 'entities'),
    'text',
  );
  return entities.length > 0 ? { text, entities } : { text };
}

export function captionOf(params: Params): Pick<Message, 'caption' | 'caption_entities'> {
  const { text, entities } = botText(
    params.text('caption'),
    params.text('parse_mode'),
    params.json<MessageEntity[]>('caption_entities', 'caption entities'),
    'caption',
  );
  if (text === '') return {};
  return entities.length > 0 ? { caption: text, caption_entities: entities } : { caption: text };
}

function post({ world, params }: Call, content: Partial<Message>): Done {
  const room = world.openRoom(params.text('chat_id'));
  const markup = replyMarkup(params);
  const inline = markup && 'inline_keyboard' in markup ? markup : undefined;
  const entry = world.add(
    room,
    world.bot,
    {
      ...content,
      ...repliedTo(room, params),
      ...(inline && inline.inline_keyboard.length > 0 ? { reply_markup: inline } : {}),
    },
    {
      silent: params.flag('disable_notification'),
      ...(markup && !('inline_keyboard' in markup) ? { markup } : {}),
    },
  );
  world.events.emit('sent', entry);
  return { result: entry.message };
}

function repliedTo(room: Room, params: Params): Pick<Message, 'reply_to_message'> {
  const reply = params.json<{ message_id?: number; allow_sending_without_reply?: boolean }>(
    'reply_parameters',
    'reply parameters',
  ) ?? {
    message_id: params.integer('reply_to_message_id'),
    allow_sending_without_reply: params.flag('allow_sending_without_reply'),
  };
  if (!reply.message_id) return {};
  const target = room.entries.get(Number(reply.message_id))?.message;
  if (target) {
    const { reply_to_message: _, ...quoted } = target;
    return { reply_to_message: structuredClone(quoted) };
  }
  if (reply.allow_sending_without_reply) return {};
  throw badRequest('message to be replied not found');
}

function fileOf({ world, params }: Call, kind: StoredFile['kind']): StoredFile {
  const upload = params.upload(kind);
  if (upload) {
    if (upload.content.length > UPLOAD_LIMIT) throw new ApiError(413, 'Request Entity Too Large');
    return world.files.add(upload, kind);
  }
  if (!params.has(kind)) throw badRequest(`there is no ${kind} in the request`);
  const stored = world.files.get(params.text(kind));
  if (!stored) throw badRequest('wrong file identifier/HTTP URL specified');
  if (stored.kind !== kind)
    throw badRequest(`can't use file of type ${title(stored.kind)} as ${title(kind)}`);
  return stored;
}

function sourceOf({ world, params }: Call): Message {
  const room: Room = (world as World).room(params.text('from_chat_id'));
  const source = room.entries.get(params.integer('message_id') ?? 0)?.message;
  if (!source) throw badRequest('message to copy not found');
  return structuredClone(source);
}

function title(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

import { isDeepStrictEqual } from 'node:util';
import { inlineMarkup } from '../markup.js';
import { badRequest, type InlineKeyboard, type Message, plain } from '../telegram.js';
import type { Entry, Room } from '../world.js';
import type { Call, Done } from './call.js';
import { captionOf, textOf } from './send.js';

export function editMessageText(call: Call): Done {
  const text = textOf(call.params);
  const { entry } = editable(call);
  if (entry.message.text === undefined) throw badRequest('there is no text in the message to edit');
  return change(call, entry, { entities: undefined, ...text }, inlineMarkup(call.params));
}

export function editMessageCaption(call: Call): Done {
  const caption = captionOf(call.params);
  const { entry } = editable(call);
  if (entry.message.text !== undefined) throw badRequest('there is no caption in the message to edit');
  return change(
    call,
    entry,
    { caption: undefined, caption_entities: undefined, ...caption },
    inlineMarkup(call.params),
  );
}

export function editMessageReplyMarkup(call: Call): Done {
  return change(call, editable(call).entry, {}, inlineMarkup(call.params));
}

export function deleteMessage({ world, params }: Call): Done {
  const room = world.openRoom(params.text('chat_id'));
  const id = params.integer('message_id') ?? 0;
  const entry = room.entries.get(id);
  if (!entry) throw badRequest('message to delete not found');
  room.entries.delete(id);
  world.events.emit('deleted', entry);
  return { result: true };
}

function editable({ world, params }: Call): { room: Room; entry: Entry } {
  if (params.has('inline_message_id')) throw badRequest('MESSAGE_ID_INVALID');
  const room = world.openRoom(params.text('chat_id'));
  if (!params.has('message_id')) throw badRequest('message identifier is not specified');
  const entry = room.entries.get(params.integer('message_id') ?? 0);
  if (!entry) throw badRequest('message to edit not found');
  // Telegram's rule for bots: their own messages only, and none that brought a keyboard below the chat.
  if (!entry.own || entry.markup) throw badRequest("message can't be edited");
  return { room, entry };
}

function change(
  { world }: Call,
  entry: Entry,
  content: Partial<Message>,
  reply_markup: InlineKeyboard | undefined,
): Done {
  const after = plain({ ...entry.message, ...content, reply_markup });
  if (isDeepStrictEqual(after, entry.message))
    throw badRequest(
      'message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message',
    );
  // A new keyboard alone leaves no mark of an edit.
  const marked = Object.keys(content).length > 0 ? { edit_date: world.seconds() } : {};
  entry.message = { ...after, ...marked };
  world.events.emit('edited', entry);
  return { result: entry.message };
}

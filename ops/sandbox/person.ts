import { facts, pictureSize } from './files.js';
import type { Upload } from './request.js';
import type { Chat, InlineButton, Message, User } from './telegram.js';
import { personText } from './text.js';
import type { Press, Room, World } from './world.js';

/** Who acts and where; the sandbox's own user in their private chat if absent. */
export interface As {
  /** A person, or the id of one. A stranger is met by this. */
  user?: User | number;
  /** A group or the id of a known chat; the person's private chat if absent. */
  chat?: Chat | number;
}

/** As, with the person named. */
export type Acting = As & { user: User | number };

/** Turns an id into a person of whom nothing else is known. */
export function personOf(world: World, user: User | number): User {
  if (typeof user !== 'number') return user;
  return world.people.get(user) ?? { id: user, is_bot: false, first_name: `User ${user}` };
}

/** A person writes a message; the bot gets an update. */
export function say(world: World, text: string, as: Acting, replyTo?: number): Message {
  const formatted = personText(text);
  if (formatted.text === '') throw new Error('a person cannot send an empty text');
  const { entities } = formatted;
  return write(world, as, { text: formatted.text, ...(entities.length > 0 ? { entities } : {}) }, replyTo);
}

/** A person sends a file; a picture goes as a photo only if asked for, as in the app. */
export function sendFile(
  world: World,
  upload: Upload,
  as: Acting,
  { caption, photo = false }: { caption?: string; photo?: boolean } = {},
): Message {
  const size = photo ? pictureSize(upload.content) : undefined;
  const file = world.files.add(upload, size ? 'photo' : 'document');
  const text = caption ? personText(caption) : undefined;
  return write(world, as, {
    ...(size
      ? { photo: [{ ...facts(file), ...size }] }
      : { document: { file_name: upload.name, mime_type: upload.type, ...facts(file) } }),
    ...(text ? { caption: text.text } : {}),
    ...(text && text.entities.length > 0 ? { caption_entities: text.entities } : {}),
  });
}

/**
 * A person presses an inline button.
 * @param button its label or its callback data
 * @throws Error when there is no such button; that is a mistake of the caller, not of the bot
 */
export function press(world: World, messageId: number, button: string, user?: User | number): Press {
  const entry = [...world.rooms.values()].map(({ entries }) => entries.get(messageId)).find(Boolean);
  const buttons: InlineButton[] = entry?.message.reply_markup?.inline_keyboard.flat() ?? [];
  const found =
    buttons.find(({ callback_data }) => callback_data === button) ??
    buttons.find(({ text }) => text === button);
  if (!entry || !found || found.callback_data === undefined) {
    const there = buttons.map(({ text }) => `"${text}"`).join(', ') || 'none';
    throw new Error(`message ${messageId} has no button "${button}" to press; it has: ${there}`);
  }
  const person = personOf(world, user ?? entry.message.chat.id);
  const pressed = world.press(entry.message, person, found.callback_data);
  world.events.emit('pressed', pressed, entry.message);
  return pressed;
}

/** A person blocks the bot, or lets it write again; a group throws it out. */
export function block(world: World, room: Room, blocked: boolean): void {
  if (room.blocked === blocked) return;
  room.blocked = blocked;
  const [gone, there] = room.chat.type === 'private' ? ['kicked', 'member'] : ['left', 'member'];
  const states = blocked ? [there, gone] : [gone, there];
  const [before, after] = states.map((status) => ({ user: world.bot, status: status as string }));
  if (!before || !after) return;
  world.updates.add({
    my_chat_member: {
      chat: room.chat,
      from: personOf(world, room.chat.id),
      date: world.seconds(),
      old_chat_member: before,
      new_chat_member: after,
    },
  });
}

function write(world: World, as: Acting, content: Partial<Message>, replyTo?: number): Message {
  const person = personOf(world, as.user);
  const room = roomOf(world, person, as.chat);
  // Writing to a bot lifts the block, as in the app.
  if (room.chat.type === 'private') block(world, room, false);
  const target = replyTo === undefined ? undefined : room.entries.get(replyTo)?.message;
  const quote = target
    ? { reply_to_message: structuredClone({ ...target, reply_to_message: undefined }) }
    : {};
  const entry = world.add(room, person, { ...content, ...quote });
  world.events.emit('said', entry);
  world.updates.add({ message: entry.message });
  return structuredClone(entry.message);
}

function roomOf(world: World, person: User, chat: Chat | number | undefined): Room {
  world.people.set(person.id, person);
  if (typeof chat === 'object') return world.enter(chat);
  if (chat === undefined || chat === person.id) return world.meet(person);
  const room = world.rooms.get(chat);
  if (!room) throw new Error(`there is no chat ${chat} yet; give it as { id, type, title }`);
  return room;
}

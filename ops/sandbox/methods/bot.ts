import { facts } from '../files.js';
import { ApiError, badRequest, type UpdateKind } from '../telegram.js';
import type { Call, Done } from './call.js';

export function getMe({ world }: Call): Done {
  return {
    result: {
      ...world.bot,
      can_join_groups: true,
      can_read_all_group_messages: false,
      supports_inline_queries: false,
      can_connect_to_business: false,
      has_main_web_app: false,
    },
  };
}

export async function getUpdates({ world, webhook, params, signal }: Call): Promise<Done> {
  if (webhook.active)
    throw new ApiError(
      409,
      "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
    );
  world.updates.allow(params.json<UpdateKind[]>('allowed_updates', 'allowed_updates'));
  const poll = {
    offset: params.integer('offset'),
    limit: params.integer('limit'),
    timeout: params.integer('timeout'),
  };
  return { result: await world.updates.poll(poll, signal) };
}

export function setWebhook({ webhook, params }: Call): Done {
  return { result: true, description: webhook.set(params) };
}

export function deleteWebhook({ webhook, params }: Call): Done {
  return { result: true, description: webhook.set(params.only('drop_pending_updates')) };
}

export function getWebhookInfo({ webhook }: Call): Done {
  return { result: webhook.info() };
}

export function answerCallbackQuery({ world, params }: Call): Done {
  const text = params.text('text');
  if (text && text.length > 200) throw badRequest('message is too long');
  const press = world.pendingPress(params.text('callback_query_id'));
  press.answer = { text: text || undefined, alert: params.flag('show_alert'), at: world.now() };
  world.events.emit('answered', press);
  return { result: true };
}

export function getFile({ world, params }: Call): Done {
  const file = world.files.forDownload(params.text('file_id'));
  return { result: { ...facts(file), file_path: file.path } };
}

export function setMyCommands({ world, params }: Call): Done {
  world.commands.set(params);
  world.events.emit('commands');
  return { result: true };
}

export function getMyCommands({ world, params }: Call): Done {
  return { result: world.commands.get(params) };
}

export function deleteMyCommands({ world, params }: Call): Done {
  world.commands.delete(params);
  world.events.emit('commands');
  return { result: true };
}

export function getChat({ world, params }: Call): Done {
  const { chat } = world.room(params.text('chat_id'));
  return { result: { ...chat, accent_color_id: 0, max_reaction_count: 11 } };
}

/** The bot is one of two in a private chat, and an ordinary member elsewhere. */
export function getChatMember({ world, params }: Call): Done {
  world.room(params.text('chat_id'));
  const id = params.integer('user_id') ?? 0;
  const user = id === world.bot.id ? world.bot : world.people.get(id);
  if (!user) throw badRequest('PARTICIPANT_ID_INVALID');
  return { result: { user, status: 'member' } };
}

import type { Params } from './request.js';
import { type BotCommand, badRequest } from './telegram.js';

interface Scope {
  type: string;
  chat_id?: number | string;
  user_id?: number;
}

/** Commands per scope and language; the narrowest scope wins, and in it the person's language. */
export class CommandBook {
  readonly #lists = new Map<string, BotCommand[]>();

  set(params: Params): void {
    const commands = params.json<BotCommand[]>('commands', 'commands');
    if (!Array.isArray(commands)) throw badRequest('parameter "commands" is required');
    if (commands.length > 100) throw badRequest('BOT_COMMANDS_TOO_MUCH');
    for (const { command, description } of commands) {
      if (!/^\/?[a-z\d_]{1,32}$/.test(command ?? '')) throw badRequest('BOT_COMMAND_INVALID');
      if (!description?.trim() || description.length > 256)
        throw badRequest('BOT_COMMAND_DESCRIPTION_INVALID');
    }
    this.#lists.set(
      keyOf(params),
      commands.map(({ command, description }) => ({ command: command.replace(/^\//, ''), description })),
    );
  }

  get(params: Params): BotCommand[] {
    return this.#lists.get(keyOf(params)) ?? [];
  }

  delete(params: Params): void {
    this.#lists.delete(keyOf(params));
  }

  /** What a person sees on typing "/" in a private chat. */
  shownTo(chat: number, language = ''): BotCommand[] {
    const scopes = [`chat ${chat}`, 'all_private_chats ', 'default '];
    for (const scope of scopes)
      for (const lang of [language, '']) {
        const list = this.#lists.get(`${scope} ${lang}`);
        if (list) return list;
      }
    return [];
  }
}

function keyOf(params: Params): string {
  const scope = params.json<Scope>('scope', 'scope') ?? { type: 'default' };
  if (typeof scope.type !== 'string')
    throw badRequest('can\'t parse BotCommandScope: Field "type" is missed');
  return `${scope.type} ${scope.chat_id ?? ''} ${params.text('language_code') ?? ''}`;
}

import { config as environment } from '../../kit/config.js';
import { defineNode } from '../../kit/define-node.js';
import { type CommandSpec, door } from '../../kit/door.js';
import { PotionError } from '../../kit/errors.js';
import type { Message } from '../../kit/messages.js';
import { nearest } from '../../kit/nearest.js';

/** `help`: the list, or one command; `welcome`: a greeting with the keyboard. */
type Action = 'help' | 'welcome';

interface HelpConfig {
  action: Action;
}

/** A command as help shows it. */
interface Entry {
  name: string;
  aliases: readonly string[];
  usage: string;
  description: string;
  changes: boolean;
  examples: string[];
}

/** The commands of one tab. */
interface Panel {
  name: string;
  commands: Entry[];
}

export default defineNode<HelpConfig>({
  type: 'potion-help',
  version: 1,
  create: (ctx) => {
    const entryOf = ({ name, aliases, usage, description, changes, examples }: CommandSpec): Entry => ({
      name,
      aliases,
      usage,
      description: description && ctx.t(description),
      changes,
      examples: examples?.() ?? [],
    });
    const listed = () => door.list().filter((spec) => !spec.hidden);
    const panels = (): Panel[] => {
      const specs = Map.groupBy(listed(), ({ panel }) => panel ?? '');
      return [...specs].map(([name, some]) => ({ name, commands: some.map(entryOf) }));
    };

    const one = (name: string): Message => {
      const found = door.find(name)?.spec;
      if (!found) {
        const names = listed().flatMap((spec) => [spec.name, ...spec.aliases]);
        throw new PotionError('NOT_FOUND', 'help.unknown', { name, nearest: nearest(name, names) });
      }
      const payload = entryOf(found);
      return { payload, say: { text: 'help.one', data: { command: payload } } };
    };
    const all = (action: Action): Message => {
      const payload = panels();
      const data = { panels: payload, server: environment().serverName };
      const text = action === 'welcome' ? 'help.welcome' : 'help.list';
      return { payload, say: { text, data, keyboard: true } };
    };

    return {
      input(msg) {
        const action = actionOf(msg.action ?? ctx.config.action);
        const wanted = action === 'help' ? wantedOf(msg) : undefined;
        return { ...msg, ...(wanted ? one(wanted) : all(action)) };
      },
    };
  },
});

function actionOf(action: string | undefined): Action {
  if (action === undefined || action === 'help' || action === 'welcome') return action ?? 'help';
  throw new PotionError('INVALID', 'help.bad-action', { action });
}

/** The command that is asked about, without its slash. */
function wantedOf(msg: Message): string | undefined {
  const args = (msg.payload as { args?: unknown } | undefined)?.args;
  const first: unknown = Array.isArray(args) ? args[0] : undefined;
  return typeof first === 'string' ? first.replace(/^\//, '').toLowerCase() || undefined : undefined;
}

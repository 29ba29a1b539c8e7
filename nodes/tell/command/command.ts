import { config as environment } from '../../kit/config.js';
import { defineNode, type NodeContext } from '../../kit/define-node.js';
import { type CommandSpec, door } from '../../kit/door.js';
import { PotionError } from '../../kit/errors.js';
import type { Message } from '../../kit/messages.js';
import { parseForms, readForms, usageOfForms } from './arguments.js';
import { examplesOf } from './examples.js';

interface CommandConfig {
  command: string;
  /** Separated by commas or spaces. */
  aliases: string;
  /** Label of the button below the chat, per language. */
  buttonId: string;
  buttonEn: string;
  /** Row and place; a number, or as the editor saves it. */
  order: number | string;
  /** Key of a text, or the text itself. */
  description: string;
  /** Pattern of the arguments; empty: anything goes. */
  args: string;
  /** Lines that a person could type, one below the other; empty: made from the pattern. */
  examples?: string;
  changes: boolean;
  hidden: boolean;
}

/** As Telegram allows for a bot's commands. */
const NAME = /^[a-z0-9_]{1,32}$/;

export default defineNode<CommandConfig>({
  type: 'potion-command',
  version: 1,
  check(config) {
    for (const name of [config.command, ...aliasesOf(config)])
      if (!NAME.test(name)) throw new PotionError('INVALID', 'command.bad-name', { name });
    parseForms(config.args ?? '');
  },
  create: (ctx) => {
    const { config } = ctx;
    const forms = parseForms(config.args ?? '');
    const allowed = () => ({ units: environment().servicesWhitelist });
    let leave: (() => void) | undefined;
    return {
      start() {
        const command = `/${config.command}`;
        const own = (config.examples ?? '').split('\n').filter((line) => line.trim());
        const spec = {
          ...specOf(ctx, usageOfForms(command, forms)),
          examples: () => (own.length > 0 ? own : examplesOf(command, forms, allowed())),
        };
        // Through the node's own input, so that its errors and its completion are seen like any other's.
        leave = door.register(spec, (msg) => ctx.node.receive(msg as never));
        if (leave) return ctx.status({ fill: 'green', text: `/${spec.name}` });
        const clash = door.clash(spec);
        throw new PotionError('INVALID', 'command.taken', {
          what: clash?.what,
          command: clash?.by.name,
          node: clash?.by.owner,
        });
      },
      input(msg) {
        const args = argsOf(msg);
        const fields = readForms(config.command, forms, args, allowed());
        const payload = { ...fields, args, text: textOf(msg, args) };
        const { action } = fields;
        return typeof action === 'string' ? { ...msg, payload, action } : { ...msg, payload };
      },
      stop: () => leave?.(),
    };
  },
});

function specOf({ config, id, node, RED }: NodeContext<CommandConfig>, usage: string): CommandSpec {
  const button: CommandSpec['button'] = {};
  if (config.buttonId?.trim()) button.id = config.buttonId.trim();
  if (config.buttonEn?.trim()) button['en-US'] = config.buttonEn.trim();
  return {
    name: config.command,
    aliases: aliasesOf(config),
    button,
    order: Number(config.order) || 0,
    description: config.description ?? '',
    usage,
    changes: Boolean(config.changes),
    hidden: Boolean(config.hidden),
    owner: config.name || id,
    panel: String(RED.util.getSetting(node as never, 'NR_FLOW_NAME') ?? ''),
  };
}

function aliasesOf(config: CommandConfig): string[] {
  return (config.aliases ?? '').split(/[\s,]+/).filter(Boolean);
}

function argsOf(msg: Message): string[] {
  const args = (msg.payload as { args?: unknown } | undefined)?.args;
  return Array.isArray(args) ? args.map(String) : [];
}

function textOf(msg: Message, args: string[]): string {
  const text = (msg.payload as { text?: unknown } | undefined)?.text;
  return typeof text === 'string' ? text : args.join(' ');
}

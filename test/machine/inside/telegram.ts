// Runs inside the machine: a Bot API server, driven by a test outside as the person who talks to the bot.
import { type Sandbox, startSandbox } from '../../../ops/sandbox/server.js';
import { replyTimes } from '../../bench/reply-times.ts';
import { Exchange } from '../../cockpit/exchange.ts';
import { FAKE_TOKEN } from '../../support/potion.ts';
import { serve } from './serve.ts';

let sandbox: Sandbox;
let exchange: Exchange;

/** The bot's messages of a chat as they stand. */
const messages = (chat?: number) =>
  sandbox
    .messages(chat)
    .filter(({ from }) => from?.is_bot)
    .map(({ message_id, text, caption }) => ({ id: message_id, text: text ?? caption ?? '' }));

serve({
  async start(port: number) {
    sandbox = await startSandbox({ token: FAKE_TOKEN, port });
    return { url: sandbox.url, user: sandbox.user.id, token: FAKE_TOKEN };
  },
  say: (text: string, user?: number) => sandbox.say(text, user ? { user } : {}).message_id,
  press: (message: number, label: string) => void sandbox.press(message, label),
  messages,
  /** What the bot has sent, edited or deleted, from the given place of the log on, with the labels of its buttons. */
  since: (from: number) =>
    sandbox
      .chatLog()
      .slice(from)
      .map(({ what, message: { message_id, from: who, text, caption, reply_markup } }, i) => ({
        next: from + i + 1,
        what: who?.is_bot ? what : 'said',
        id: message_id,
        text: text ?? caption ?? '',
        buttons: (reply_markup?.inline_keyboard ?? []).map((row) => row.map((button) => button.text)),
      })),
  /** The newest update that the bot has confirmed comes once more. */
  redeliver: () => sandbox.redeliver(),
  heard: () => messages().map(({ text }) => text),
  /** How often the bot has asked for news so far. */
  polls: () => sandbox.requests.filter(({ method }) => method === 'getUpdates').length,
  /** From now on connections are refused, as in an outage; `up` ends it. */
  down: () => sandbox.faults.down(),
  up: () => sandbox.faults.up(),
  /** For the benchmark of replies. */
  replyTimes: (texts: string[], rounds: number) => replyTimes(sandbox, texts, rounds),
  /** What follows is for test/cockpit/cockpit.ts. */
  open(dataDir: string, logDir: string) {
    exchange = new Exchange(sandbox, dataDir, logDir);
  },
  exchange: (name: 'say', ...args: (string | null)[]) =>
    exchange[name](...(args.map((arg) => arg ?? undefined) as [string])),
});

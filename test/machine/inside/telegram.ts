// Runs inside the machine: a Bot API server, driven by a test outside as the person who talks to the bot.
import { type Sandbox, startSandbox } from '../../../ops/sandbox/server.js';
import { FAKE_TOKEN } from '../../support/potion.ts';
import { serve } from './serve.ts';

let sandbox: Sandbox;

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
  heard: () => messages().map(({ text }) => text),
  /** How often the bot has asked for news so far. */
  polls: () => sandbox.requests.filter(({ method }) => method === 'getUpdates').length,
  /** From now on connections are refused, as in an outage; `up` ends it. */
  down: () => sandbox.faults.down(),
  up: () => sandbox.faults.up(),
});

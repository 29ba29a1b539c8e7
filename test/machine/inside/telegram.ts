// Runs inside the machine: a Bot API server for a Potion that systemd runs there, driven by a test outside.
import { type Sandbox, startSandbox } from '../../../ops/sandbox/server.js';
import { FAKE_TOKEN } from '../../support/potion.ts';
import { serve } from './serve.ts';

let sandbox: Sandbox;

serve({
  async start(port: number) {
    sandbox = await startSandbox({ token: FAKE_TOKEN, port });
    return sandbox.user.id;
  },
  say: (text: string, user?: number) => sandbox.say(text, user ? { user } : {}).message_id,
  press: (message: number, label: string) => void sandbox.press(message, label),
  /** The bot's messages of a chat as they stand. */
  messages: (chat?: number) =>
    sandbox
      .messages(chat)
      .filter(({ from }) => from?.is_bot)
      .map(({ message_id, text, caption }) => ({ id: message_id, text: text ?? caption ?? '' })),
  /** How often the bot has asked for news so far. */
  polls: () => sandbox.requests.filter(({ method }) => method === 'getUpdates').length,
});

// Runs inside the machine: a Bot API server and a whole Potion with its own flows, driven by a test outside.
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Sandbox, startSandbox } from '../../../ops/sandbox/server.js';
import { FAKE_TOKEN, type Potion, startPotion } from '../../support/potion.ts';
import { serve } from './serve.ts';

const HOME = join(import.meta.dirname, '..', '..', '..');
const work = mkdtempSync(join(tmpdir(), 'whole-'));
let sandbox: Sandbox;
let potion: Potion;

/** Potion's flows with other values in some of its nodes. */
function flowsWith(changes: Record<string, object>): string {
  const folder = join(work, 'flows');
  cpSync(join(HOME, 'flows'), folder, { recursive: true });
  for (const file of ['telegram.tg.json', 'engine-room.er.json', 'co-pilot.cp.json']) {
    const nodes: { id: string }[] = JSON.parse(readFileSync(join(folder, file), 'utf8'));
    const changed = nodes.map((node) => ({ ...node, ...changes[node.id] }));
    writeFileSync(join(folder, file), `${JSON.stringify(changed, null, 2)}\n`);
  }
  return folder;
}

serve({
  /** @param changes values of nodes by id, e.g. shorter waits */
  async start(env: Record<string, string>, changes: Record<string, object>) {
    sandbox = await startSandbox({ token: FAKE_TOKEN });
    potion = await startPotion({
      dataDir: join(work, 'data'),
      flowsDir: flowsWith(changes),
      env: { TELEGRAM_API_URL: sandbox.url, ADMIN_IDS: String(sandbox.user.id), ...env },
    });
    await potion.waitHealthy();
  },
  say: (text: string, user?: number) => sandbox.say(text, user ? { user } : {}).message_id,
  press: (message: number, label: string) => void sandbox.press(message, label),
  /** The bot's messages of a chat as they stand. */
  messages: (chat?: number) =>
    sandbox
      .messages(chat)
      .filter(({ from }) => from?.is_bot)
      .map(({ message_id, text }) => ({ id: message_id, text: text ?? '' })),
  /** How often Telegram was asked to send or edit something with this text in it. */
  told: (text: string) => sandbox.chatLog().filter(({ message }) => message.text?.includes(text)).length,
  audit: () => readFileSync(join(potion.dataDir, 'logs', 'actions.log'), 'utf8'),
  log: () => potion.log(),
  async stop() {
    await potion.stop();
    await sandbox.stop();
  },
});

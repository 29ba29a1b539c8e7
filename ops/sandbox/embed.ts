import { randomBytes, randomInt } from 'node:crypto';
import { join } from 'node:path';
import { type Config, setConfig } from '../../nodes/kit/config.js';
import { describe } from '../../nodes/kit/errors.js';
import { recall, remember } from './keep.js';
import { type Sandbox, startSandbox } from './server.js';
import type { User } from './telegram.js';

/** User id of the person at the chat page, who is admin there unless ADMIN_IDS says otherwise. */
export const SANDBOX_USER = 100_001;

/** User id of the stranger whom the chat page can play: in no list of admins. */
export const STRANGER = 999_999_001;

let current: Sandbox | undefined;

/** The sandbox that stands in for Telegram in this process; undefined when a real bot is set up. */
export function embedded(): Sandbox | undefined {
  return current;
}

/**
 * Without a bot token: starts the chat sandbox and makes it this process' Telegram, in the environment that
 * flow files refer to and in the configuration. Otherwise does nothing.
 */
export async function embedSandbox(config: Config): Promise<void> {
  if (config.botToken || current) return;
  const adminIds = config.adminIds.length > 0 ? config.adminIds : [SANDBOX_USER];
  const [first, ...others] = adminIds.map((id, index) => admin(id, index, config.lang));
  const token = madeUpToken();
  const file = join(config.dataDir, 'sandbox-chats.json');
  current = await startSandbox({ token, user: first, store: recall(file, token), kept: 500 });
  remember(current.world, file, (thrown) =>
    process.stderr.write(`potion: the sandbox's chats can't be kept: ${describe(thrown)}\n`),
  );
  for (const person of others) current.world.meet(person);
  process.env.BOT_TOKEN = token;
  process.env.TELEGRAM_API_URL = current.url;
  process.env.ADMIN_IDS = adminIds.join(',');
  setConfig({ ...config, botToken: token, telegramApiUrl: current.url, adminIds });
}

function admin(id: number, index: number, lang: string): User {
  const first_name = index === 0 ? 'Admin' : `Admin ${index + 1}`;
  return { id, is_bot: false, first_name, language_code: lang.slice(0, 2) };
}

/** New at each start, so that nobody comes to rely on it. */
function madeUpToken(): string {
  return `${randomInt(100_000_000, 999_999_999)}:${randomBytes(27).toString('base64url').slice(0, 35)}`;
}

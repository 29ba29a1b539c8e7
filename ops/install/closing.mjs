// @ts-check
// The last words of an installation: where the editor is, and what to send the bot.
import { hostname } from 'node:os';
import { PATHS } from './paths.mjs';
import { versionOf } from './release.mjs';
import { settingsNow } from './settings.mjs';

/**
 * @param {import('./talk.mjs').Talk} talk
 * @param {{ bot: string | undefined, health: import('./service.mjs').Health | undefined, to: string }} facts
 */
export async function closing(talk, { bot, health, to }) {
  const { BOT_TOKEN, ADMIN_IDS, POTION_PORT: port = '1880' } = settingsNow();
  talk.line('');
  if (!health) {
    talk.say('silent');
    return;
  }
  talk.say('ready', { version: versionOf(to), id: to });
  const ailing = Object.entries(health.ailing);
  if (ailing.length > 0)
    talk.say('partsAil', { parts: ailing.map(([part, why]) => `${part} (${why})`).join('; ') });
  talk.say('editorAt', { address: health.address });
  if (/\/\/(127\.|\[::1\])/.test(health.address))
    talk.say('tunnel', { port, user: process.env.SUDO_USER ?? 'user', host: hostname() });
  if (!BOT_TOKEN) talk.say('chatPage', { address: health.address, env: PATHS.env });
  else if (bot) talk.say('sendStart', { bot });
  else talk.say('sendStartSomewhere');
  if (BOT_TOKEN && !ADMIN_IDS) talk.say('noAdmins', { log: `${PATHS.logs}/actions.log` });
  talk.say('later', { env: PATHS.env });
}

import { config as environment } from '../../kit/config.js';
import { defineNode } from '../../kit/define-node.js';
import { door } from '../../kit/door.js';
import { PotionError } from '../../kit/errors.js';
import { hasText, renderTemplate } from '../../kit/locale.js';
import { database } from '../../state/database.js';
import { shorten } from '../../state/shortcuts.js';
import { buttonsFor, inlineOf, readButtons } from './buttons.js';
import { draftsOf, type Manner } from './drafts.js';
import { type Text, wordingOf } from './wording.js';

interface SayConfig extends Text, Manner {
  /** Rows of inline buttons as JSON. */
  buttons: string;
  /** Show the keyboard of all commands below the chat. */
  keyboard: boolean;
}

/** What a flow made by hand may leave out. */
const DEFAULTS: SayConfig = {
  text: '',
  textType: 'key',
  to: 'asker',
  chat: '',
  kind: 'auto',
  silent: false,
  editPressed: false,
  fileAbove: 0,
  buttons: '',
  keyboard: false,
};

/** The editor saves numbers as text. */
function complete(saved: Partial<SayConfig>): SayConfig {
  return { ...DEFAULTS, ...saved, fileAbove: Number(saved.fileAbove) || 0 };
}

export default defineNode<SayConfig>({
  type: 'potion-say',
  version: 1,
  check: (config) => check(complete(config)),
  create: ({ config: saved, clock, id, t, status, warn }) => {
    const config = complete(saved);
    const rows = readButtons(config.buttons);
    return {
      start() {
        const { lang } = environment();
        if (config.textType !== 'key' || !config.text || hasText(lang, config.text)) return;
        warn(`there is no text "${config.text}": it will be sent as it is`);
        status({ fill: 'yellow', shape: 'ring', text: t('say.status.no-text', { key: config.text }) });
      },

      async input(msg) {
        const { lang, serverName: server, adminIds, quietHours } = environment();
        const now = clock.now();
        const wording = wordingOf(msg, config, { lang, server, now });
        if (!wording) throw new PotionError('INVALID', 'say.nothing');
        // A template that renders to nothing says that there is nothing to tell; a person who asked is answered.
        if (!wording.html && !msg.request && !msg.say?.file) return undefined;
        const own = wording.failure ? [] : (msg.say?.buttons ?? buttonsFor(rows, wording.data, lang));
        const inline = await inlineOf(own, async (command) => shorten(await database(), command, now));
        const withKeyboard = !wording.failure && (msg.say?.keyboard ?? config.keyboard);
        const buttons = {
          ...(inline.length > 0 ? { inline } : {}),
          ...(withKeyboard ? { keyboard: door.keyboard(lang) } : {}),
        };
        const payload = draftsOf(msg, wording, buttons, config, {
          adminIds,
          lang,
          quietHours,
          now,
          node: id,
        });
        status({ fill: 'grey', text: t('say.status.said', { chats: payload.length, at: now }) });
        return { ...msg, payload };
      },
    };
  },
});

function check({ text, textType, to, chat, buttons }: SayConfig): void {
  if (textType === 'template') {
    try {
      renderTemplate(environment().lang, text, {});
    } catch (thrown) {
      throw new PotionError('INVALID', 'say.bad-template', {}, thrown);
    }
  }
  if (to === 'chat' && !(Number.isSafeInteger(Number(chat)) && Number(chat) !== 0))
    throw new PotionError('INVALID', 'say.bad-chat', { chat });
  readButtons(buttons);
}

import type { CommandSpec } from '../../kit/door.js';
import { hasText, LANGUAGES, type Language, render } from '../../kit/locale.js';
import { cut } from '../../kit/telegram-html.js';

/** https://core.telegram.org/bots/api#botcommand */
export interface BotCommand {
  command: string;
  description: string;
}

/** The commands as Telegram shows them to people who have set their app to one language. */
export interface CommandList {
  /** ISO 639-1; '' for everybody whose language has no list of its own. */
  language: string;
  commands: BotCommand[];
}

/** Telegram's limits: commands of a list, and characters of a description. */
const MOST = 100;
const LONGEST = 256;

/** All lists of a bot: one for each language that Potion speaks, and `own` for everybody else. */
export function listsOf(specs: readonly CommandSpec[], own: Language): CommandList[] {
  const shown = specs.filter(({ hidden }) => !hidden).slice(0, MOST);
  const list = (language: string, lang: Language) => ({
    language,
    commands: shown.map(({ name, description }) => ({
      command: name,
      description: descriptionOf(description, lang) || name,
    })),
  });
  return [list('', own), ...LANGUAGES.map((lang) => list(lang.split('-')[0] as string, lang))];
}

function descriptionOf(source: string, lang: Language): string {
  const words = hasText(lang, source) ? render(lang, source, {}, 'plain') : source;
  return cut(words.trim(), LONGEST).toWellFormed();
}

/** Whether Telegram already shows these. */
export function isShown(wanted: readonly BotCommand[], there: unknown): boolean {
  if (!Array.isArray(there) || there.length !== wanted.length) return false;
  return wanted.every(
    ({ command, description }, i) => there[i]?.command === command && there[i]?.description === description,
  );
}

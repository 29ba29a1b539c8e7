import { type Config, ConfigError, readConfig } from '../../nodes/kit/config.js';

export interface Settings {
  config: Config;
  /** What was wrong and is left out, each starting with the variable's name. */
  problems: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

const VARIABLE = /^[A-Z][A-Z0-9_]*/;
const USER_ID = /^[1-9]\d{0,15}$/;

/**
 * What can be used of an environment: Potion itself ends when one setting is wrong, and then this program has
 * to tell. A wrong variable counts as not set; of a list of user ids the right ones stay.
 */
export function readSettings(env: Environment, home: string): Settings {
  const problems = new Set<string>();
  const left: Record<string, string | undefined> = { ...env };
  // Leaving one variable out can make another one wrong, e.g. an open address whose password is gone.
  for (let round = 0; round < 5; round++) {
    try {
      return { config: readConfig(left, home), problems: [...problems] };
    } catch (thrown) {
      if (!(thrown instanceof ConfigError)) throw thrown;
      for (const problem of thrown.problems) {
        problems.add(problem);
        const name = VARIABLE.exec(problem)?.[0] ?? '';
        left[name] = name.endsWith('_IDS') ? rightIds(left[name]) : undefined;
      }
    }
  }
  return { config: readConfig({}, home), problems: [...problems] };
}

function rightIds(list = ''): string {
  return list
    .split(/[\s,]+/)
    .filter((id) => USER_ID.test(id))
    .join(',');
}

/** A bot that can carry a message, and whose it is. */
export interface Way {
  bot: 'owner' | 'potion';
  token: string;
}

/** The ways to the owner, best first, each bot once. */
export function waysOf({ ownerBotToken, botToken }: Config): Way[] {
  const ways: Way[] = [];
  if (ownerBotToken) ways.push({ bot: 'owner', token: ownerBotToken });
  if (botToken && botToken !== ownerBotToken) ways.push({ bot: 'potion', token: botToken });
  return ways;
}

/** The chats to tell; none when there is no bot to do it. */
export function targetsOf(config: Config): string[] {
  if (waysOf(config).length === 0) return [];
  const ids = config.ownerIds.length > 0 ? config.ownerIds : config.adminIds;
  return [...new Set(ids.map(String))];
}

// @ts-check
// Potion's settings: what a person, a flag or the environment says, checked and kept in potion.env.
import { chmodSync, chownSync, readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { askBot } from './bot.mjs';
import { freshEnv, readEnv, writeEnv } from './env-file.mjs';
import { PATHS } from './paths.mjs';
import { fullUnitName } from './polkit.mjs';
import { InstallError, readIf, writeWhole } from './system.mjs';

/** @typedef {import('./talk.mjs').Talk} Talk */
/** @typedef {import('./options.mjs').Options} Options */
/** @typedef {Record<string, string>} Settings */

const words = (/** @type {string} */ value) => value.split(/[\s,]+/).filter(Boolean);
const areIds = (/** @type {string} */ value) => words(value).every((id) => /^[1-9]\d{0,15}$/.test(id));
const isToken = (/** @type {string} */ value) => /^\d+:[\w-]{20,}$/.test(value);

/**
 * What is asked in a terminal, in this order, and what an answer must look like. The rest has good defaults.
 * @type {readonly { name: string, question: string, fits: (value: string) => boolean, secret?: boolean }[]}
 */
export const SETTINGS_ASKED = [
  { name: 'BOT_TOKEN', question: 'askToken', fits: isToken, secret: true },
  { name: 'ADMIN_IDS', question: 'askAdmins', fits: areIds },
  { name: 'SERVER_NAME', question: 'askServer', fits: () => true },
  {
    name: 'SERVICES_WHITELIST',
    question: 'askServices',
    fits: (value) => words(value).every((name) => fullUnitName(name) !== undefined),
  },
  { name: 'OWNER_IDS', question: 'askOwner', fits: areIds },
  { name: 'OWNER_BOT_TOKEN', question: 'askOwnerToken', fits: isToken, secret: true },
];

/** @returns {Settings} what potion.env says now */
export function settingsNow() {
  return readEnv(readIf(PATHS.env) ?? '');
}

/** @param {Settings} settings */
export function whitelist(settings) {
  return words(settings.SERVICES_WHITELIST ?? '');
}

/**
 * Finds out how the settings should be, and checks them. Changes nothing.
 * @param {Talk} talk
 * @param {Options} options
 * @returns {Promise<{ changes: Settings, bot: string | undefined }>} what differs from potion.env; the bot's username
 * @throws {InstallError} when what was given can't be right
 */
export async function gather(talk, options) {
  const now = settingsNow();
  const isNew = readIf(PATHS.env) === undefined;
  /** @type {Settings} */
  const given = { ...options.values };
  for (const [name, file] of Object.entries(options.secretFiles)) given[name] = readSecret(file);
  for (const { name, fits } of SETTINGS_ASKED)
    if (given[name] && !fits(given[name])) throw new InstallError('badSetting', { name });
  if (isNew) Object.assign(given, { SERVER_NAME: given.SERVER_NAME ?? hostname(), POTION_LANG: talk.lang });

  const asks = talk.canAsk && (isNew || (await talk.agrees(talk.t('askChange'))));
  if (asks && isNew) talk.say('askIntro');
  let bot;
  for (const question of SETTINGS_ASKED) {
    const { name } = question;
    const isGiven = name in options.values || name in options.secretFiles;
    const api = given.TELEGRAM_API_URL ?? now.TELEGRAM_API_URL;
    for (;;) {
      if (asks && !isGiven) given[name] = await askFor(talk, question, given[name] ?? now[name] ?? '');
      const value = given[name] ?? now[name];
      if (!question.secret || !value || talk.dryRun) break;
      const username = await check(talk, name, value, api, value !== now[name] && !(asks && !isGiven));
      if (name === 'BOT_TOKEN') bot = username;
      if (username !== 'again' || !asks || isGiven) break;
    }
  }
  return {
    changes: Object.fromEntries(Object.entries(given).filter(([name, value]) => (now[name] ?? '') !== value)),
    bot: bot === 'again' ? undefined : bot,
  };
}

/**
 * @param {Talk} talk
 * @param {(typeof SETTINGS_ASKED)[number]} question
 * @param {string} old
 */
async function askFor(talk, { question, fits, secret }, old) {
  for (;;) {
    const shown = old ? (secret ? talk.t('isSet') : old) : talk.t('none');
    const answer = await talk.ask(`${talk.t(question)}\n  [${shown}] > `);
    const value = answer === '' ? old : answer === '-' ? '' : answer;
    if (value === '' || fits(value)) return value;
    talk.say(`${question}Wrong`);
  }
}

/**
 * @param {Talk} talk
 * @param {string} name
 * @param {string} token
 * @param {string | undefined} api
 * @param {boolean} final a refusal ends the installation
 * @returns {Promise<string | undefined>} the bot's username; `again` when the token was refused
 */
async function check(talk, name, token, api, final) {
  const answer = await askBot(token, api);
  if (answer === 'refused') {
    if (final) throw new InstallError('tokenRefused', { name });
    talk.say('tokenRefused', { name });
    return 'again';
  }
  if (answer === 'away') talk.say('botApiAway', { api: api ?? 'api.telegram.org' });
  else talk.say('botKnown', { name, bot: answer.username });
  return answer === 'away' ? undefined : answer.username;
}

/** @param {string} file */
function readSecret(file) {
  try {
    const text = readFileSync(file === '-' ? 0 : file, 'utf8').trim();
    if (text !== '' && !/\s/.test(text)) return text;
  } catch {
    // Said below, without a word of what stands in it.
  }
  throw new InstallError('noSecret', { file });
}

/**
 * @param {Talk} talk
 * @param {Settings} changes
 * @param {string} home where Potion's code is
 */
export async function keepSettings(talk, changes, home) {
  const old = readIf(PATHS.env);
  const text = writeEnv(
    old ?? freshEnv(readFileSync(join(home, '.env.example'), 'utf8'), talk.t('envHead').split('\n')),
    changes,
  );
  if (text !== old)
    await talk.change('writes', { path: PATHS.env }, () => writeWhole(PATHS.env, text, 0o600));
  else {
    const { mode, uid, gid } = statSync(PATHS.env);
    if ((mode & 0o777) !== 0o600 || uid !== 0 || gid !== 0)
      await talk.change('closes', { path: PATHS.env }, () => {
        chownSync(PATHS.env, 0, 0);
        chmodSync(PATHS.env, 0o600);
      });
  }
}

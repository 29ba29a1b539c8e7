// @ts-check
// The command line.
import { parseArgs } from 'node:util';
import { languageOf } from './texts.mjs';

/**
 * @typedef {object} Options
 * @property {'install' | 'uninstall' | 'privileges' | 'help'} mode
 * @property {boolean} dryRun
 * @property {boolean} purge
 * @property {boolean} yes
 * @property {boolean} rebuild build the release again, even if it is installed
 * @property {number} patience seconds that Potion has to become well
 * @property {'id' | 'en-US' | undefined} lang as given, for messages and POTION_LANG
 * @property {Readonly<Record<string, string>>} values settings by their name in potion.env
 * @property {Readonly<Record<string, string>>} secretFiles files that hold a setting, by its name
 */

/** What was asked for in a wrong way. */
export class UsageError extends Error {}

/** Settings that a flag or the environment of the installer may give. */
const SETTINGS = {
  'admin-ids': 'ADMIN_IDS',
  'server-name': 'SERVER_NAME',
  services: 'SERVICES_WHITELIST',
  'owner-ids': 'OWNER_IDS',
  'telegram-api-url': 'TELEGRAM_API_URL',
  port: 'POTION_PORT',
  'editor-bind': 'EDITOR_BIND',
  'hdd-mount': 'HDD_MOUNT',
};
/** Secrets come from a file or the environment: everyone on the machine can read the arguments of a process. */
const SECRETS = { 'bot-token-file': 'BOT_TOKEN', 'owner-bot-token-file': 'OWNER_BOT_TOKEN' };

/** Seconds; an old laptop with a cold disk takes a while. */
const PATIENCE = 90;

const SWITCHES = ['dry-run', 'uninstall', 'purge', 'privileges', 'rebuild', 'yes', 'help'];

/**
 * @param {readonly string[]} args
 * @param {Readonly<Record<string, string | undefined>>} env
 * @returns {Options}
 * @throws {UsageError}
 */
export function parseOptions(args, env) {
  const given = parse(args);
  /** @param {string} name */
  const on = (name) => given[name] === true;
  if (on('purge') && !on('uninstall')) throw new UsageError('--purge: only with --uninstall');
  if (on('uninstall') && on('privileges'))
    throw new UsageError('--uninstall, --privileges: only one of them');

  /** @type {Record<string, string>} */
  const values = {};
  for (const name of [...Object.values(SETTINGS), ...Object.values(SECRETS)])
    if (env[name]?.trim()) values[name] = /** @type {string} */ (env[name]).trim();
  for (const [flag, name] of Object.entries(SETTINGS))
    if (typeof given[flag] === 'string') values[name] = given[flag].trim();
  /** @type {Record<string, string>} */
  const secretFiles = {};
  for (const [flag, name] of Object.entries(SECRETS))
    if (typeof given[flag] === 'string') secretFiles[name] = given[flag];

  const lang = typeof given.lang === 'string' ? languageOf(given.lang) : languageOf(env.POTION_LANG ?? '');
  if (typeof given.lang === 'string' && !lang) throw new UsageError('--lang: id | en-US');
  if (lang) values.POTION_LANG = lang;
  const patience = Number(given.patience ?? PATIENCE);
  if (!(patience >= 1 && patience <= 3600)) throw new UsageError('--patience: 1 … 3600');
  const mode = on('help')
    ? 'help'
    : on('uninstall')
      ? 'uninstall'
      : on('privileges')
        ? 'privileges'
        : 'install';
  return {
    mode,
    dryRun: on('dry-run'),
    purge: on('purge'),
    yes: on('yes'),
    rebuild: on('rebuild'),
    patience,
    lang,
    values,
    secretFiles,
  };
}

/**
 * @param {readonly string[]} args
 * @returns {Record<string, string | boolean | undefined>}
 */
function parse(args) {
  const texts = ['lang', 'patience', ...Object.keys(SETTINGS), ...Object.keys(SECRETS)];
  /** @type {Record<string, { type: 'string' | 'boolean', short?: string }>} */
  const options = Object.fromEntries([
    ...texts.map((name) => [name, { type: 'string' }]),
    ...SWITCHES.map((name) => [name, { type: 'boolean' }]),
  ]);
  options.help = { type: 'boolean', short: 'h' };
  try {
    return /** @type {Record<string, string | boolean | undefined>} */ (
      parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values
    );
  } catch (thrown) {
    // Its message may repeat what was typed, which could be a token.
    const flag = /'(--?[a-z-]+)/.exec(/** @type {Error} */ (thrown).message)?.[1];
    throw new UsageError(flag ?? 'arguments');
  }
}

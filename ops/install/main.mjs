// @ts-check
// Installs, upgrades or removes Potion; started by install.sh, on whatever Node the machine has (18 and later).
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { install, renewPrivileges } from './install.mjs';
import { parseOptions, UsageError } from './options.mjs';
import { settingsNow } from './settings.mjs';
import { InstallError } from './system.mjs';
import { Gone, Talk } from './talk.mjs';
import { languageOf, textsIn } from './texts.mjs';
import { uninstall } from './uninstall.mjs';

const HOME = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** @returns {Promise<number>} exit code: 0 done, 1 it failed, 2 the command line is wrong, 130 left by the person */
async function main() {
  const options = parseOptions(process.argv.slice(2), process.env);
  if (options.mode === 'help') {
    process.stdout.write(`${textsIn(options.lang ?? 'id')('help')}\n`);
    return 0;
  }
  const canAsk = Boolean(process.stdin.isTTY && process.stdout.isTTY) && !options.yes;
  const lang = options.lang ?? languageOf(settingsNow().POTION_LANG ?? '') ?? 'id';
  const talk = new Talk(lang, { dryRun: options.dryRun, canAsk, patience: options.patience });
  listen(talk);
  try {
    if (!existsSync('/run/systemd/system')) throw new InstallError('noSystemd');
    if (options.mode === 'uninstall') await uninstall(talk, options);
    else if (options.mode === 'privileges') await renewPrivileges(talk);
    else await install(talk, options, HOME);
    return 0;
  } catch (thrown) {
    if (thrown instanceof Gone) return 130;
    if (!(thrown instanceof InstallError)) throw thrown;
    process.stderr.write(`\n❌ ${talk.t(thrown.key, thrown.data)}\n`);
    if (thrown.detail) process.stderr.write(`${thrown.detail.replace(/^/gm, '    | ')}\n`);
    report(talk, thrown);
    return 1;
  } finally {
    talk.close();
  }
}

/**
 * Tells whoever has started this, and reads no terminal, why it has failed.
 * @param {Talk} talk
 * @param {InstallError} why
 */
function report(talk, { key, data, detail }) {
  const file = process.env.POTION_REPORT;
  if (!file) return;
  const { reason = talk.t(key, data), words = detail } = data;
  writeFileSync(file, JSON.stringify({ reason, detail: words, rolledBack: key.startsWith('rolledBack') }));
}

/** @param {Talk} talk */
function listen(talk) {
  // A lost connection must not leave a half changed machine.
  process.on('SIGHUP', () => {});
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
  for (const [signal, code] of /** @type {const} */ ([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ]))
    process.on(signal, () => {
      if (talk.isBusy) talk.say('busy');
      else process.exit(code);
    });
}

main().then(
  (code) => process.exit(code),
  (thrown) => {
    const isUsage = thrown instanceof UsageError;
    const lang = languageOf(process.env.POTION_LANG ?? '') ?? 'id';
    const why = isUsage ? textsIn(lang)('usage', { what: thrown.message }) : `${thrown?.stack ?? thrown}`;
    process.stderr.write(`${why}\n`);
    process.exit(isUsage ? 2 : 1);
  },
);

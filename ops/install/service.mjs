// @ts-check
// potion.service: whether it runs, and whether it is well.
import { statSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { askBot } from './bot.mjs';
import { PATHS, SERVICE } from './paths.mjs';
import { settingsNow } from './settings.mjs';
import { lastLines, must, run } from './system.mjs';

/**
 * What Potion says of itself.
 * @typedef {object} Health
 * @property {string} address of the editor, without a slash at the end
 * @property {Record<string, string>} ailing what is wrong, by part
 */

/** So long the process must have been there that is well; milliseconds. */
const STEADY = 3_000;
const LOOK = 400;
/** Restarts by systemd that are no chance any more. */
const CRASHES = 2;

/** @returns {Promise<Record<string, string>>} what systemd says of potion.service */
export async function state() {
  const names = 'LoadState,ActiveState,SubState,NRestarts,MainPID,InvocationID,ExecMainStartTimestamp';
  const { stdout } = await run('systemctl', ['show', '--timestamp=unix', `--property=${names}`, SERVICE]);
  return Object.fromEntries(
    stdout
      .trim()
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}

/** @returns {Promise<boolean>} whether something was changed since it was started that it reads at a start */
export async function isOutdated() {
  const started = Number((await state()).ExecMainStartTimestamp?.replace('@', ''));
  if (!started) return true;
  const files = [PATHS.env, join(PATHS.units, SERVICE)];
  return files.some((path) => Math.floor(statSync(path).mtimeMs / 1000) > started);
}

export async function start() {
  // An earlier try must not count.
  await run('systemctl', ['reset-failed', SERVICE]);
  await must('systemctl', ['start', '--no-block', SERVICE]);
}

export const stop = () => must('systemctl', ['stop', SERVICE]);

/**
 * Asks Potion how it is, at each address that its editor may have; those that others can reach come first.
 * @returns {Promise<Health | undefined>} undefined when nobody answers
 */
export async function askHealth() {
  const { EDITOR_BIND = '', POTION_PORT = '1880' } = settingsNow();
  const own = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const hosts = own.filter(({ scopeid }) => !scopeid).map(({ address }) => address);
  const named =
    /^[\d.]+$|:/.test(EDITOR_BIND) && !['0.0.0.0', '::'].includes(EDITOR_BIND) ? [EDITOR_BIND] : [];
  const far = (/** @type {string} */ host) => (/^(127\.|::1$)/.test(host) ? 2 : isTailscale(host) ? 0 : 1);
  for (const host of new Set([...named, ...hosts.sort((a, b) => far(a) - far(b)), '127.0.0.1'])) {
    const address = `http://${host.includes(':') ? `[${host}]` : host}:${POTION_PORT}`;
    const ailing = await ailingAt(address);
    if (ailing) return { address, ailing };
  }
  return undefined;
}

/** @param {string} host 100.64.0.0/10, which Tailscale gives its devices */
const isTailscale = (host) => /^100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./.test(host);

/** @param {string} address */
async function ailingAt(address) {
  try {
    const answer = await fetch(`${address}/potion/health`, { signal: AbortSignal.timeout(5000) });
    const { parts } = /** @type {{ parts?: Record<string, { ok: boolean, reason?: string }> }} */ (
      await answer.json()
    );
    if (!parts) return undefined;
    const wrong = Object.entries(parts).filter(([, { ok }]) => !ok);
    return Object.fromEntries(wrong.map(([part, { reason }]) => [part, reason ?? '']));
  } catch {
    return undefined;
  }
}

/**
 * Whether this is as good as it can be: all well, but for what was not well before, and for Telegram while nobody
 * on this machine reaches it.
 * @param {Health} health
 * @param {readonly string[]} before parts that ailed before
 * @param {() => Promise<boolean>} telegramIsAway
 */
export async function isGood({ ailing }, before, telegramIsAway) {
  for (const part of Object.keys(ailing))
    if (!before.includes(part) && !(part === 'telegram' && (await telegramIsAway()))) return false;
  return true;
}

/** @returns {Promise<boolean>} whether nobody on this machine can be told by Telegram now */
export async function telegramIsAway() {
  const { BOT_TOKEN, TELEGRAM_API_URL } = settingsNow();
  return BOT_TOKEN ? (await askBot(BOT_TOKEN, TELEGRAM_API_URL)) === 'away' : false;
}

/**
 * Waits until Potion is well and stays so.
 * @param {readonly string[]} before parts that ailed before
 * @param {number} patience seconds
 * @returns {Promise<{ health?: Health, trouble?: string }>} trouble: why it is not well
 */
export async function becomesWell(before, patience) {
  const deadline = performance.now() + patience * 1000;
  let since = 0;
  let process;
  let trouble = '';
  while (performance.now() < deadline) {
    const { ActiveState = '', SubState = '', NRestarts = '0', MainPID = '' } = await state();
    if (ActiveState === 'failed' || Number(NRestarts) >= CRASHES)
      return { trouble: `${SERVICE}: ${ActiveState} (${SubState}), ${NRestarts} restarts` };
    const health = await askHealth();
    trouble = health
      ? Object.entries(health.ailing)
          .map(([part, why]) => `${part}: ${why}`)
          .join('; ')
      : `${SERVICE}: ${ActiveState} (${SubState})`;
    if (!health || MainPID !== process) {
      process = health && MainPID;
      since = performance.now();
    } else if (performance.now() - since >= STEADY && (await isGood(health, before, telegramIsAway)))
      return { health };
    await sleep(LOOK);
  }
  return { trouble };
}

/**
 * @param {number} since epoch ms
 * @returns {Promise<string>} what it has said last; where in the code it broke is of no use to the person
 */
export async function lastWords(since) {
  // What was said a moment ago may still be on its way.
  await run('timeout', ['10', 'journalctl', '--sync']);
  // Not --lines: together with --since that counts from the beginning in systemd 252.
  const from = `--since=@${Math.floor(since / 1000)}`;
  const { stdout } = await run('journalctl', [`--unit=${SERVICE}`, from, '--no-pager', '--output=cat']);
  const lines = stdout.split('\n').filter((line) => line.trim() !== '' && !/^\s+at /.test(line));
  return lastLines(lines.join('\n'), 15);
}

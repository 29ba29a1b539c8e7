// @ts-check
// Takes Potion off the machine.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { account, own, ownFolders } from './account.mjs';
import { PATHS, SERVICE, USER } from './paths.mjs';
import { removeStaticFiles } from './static-files.mjs';
import { InstallError, must, run } from './system.mjs';

/** @typedef {import('./talk.mjs').Talk} Talk */

/**
 * Removes units, rules, code and user. Settings, data and logs stay unless `purge` says otherwise.
 * @param {Talk} talk
 * @param {{ purge: boolean, yes: boolean }} options
 * @throws {InstallError}
 */
export async function uninstall(talk, { purge, yes }) {
  const data = [PATHS.data, PATHS.logs, PATHS.settings].filter((path) => existsSync(path));
  if (purge && data.length > 0 && !yes && !talk.dryRun) await confirm(talk, data);
  const user = await account();
  await removeStaticFiles(talk);
  for (const path of [PATHS.cache, PATHS.code]) await remove(talk, path);
  if (purge) for (const path of [...data, join(PATHS.units, `${SERVICE}.d`)]) await remove(talk, path);
  // Another user may get the number that Potion's had, and must not get Potion's files with it.
  else for (const path of ownFolders()) await lock(talk, path, user);
  if (user) await talk.change('removesUser', { user: USER }, () => removeUser(user.uid));
  if ((await run('getent', ['group', USER])).code === 0)
    await talk.change('removesGroup', { group: USER }, () => must('groupdel', [USER]));
  if (talk.changes === 0) talk.say('nothing');
  else if (talk.dryRun) talk.say('dryEnd');
  else talk.say(purge || data.length === 0 ? 'purged' : 'uninstalled', { paths: data.join(', ') });
}

/**
 * @param {Talk} talk
 * @param {readonly string[]} paths
 */
async function confirm(talk, paths) {
  if (!talk.canAsk) throw new InstallError('purgeNeedsYes');
  const word = talk.t('purgeWord');
  const answer = await talk.ask(talk.t('purgeAsk', { paths: paths.join(', '), word }));
  if (answer.toLowerCase() !== word) throw new InstallError('purgeNot');
}

/**
 * @param {Talk} talk
 * @param {string} path
 */
async function remove(talk, path) {
  if (!existsSync(path)) return;
  // Never into a disk that is mounted below.
  await talk.change('removes', { path }, () =>
    must('rm', ['--recursive', '--force', '--one-file-system', path]),
  );
}

/**
 * @param {Talk} talk
 * @param {string} path
 * @param {{ uid: number } | undefined} user
 */
async function lock(talk, path, user) {
  if (user) await talk.change('locks', { path }, () => own(path, 'root:root'));
}

/** @param {number} uid */
async function removeUser(uid) {
  // What of it still runs would go on under a number without a name.
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
    try {
      if (statSync(`/proc/${pid}`).uid === uid) process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has ended.
    }
  for (let tries = 1; (await run('userdel', [USER])).code !== 0 && tries < 10; tries++) await sleep(200);
  if (await account()) await must('userdel', [USER]);
}

// @ts-check
// The steps of an installation or an upgrade. Each looks first and changes only what is not yet as it should be,
// so that a run that was cut short at any point is finished by the next.
import { existsSync } from 'node:fs';
import { makeAccount, makeFolders } from './account.mjs';
import { closing } from './closing.mjs';
import { inside } from './data.mjs';
import { bringFlows } from './flows.mjs';
import { PATHS, SERVICE } from './paths.mjs';
import { currentRelease, makeRelease, prune, readSource, releaseHome, switchTo } from './release.mjs';
import { askHealth, becomesWell, isOutdated, lastWords, start, state, stop } from './service.mjs';
import { gather, keepSettings, settingsNow } from './settings.mjs';
import { rememberSource } from './source.mjs';
import { keepPrivileges, keepStaticFiles } from './static-files.mjs';
import { InstallError } from './system.mjs';
import { repair, upgrade } from './upgrade.mjs';

/** @typedef {import('./talk.mjs').Talk} Talk */
/** @typedef {import('./options.mjs').Options} Options */

/**
 * @param {Talk} talk
 * @param {Options} options
 * @param {string} home the code that this runs from: a clone, or an installed release
 * @throws {InstallError}
 */
export async function install(talk, options, home) {
  const source = await readSource(talk, home, options.rebuild);
  const to = source?.id ?? currentRelease();
  if (to === undefined) throw new InstallError('noClone', { home });
  const { changes, bot } = await gather(talk, options);
  const known = await repair(talk);
  await makeAccount(talk);
  await makeFolders(talk);
  // While nothing runs that would read them, they are kept at once: a build may fail, and nobody likes to answer twice.
  if (currentRelease() === undefined) await keepSettings(talk, changes, home);
  if (source) await makeRelease(talk, source);
  // Only now: an interrupted upgrade may have been taken back.
  const from = currentRelease();
  if (!talk.dryRun) await checkSettings(to, { ...settingsNow(), ...changes });
  if (from !== undefined) await keepSettings(talk, changes, home);
  if (talk.dryRun) await foretell(talk, home, from, to);
  else {
    const isUpgrade = from !== undefined && from !== to && (await state()).LoadState === 'loaded';
    const health = isUpgrade ? await upgrade(talk, from, to, known) : await settle(talk, from, to, known);
    if (source) await rememberSource(talk, source.home);
    await prune(talk);
    if (talk.changes === 0) talk.say('nothing');
    await closing(talk, { bot, health, to });
  }
}

/**
 * The release's own rules for settings, before these are kept and anything is stopped.
 * @param {string} id
 * @param {Record<string, string>} settings
 */
async function checkSettings(id, settings) {
  const folders = { DATA_DIR: PATHS.data, LOG_DIR: PATHS.logs, FLOWS_DIR: PATHS.flows };
  const { problems } = await inside(id, ['settings'], JSON.stringify({ ...folders, ...settings }));
  if (problems.length > 0)
    throw new InstallError(
      'badSettings',
      { path: PATHS.env },
      problems.map((/** @type {string} */ each) => `- ${each}`).join('\n'),
    );
}

/**
 * A first installation, or the release that is there already.
 * @param {Talk} talk
 * @param {string | undefined} from
 * @param {string} to
 * @param {readonly string[]} [known] parts that ailed before an interrupted try
 */
async function settle(talk, from, to, known) {
  if (from !== to) {
    await bringFlows(talk, to);
    await talk.change('switches', { id: to }, () => switchTo(to));
  }
  await keepStaticFiles(talk, releaseHome(to));
  const { ActiveState = '' } = await state();
  const isUp = ['active', 'activating', 'reloading'].includes(ActiveState);
  const isOld = isUp && (await isOutdated());
  if (ActiveState === 'active' && !isOld && known === undefined) return askHealth();
  const since = Date.now();
  if (isOld) await talk.change('restarts', { unit: SERVICE }, async () => stop().then(start));
  else if (!isUp) await talk.change('starts', { unit: SERVICE }, start);
  talk.say('waits');
  const { health, trouble = '' } = await becomesWell(known ?? [], talk.patience);
  if (!health) throw new InstallError('notWell', { trouble }, await lastWords(since));
  return health;
}

/**
 * @param {Talk} talk
 * @param {string} home
 * @param {string | undefined} from
 * @param {string} to
 */
async function foretell(talk, home, from, to) {
  if (from !== to) {
    if (from !== undefined) await talk.change('stops', { unit: SERVICE }, () => {});
    await talk.change('bringsFlows', { path: PATHS.flows }, () => {});
    await talk.change('switches', { id: to }, () => {});
  }
  await keepStaticFiles(talk, existsSync(releaseHome(to)) ? releaseHome(to) : home);
  if (from !== to || (await state()).ActiveState !== 'active')
    await talk.change('starts', { unit: SERVICE }, () => {});
  else if (await isOutdated()) await talk.change('restarts', { unit: SERVICE }, () => {});
  talk.say(talk.changes === 0 ? 'nothing' : 'dryEnd');
}

/**
 * After SERVICES_WHITELIST was edited: what Potion may do, and Potion itself, which reads it at its start.
 * @param {Talk} talk
 */
export async function renewPrivileges(talk) {
  const id = currentRelease();
  if (id === undefined) throw new InstallError('notInstalled');
  if (!talk.dryRun) await checkSettings(id, settingsNow());
  await keepPrivileges(talk, releaseHome(id));
  if ((await state()).ActiveState === 'active' && (await isOutdated()))
    await talk.change('restarts', { unit: SERVICE }, async () => stop().then(start));
  if (talk.changes === 0) talk.say('nothing');
}

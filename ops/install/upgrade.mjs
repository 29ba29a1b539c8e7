// @ts-check
// From one release to another, and back by itself when the new one does not do well.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { keepCopy, maySchemaChange, putCopyBack } from './data.mjs';
import { bringFlows, lastMerge, takeFlowsBack } from './flows.mjs';
import { PATHS, SERVICE } from './paths.mjs';
import { currentRelease, discard, releaseHome, switchTo } from './release.mjs';
import { askHealth, becomesWell, isGood, lastWords, start, state, stop, telegramIsAway } from './service.mjs';
import { keepStaticFiles } from './static-files.mjs';
import { asPotion, InstallError, readIf, run, syncPath, writeWhole } from './system.mjs';

/** @typedef {import('./talk.mjs').Talk} Talk */

/**
 * All that it takes to go back. On the disk from before the first change until the new release is well.
 * @typedef {object} Note
 * @property {string} from
 * @property {string} to
 * @property {string[]} ailing parts of Potion that were not well before
 * @property {string | null} merge see lastMerge()
 * @property {string | null} copy folder with the database from before
 */

/** Between two looks at a Potion that is not well; it may just have been started. */
const PATIENCE = 4_000;

/**
 * @param {Talk} talk
 * @param {string} from
 * @param {string} to a release that is built
 * @param {readonly string[]} [known] parts that were not well before an interrupted try
 * @returns {Promise<import('./service.mjs').Health>} how the new one does
 * @throws {InstallError} when it was rolled back; why, has been said
 */
export async function upgrade(talk, from, to, known) {
  const copy = join(PATHS.copies, `${new Date().toISOString().replace(/[:.]/g, '-')}-${from}`);
  /** @type {Note} */
  const note = {
    from,
    to,
    ailing: known ? [...known] : await lastingTrouble(),
    merge: await lastMerge(to),
    copy: (await maySchemaChange(from, to)) ? copy : null,
  };
  talk.isBusy = true;
  writeWhole(PATHS.underWay, `${JSON.stringify(note)}\n`, 0o644);
  try {
    await talk.change('stops', { unit: SERVICE }, stop);
    if (note.copy) await keepCopy(talk, to, note.copy);
    await bringFlows(talk, to);
    await talk.change('switches', { id: to }, () => switchTo(to));
    await keepStaticFiles(talk, releaseHome(to));
    // Compiled code is kept by the path of its file, so that of older releases would pile up for ever.
    await run(...asPotion(['find', PATHS.cache, '-mindepth', '1', '-delete']));
    const since = Date.now();
    await talk.change('starts', { unit: SERVICE }, start);
    talk.say('waits');
    const { health, trouble = '' } = await becomesWell(note.ailing, talk.patience);
    if (!health) throw new InstallError('notWell', { trouble }, await lastWords(since));
    forget();
    return health;
  } catch (thrown) {
    const trouble = await rollBack(talk, note, thrown);
    throw new InstallError(trouble === undefined ? 'rolledBack' : 'rolledBackIll', {
      from,
      to,
      trouble: trouble ?? '',
      ...reasonOf(talk, thrown),
    });
  } finally {
    talk.isBusy = false;
  }
}

/**
 * @param {Talk} talk
 * @param {unknown} thrown
 * @returns {{ reason: string, words: string }}
 */
function reasonOf(talk, thrown) {
  return thrown instanceof InstallError
    ? { reason: talk.t(thrown.key, thrown.data), words: thrown.detail }
    : { reason: String(thrown), words: '' };
}

/** @returns {Promise<string[]>} parts that are not well now and do not become well by themselves in a moment */
async function lastingTrouble() {
  /** @type {string[] | undefined} */
  let parts;
  for (let look = 0; look < 3; look++) {
    const health = await askHealth();
    if (!health) return [];
    const now = Object.keys(health.ailing);
    parts = (parts ?? now).filter((part) => now.includes(part));
    if (parts.length === 0 || (await isGood(health, [], telegramIsAway))) break;
    await sleep(PATIENCE);
  }
  return parts ?? [];
}

/**
 * @param {Talk} talk
 * @param {Note} note
 * @param {unknown} why
 * @returns {Promise<string | undefined>} why the old one is not well either; undefined: it is
 */
async function rollBack(talk, note, why) {
  const { reason, words } = reasonOf(talk, why);
  talk.say('rollsBack', { from: note.from, to: note.to, reason });
  if (words) talk.line(words.replace(/^/gm, '    | '));
  await restore(talk, note);
  const { health, trouble = '' } = await becomesWell(note.ailing, talk.patience);
  forget();
  discard(note.to);
  return health ? undefined : trouble;
}

/**
 * Everything as it was before, and Potion started. Each step is tried, whatever became of the one before it: an
 * old Potion that runs is worth more than any of them.
 * @param {Talk} talk
 * @param {Note} note
 */
async function restore(talk, { from, to, merge, copy }) {
  const steps = [
    () => stop(),
    () => switchTo(from),
    () => keepStaticFiles(talk, releaseHome(from)),
    () => takeFlowsBack(talk, to, merge),
    () => copy && putCopyBack(talk, to, copy),
    () => start(),
  ];
  for (const step of steps)
    try {
      await step();
    } catch (thrown) {
      const { key, data, detail } =
        thrown instanceof InstallError ? thrown : { key: '', data: {}, detail: String(thrown) };
      talk.say('stepFailed', { what: [key && talk.t(key, data), detail].filter(Boolean).join(' ') });
    }
}

/**
 * Finishes or takes back an upgrade that was cut short (power, SIGKILL).
 * @param {Talk} talk
 * @returns {Promise<readonly string[] | undefined>} the parts that ailed before it; undefined: there was none
 */
export async function repair(talk) {
  const text = readIf(PATHS.underWay);
  if (text === undefined) return undefined;
  /** @type {Note} */
  const note = JSON.parse(text);
  const { from, to } = note;
  if (talk.dryRun) {
    await talk.change('repairs', { from, to }, () => {});
    return note.ailing;
  }
  const isUp = currentRelease() === to && (await state()).ActiveState === 'active';
  const health = isUp ? await askHealth() : undefined;
  if (health && (await isGood(health, note.ailing, async () => false))) {
    await talk.change('finishes', { to }, forget);
    return undefined;
  }
  talk.isBusy = true;
  await talk.change('repairs', { from, to }, () => restore(talk, note));
  forget();
  talk.isBusy = false;
  return note.ailing;
}

function forget() {
  rmSync(PATHS.underWay, { force: true });
  syncPath(PATHS.code);
}

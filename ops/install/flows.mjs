// @ts-check
// The person's flows: the work tree in Potion's data, tended by the release's own program.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PATHS } from './paths.mjs';
import { releaseHome } from './release.mjs';
import { asPotion, InstallError, lastLines, run } from './system.mjs';

/** @typedef {import('./talk.mjs').Talk} Talk */

/**
 * @param {string} id of a release
 * @param {readonly string[]} args
 * @param {string} lang
 */
function flowsCli(id, args, lang) {
  const home = releaseHome(id);
  const cli = join(home, 'ops/install/flows/upgrade-cli.js');
  const flows = ['--flows', PATHS.flows, '--shipped', join(home, 'flows'), '--version', id];
  const [program, all] = asPotion([join(home, '.potion/bin/node'), cli, ...args, ...flows], {
    POTION_LANG: lang,
    POTION_HOME: home,
  });
  return run(program, all);
}

/**
 * The last merge in the person's branch, by which a later one is told.
 * @param {string} id
 * @returns {Promise<string | null>} null when there is none, or no work tree
 */
export async function lastMerge(id) {
  if (!existsSync(join(PATHS.flows, '.git'))) return null;
  const { code, stdout } = await flowsCli(id, ['show', '--json'], 'id');
  return code === 0 ? (JSON.parse(stdout).merge ?? null) : null;
}

/**
 * Brings a release's flows into the person's.
 * @param {Talk} talk
 * @param {string} id
 * @throws {InstallError} and then nothing of theirs was touched
 */
export async function bringFlows(talk, id) {
  await talk.change('bringsFlows', { path: PATHS.flows }, async () => {
    const { code, stdout, stderr } = await flowsCli(id, ['upgrade'], talk.lang);
    if (code !== 0) throw new InstallError('flowsFailed', {}, lastLines(stderr || stdout));
    for (const line of stdout.trim().split('\n')) talk.line(`    ${line}`);
  });
}

/**
 * Undoes what bringFlows() did since `before`. What the person had is on their branch again; nothing gets lost.
 * @param {Talk} talk
 * @param {string} id
 * @param {string | null} before what lastMerge() said then
 */
export async function takeFlowsBack(talk, id, before) {
  const now = await lastMerge(id);
  if (now === null || now === before) return;
  await talk.change('takesFlowsBack', { path: PATHS.flows }, async () => {
    const { code, stdout, stderr } = await flowsCli(id, ['rollback', `${now}^1`], talk.lang);
    // The old version starts with the new flows then; better than not at all.
    if (code !== 0) talk.say('flowsStay', { why: lastLines(stderr || stdout, 3) });
  });
}

// @ts-check
// The copy of the database that an upgrade keeps, made and put back by Potion's user.
import { join } from 'node:path';
import { PATHS } from './paths.mjs';
import { releaseHome } from './release.mjs';
import { asPotion, InstallError, lastLines, run } from './system.mjs';

/** @typedef {import('./talk.mjs').Talk} Talk */

/**
 * Runs a command of inside.mjs with a release's own Node and as Potion's user.
 * @param {string} id
 * @param {readonly string[]} args
 * @param {string} [input]
 */
export async function inside(id, args, input) {
  const home = releaseHome(id);
  const [program, all] = asPotion([
    join(home, '.potion/bin/node'),
    '--no-warnings',
    join(home, 'ops/install/inside.mjs'),
    ...args,
  ]);
  const { code, stdout, stderr } = await run(program, all, { input });
  if (code !== 0) throw new InstallError('insideFailed', { what: args[0] ?? '' }, lastLines(stderr));
  return JSON.parse(stdout);
}

/**
 * Whether a release knows other migrations of the database than the one before it.
 * @param {string} from
 * @param {string} to
 */
export async function maySchemaChange(from, to) {
  const known = async (/** @type {string} */ id) => JSON.stringify(await inside(id, ['known-migrations']));
  return (await known(from).catch(() => undefined)) !== (await known(to));
}

/**
 * Copies the database of a Potion that is stopped.
 * @param {Talk} talk
 * @param {string} id of the release that does it
 * @param {string} folder
 */
export async function keepCopy(talk, id, folder) {
  await talk.change('copiesDatabase', { path: folder }, () => inside(id, ['copy', PATHS.database, folder]));
}

/**
 * Puts the copy back where the database was changed since, so that the older version can read it.
 * @param {Talk} talk
 * @param {string} id
 * @param {string} folder
 */
export async function putCopyBack(talk, id, folder) {
  const { changed } = await inside(id, ['is-changed', PATHS.database, folder]);
  if (changed)
    await talk.change('restoresDatabase', { path: folder }, () =>
      inside(id, ['restore', PATHS.database, folder]),
    );
}

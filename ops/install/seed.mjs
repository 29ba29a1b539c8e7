// @ts-check
// Packages and Node that are on this machine already need not be fetched again.
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { must, readIf } from './system.mjs';

/** @typedef {import('./talk.mjs').Talk} Talk */

/**
 * What can be taken over: where it lies, what it is made from, and the note of ops/setup/run.mjs that says from
 * which content of that.
 */
const PARTS = [
  { name: 'packages', folder: 'node_modules', lock: 'package-lock.json', stamp: '.potion/packages.stamp' },
  {
    name: 'node',
    folder: '.potion/node',
    lock: 'ops/setup/node/package-lock.json',
    stamp: '.potion/node/.stamp',
  },
];

/**
 * Fills a new release from the first of the others that has the same. Only releases are linked, which belong to
 * root; a clone's files somebody else may change.
 * @param {Talk} talk
 * @param {string} fresh
 * @param {string} clone
 * @param {readonly string[]} others releases, newest first
 */
export async function seed(talk, fresh, clone, others) {
  for (const part of PARTS) {
    const wanted = hashOf(join(fresh, part.lock));
    const from = [...others, clone].find((home) => has(home, part, wanted));
    if (!from) {
      if (part.name === 'packages') talk.say('fetches');
      continue;
    }
    const to = join(fresh, part.folder);
    mkdirSync(to, { recursive: true });
    const how =
      from === clone ? ['--preserve=mode,timestamps', '--reflink=auto'] : ['--preserve=all', '--link'];
    // The trailing /. takes what is in it, also where it is a link.
    await must('cp', ['--recursive', '--no-dereference', ...how, `${join(from, part.folder)}/.`, to]).catch(
      // Another file system, or one without links: the packages are fetched then.
      () => rmSync(to, { recursive: true, force: true }),
    );
    // Own files where something is written in place.
    rmSync(join(fresh, part.stamp), { force: true });
    if (existsSync(to)) cpSync(join(from, part.stamp), join(fresh, part.stamp));
  }
}

/**
 * Whether a release has what others can share.
 * @param {string} home
 */
export function linkable(home) {
  return existsSync(join(home, PARTS[0]?.stamp ?? ''));
}

/**
 * @param {string} home
 * @param {(typeof PARTS)[number]} part
 * @param {string | undefined} wanted
 */
function has(home, { folder, stamp }, wanted) {
  return wanted !== undefined && readIf(join(home, stamp)) === wanted && existsSync(join(home, folder));
}

/** @param {string} file */
function hashOf(file) {
  const text = readIf(file);
  return text === undefined ? undefined : createHash('sha256').update(text).digest('hex');
}

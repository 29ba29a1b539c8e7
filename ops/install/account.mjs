// @ts-check
// Potion's user and the folders.
import { chmodSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { GROUPS, PATHS, USER } from './paths.mjs';
import { InstallError, must, run } from './system.mjs';

/** @typedef {import('./talk.mjs').Talk} Talk */

/** Folders of Potion's user. */
const OWN = [PATHS.data, PATHS.logs, PATHS.cache];
/** Folders of root that everyone may look into. */
const ROOTS = [PATHS.code, PATHS.releases, PATHS.settings];

/**
 * @returns {Promise<{ uid: number, gid: number, shell: string } | undefined>}
 * @throws {InstallError} when the name belongs to a person
 */
export async function account() {
  const { code, stdout } = await run('getent', ['passwd', USER]);
  if (code !== 0) return undefined;
  const [, , uid, gid, , , shell = ''] = stdout.trim().split(':');
  // Debian gives these to people.
  if (Number(uid) >= 1000 || Number(uid) === 0) throw new InstallError('userIsPerson', { user: USER });
  return { uid: Number(uid), gid: Number(gid), shell };
}

/** @param {Talk} talk */
export async function makeAccount(talk) {
  const user = await account();
  const groups = [];
  for (const name of GROUPS) if ((await run('getent', ['group', name])).code === 0) groups.push(name);
  if ((await run('getent', ['group', USER])).code !== 0)
    await talk.change('makesGroup', { group: USER }, () => must('groupadd', ['--system', USER]));
  if (!user)
    await talk.change('makesUser', { user: USER }, () =>
      must('useradd', [
        ...['--system', '--gid', USER, '--home-dir', PATHS.data, '--no-create-home'],
        ...['--shell', '/usr/sbin/nologin', '--comment', 'Potion', USER],
      ]),
    );
  const has = (await run('id', ['-nG', USER])).stdout.trim().split(/\s+/);
  const lacking = groups.filter((name) => !has.includes(name));
  if (lacking.length > 0)
    await talk.change('joinsGroups', { user: USER, groups: lacking.join(', ') }, () =>
      must('usermod', ['--append', '--groups', lacking.join(','), USER]),
    );
}

/** @param {Talk} talk */
export async function makeFolders(talk) {
  const user = await account();
  for (const path of ROOTS)
    if (!existsSync(path))
      await talk.change('makesFolder', { path }, () => {
        mkdirSync(path, { recursive: true, mode: 0o755 });
        chmodSync(path, 0o755);
      });
  for (const path of OWN) {
    if (!existsSync(path))
      await talk.change('makesFolder', { path }, () => {
        mkdirSync(path, { recursive: true, mode: 0o750 });
        chmodSync(path, 0o750);
        return must('chown', [`${USER}:${USER}`, path]);
      });
    // An earlier Potion was removed and left it: the user has another number now.
    else if (!user || statSync(path).uid !== user.uid)
      await talk.change('takesFolder', { path, user: USER }, () => own(path, `${USER}:${USER}`));
  }
}

/**
 * Gives a folder with all that is in it to somebody else. Links are not followed.
 * @param {string} path
 * @param {string} owner
 */
export function own(path, owner) {
  // It does the folder itself last: a call that was cut short is seen by that and done again.
  return must('chown', ['--recursive', '-P', '--no-dereference', owner, path]);
}

/** @returns {string[]} folders of Potion's user that are there */
export function ownFolders() {
  return OWN.filter((path) => existsSync(path));
}

// @ts-check
// Releases: the code of one commit each, built, in a folder of its own.
import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { KEPT, PATHS } from './paths.mjs';
import { linkable, seed } from './seed.mjs';
import { asPotion, InstallError, must, readIf, run, syncPath } from './system.mjs';

/** @typedef {import('./talk.mjs').Talk} Talk */

/**
 * The code that is to be installed.
 * @typedef {object} Source
 * @property {string} home the clone
 * @property {string} commit
 * @property {string} version as in package.json
 * @property {string} id of the release that it becomes
 * @property {boolean} anew nothing of other releases is taken over
 */

/** Last of all that is written into a release. */
const SEAL = '.potion/release.json';
/** Bytes that packages and Node take when they can't be shared with another release. */
const ROOM = 900e6;

/**
 * Finds out what the clone holds.
 * @param {Talk} talk
 * @param {string} home
 * @param {boolean} [anew] the release that is installed, too, is built again
 * @returns {Promise<Source | undefined>} undefined when `home` is itself a release
 */
export async function readSource(talk, home, anew = false) {
  if (existsSync(join(home, SEAL))) return undefined;
  const head = await run('git', [...git(home), 'rev-parse', '--verify', 'HEAD']);
  if (head.code !== 0) throw new InstallError('noClone', { home }, head.stderr.trim());
  const commit = head.stdout.trim();
  const { version } = JSON.parse(await must('git', [...git(home), 'show', `${commit}:package.json`]));
  const changed = (await must('git', [...git(home), 'status', '--porcelain'])).split('\n').filter(Boolean);
  if (changed.length > 0) talk.say('uncommitted', { count: changed.length, home });
  const current = currentRelease();
  const isInstalled = current !== undefined && sealOf(current).commit === commit;
  const name = nameOf(version, commit);
  return { home, commit, version, id: anew ? freeName(version, commit) : isInstalled ? current : name, anew };
}

const nameOf = (/** @type {string} */ version, /** @type {string} */ commit) =>
  `${version}-${commit.slice(0, 7)}`;

/**
 * @param {string} version
 * @param {string} commit
 */
function freeName(version, commit) {
  for (let n = 1; ; n++) {
    const id = nameOf(n === 1 ? version : `${version}-${n}`, commit);
    if (!existsSync(releaseHome(id))) return id;
  }
}

/**
 * What a release says of itself.
 * @param {string} id
 * @returns {{ version?: string, commit?: string }}
 */
export function sealOf(id) {
  return JSON.parse(readIf(join(releaseHome(id), SEAL)) ?? '{}');
}

// The clone usually belongs to a person, and git would refuse to read it as root.
// Nothing of it is changed, not even git's own notes, which would then belong to root.
export const git = (/** @type {string} */ home) => [
  ...['--no-optional-locks', '-c', 'safe.directory=*', '-c', 'core.fsmonitor=false', '-c', 'tar.umask=0022'],
  ...['-C', home],
];

/** @param {string} id */
export const releaseHome = (id) => join(PATHS.releases, id);

/** @returns {string | undefined} id of the release that the link leads to */
export function currentRelease() {
  try {
    const id = basename(readlinkSync(PATHS.current));
    return existsSync(join(releaseHome(id), SEAL)) ? id : undefined;
  } catch {
    return undefined;
  }
}

/** @returns {string[]} complete releases, newest first */
export function releases() {
  if (!existsSync(PATHS.releases)) return [];
  const made = (/** @type {string} */ id) => statSync(join(releaseHome(id), SEAL)).mtimeMs;
  return readdirSync(PATHS.releases)
    .filter((id) => existsSync(join(releaseHome(id), SEAL)))
    .sort((a, b) => made(b) - made(a));
}

/**
 * Builds the release beside the running one, unless it is there. A failure leaves nothing behind.
 * @param {Talk} talk
 * @param {Source} source
 */
export async function makeRelease(talk, source) {
  const { id } = source;
  const home = releaseHome(id);
  if (existsSync(join(home, SEAL))) return;
  await talk.change('builds', { id, path: home }, async () => {
    const fresh = `${home}.new`;
    rmSync(fresh, { recursive: true, force: true });
    checkRoom();
    mkdirSync(fresh, { mode: 0o755 });
    try {
      await unpack(source, fresh);
      await seed(talk, fresh, source.home, source.anew ? [] : releases().map(releaseHome));
      await build(fresh);
      await linkNode(fresh);
      writeFileSync(
        join(fresh, SEAL),
        `${JSON.stringify({ version: source.version, commit: source.commit })}\n`,
      );
      // Nobody but root may change it, everybody may read it, whatever the clone's files were like.
      await must('chmod', ['--recursive', 'u+rwX,go+rX,go-w', fresh]);
      // Renamed before it is on the disk, it could be full of empty files after a power cut.
      await must('sync', ['--file-system', fresh]);
      renameSync(fresh, home);
      syncPath(PATHS.releases);
    } catch (thrown) {
      rmSync(fresh, { recursive: true, force: true });
      throw thrown;
    }
  });
}

function checkRoom() {
  const { bavail, bsize } = statfsSync(PATHS.releases);
  const free = bavail * bsize;
  const wanted = releases().some((id) => linkable(releaseHome(id))) ? ROOM / 6 : ROOM;
  if (free < wanted)
    throw new InstallError('noRoom', {
      free: Math.round(free / 1e6),
      wanted: Math.round(wanted / 1e6),
      path: PATHS.code,
    });
}

/**
 * @param {Source} source
 * @param {string} to
 */
async function unpack({ home, commit }, to) {
  const archive = join(to, '.tar');
  await must('git', [...git(home), 'archive', '--format=tar', `--output=${archive}`, commit]);
  await must('tar', ['--extract', '--no-same-owner', `--file=${archive}`, `--directory=${to}`]);
  rmSync(archive);
}

/**
 * The same build that `npm start` does: packages where they are missing, Node where the machine's is too old.
 * @param {string} home
 */
async function build(home) {
  const cache = join(home, '.potion', 'compiled');
  const code = await new Promise((resolve) => {
    const child = spawn(process.execPath, [join(home, 'ops/setup/run.mjs'), 'build'], {
      cwd: home,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { PATH: process.env.PATH, HOME: '/root', POTION_HOME: home, NODE_COMPILE_CACHE: cache },
    });
    child.on('error', () => resolve(-1));
    child.on('close', resolve);
  });
  rmSync(cache, { recursive: true, force: true });
  if (code !== 0) throw new InstallError('buildFailed');
}

/**
 * A name that stays for the Node that runs this release: Potion's own where it was fetched, else the machine's.
 * @param {string} home
 */
async function linkNode(home) {
  const bin = join(home, '.potion', 'bin');
  mkdirSync(bin, { recursive: true });
  const own = join('..', 'node', 'node_modules', `node-linux-${process.arch}`, 'bin', 'node');
  const target = existsSync(join(bin, own)) ? own : process.execPath;
  symlinkSync(target, join(bin, 'node'));
  const [program, args] = asPotion([join(bin, 'node'), '--eval', 'require("node:sqlite")']);
  const { code, stderr } = await run(program, args);
  if (code !== 0) throw new InstallError('nodeUnfit', { node: target }, stderr.trim());
}

/**
 * Lets the link lead to a release, or away from all.
 * @param {string | undefined} id
 */
export function switchTo(id) {
  const next = `${PATHS.current}.new`;
  rmSync(next, { force: true });
  if (id === undefined) rmSync(PATHS.current, { force: true });
  else {
    symlinkSync(join('releases', id), next);
    renameSync(next, PATHS.current);
  }
  syncPath(PATHS.code);
}

/** @param {string} id */
export function discard(id) {
  // Without its seal it is no release, should this be cut short.
  rmSync(join(releaseHome(id), SEAL), { force: true });
  rmSync(releaseHome(id), { recursive: true, force: true });
}

/**
 * Removes what was left half made, and the oldest releases.
 * @param {Talk} talk
 */
export async function prune(talk) {
  if (!existsSync(PATHS.releases)) return;
  const current = currentRelease();
  const whole = releases();
  const kept = new Set([current, ...whole.filter((id) => id !== current).slice(0, KEPT - 1)]);
  const extra = readdirSync(PATHS.releases).filter((id) => !kept.has(id));
  for (const id of extra) await talk.change('removes', { path: releaseHome(id) }, () => discard(id));
}

/** @param {string} id @returns {string} */
export function versionOf(id) {
  return sealOf(id).version ?? id;
}

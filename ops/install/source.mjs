// @ts-check
// Where new versions of Potion come from: the remote and branch of the clone that was installed from, kept where
// only root can change them.
import { lstatSync, realpathSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { readEnv } from './env-file.mjs';
import { PATHS } from './paths.mjs';
import { git } from './release.mjs';
import { readIf, run, writeWhole } from './system.mjs';

/** @typedef {import('./talk.mjs').Talk} Talk */
/** @typedef {{ url: string, branch: string }} Remote */

/** Ways to fetch on which nobody can put in something else, and files of this machine. */
const URL = /^(https:\/\/[^\s/-]\S*|ssh:\/\/[^\s/-]\S*|[\w.-]+@[\w.-]+:[^\s-]\S*|(file:\/\/)?\/\S+)$/;
const BRANCH = /^(?!-)(?!.*(\.\.|\/\/|@\{|\.lock$|[./]$))[\w][\w./+@-]{0,199}$/;

/** Why nothing can be fetched or installed from there: the facts for whoever asked. */
export class SourceError extends Error {
  /**
   * @param {string} reason
   * @param {string} [detail]
   */
  constructor(reason, detail = '') {
    super(`${reason}: ${detail}`);
    this.reason = reason;
    this.detail = detail;
  }
}

/**
 * Remembers the clone's remote and branch, whatever they were before: who installs from a clone wants its news.
 * @param {Talk} talk
 * @param {string} home the clone
 */
export async function rememberSource(talk, home) {
  if (realpathSync(home) === PATHS.source) return;
  const remote = await remoteOf(home);
  if (!remote) return;
  if (!isFit(remote)) talk.say('sourceUnfit', { url: withoutSecret(remote.url), branch: remote.branch });
  else if (JSON.stringify(remote) !== JSON.stringify(parsed(readIf(PATHS.sourceConf) ?? '')))
    await talk.change('writes', { path: PATHS.sourceConf }, () =>
      writeWhole(PATHS.sourceConf, fileOf(talk, remote), 0o600),
    );
}

/**
 * @param {string} home
 * @returns {Promise<Remote | undefined>} undefined: no branch is checked out, or it follows none
 */
async function remoteOf(home) {
  const ask = async (/** @type {string[]} */ ...args) => {
    const { code, stdout } = await run('git', [...git(home), ...args]);
    return code === 0 ? stdout.trim() : '';
  };
  const branch = await ask('symbolic-ref', '--quiet', '--short', 'HEAD');
  if (!branch) return undefined;
  const name = (await ask('config', `branch.${branch}.remote`)) || 'origin';
  const merge = (await ask('config', `branch.${branch}.merge`)).replace(/^refs\/heads\//, '');
  const url = name === '.' ? '' : await ask('remote', 'get-url', '--', name);
  if (!url) return undefined;
  const isRelative = /^\.{1,2}\//.test(url);
  return { url: isRelative ? join(home, url) : url, branch: merge || branch };
}

/** @param {Remote} remote */
const isFit = ({ url, branch }) => URL.test(url) && BRANCH.test(branch);

/**
 * @param {Talk} talk
 * @param {Remote} remote
 */
function fileOf(talk, { url, branch }) {
  const head = talk.t('sourceHead').split('\n');
  return `${head.map((line) => `# ${line}`).join('\n')}\nURL=${url}\nBRANCH=${branch}\n`;
}

/**
 * @param {string} text
 * @returns {Remote}
 */
function parsed(text) {
  const { URL: url = '', BRANCH: branch = '' } = readEnv(text);
  return { url, branch };
}

/**
 * What root has written down.
 * @returns {Remote}
 * @throws {SourceError} when there is nothing, or somebody else could have written it
 */
export function readRemote() {
  const text = readIf(PATHS.sourceConf);
  if (text === undefined) throw new SourceError('no-source', PATHS.sourceConf);
  refuseForeign(PATHS.sourceConf);
  const remote = parsed(text);
  if (!isFit(remote)) throw new SourceError('bad-source', PATHS.sourceConf);
  return remote;
}

/**
 * Makes sure that a path, and all that leads to it, is root's alone and no link.
 * @param {string} path absolute
 * @throws {SourceError}
 */
export function refuseForeign(path) {
  if (!isAbsolute(path)) throw new SourceError('foreign', path);
  for (let each = path; ; each = dirname(each)) {
    const facts = lstatSync(each);
    if (facts.uid !== 0 || facts.isSymbolicLink() || (facts.mode & 0o022) !== 0)
      throw new SourceError('foreign', each);
    if (each === dirname(each)) return;
  }
}

/**
 * An address as it may be shown.
 * @param {string} url
 */
export function withoutSecret(url) {
  return url.replace(/^(\w+:\/\/)[^/@]*@/, '$1');
}

// @ts-check
// Root's own clone of Potion: fetched from the remote that the installer has remembered, and nowhere else.
import { existsSync, lstatSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { PATHS } from './paths.mjs';
import { refuseForeign, SourceError, withoutSecret } from './source.mjs';
import { lastLines, run } from './system.mjs';

/** @typedef {import('./source.mjs').Remote} Remote */

/** Nothing that stands in the clone or in what is fetched may run or ask. */
const SETTINGS = [
  ...['core.hooksPath=/dev/null', 'core.fsmonitor=false', 'core.attributesFile=/dev/null'],
  ...['core.autocrlf=false', 'core.quotePath=false', 'core.sshCommand=', 'submodule.recurse=false'],
  ...['fetch.recurseSubmodules=no', 'gc.auto=0', 'maintenance.auto=false', 'advice.detachedHead=false'],
  ...['log.showSignature=false', 'log.mailmap=false', 'color.ui=false'],
];

/** Nobody is there to type a password; a line on which nothing moves any more is given up. */
const ENVIRONMENT = {
  GIT_TERMINAL_PROMPT: '0',
  GIT_ASKPASS: '/bin/false',
  SSH_ASKPASS: '/bin/false',
  GIT_SSH_COMMAND: 'ssh -o BatchMode=yes -o ConnectTimeout=20 -o ServerAliveInterval=10',
  GIT_ALLOW_PROTOCOL: 'https:ssh:file',
  GIT_HTTP_LOW_SPEED_LIMIT: '1000',
  GIT_HTTP_LOW_SPEED_TIME: '30',
  GIT_PAGER: 'cat',
  GIT_OPTIONAL_LOCKS: '0',
};

/** Seconds; a first fetch over a slow line takes a while. */
const WITHIN = '240';
const REF = 'refs/remotes/potion/branch';
/** What a message has room for. */
const MOST_COMMITS = 30;
const MOST_NEWS = 40;
const BETWEEN = '\u001f';

/**
 * What there is to come.
 * @typedef {object} News
 * @property {'current' | 'incoming' | 'diverged'} state diverged: what is installed is no part of the branch
 * @property {{ commit: string, version: string }} from
 * @property {{ commit: string, version: string }} to
 * @property {string} url without a password
 * @property {string} branch
 * @property {number} count commits
 * @property {{ commit: string, at: number, by: string, subject: string }[]} commits the newest, epoch ms
 * @property {number} files that change
 * @property {string[]} news lines that CHANGELOG.md gains
 */

/** @param {readonly string[]} args */
function git(args) {
  const settings = SETTINGS.flatMap((setting) => ['-c', setting]);
  const limit = ['--kill-after=10', WITHIN];
  return run('timeout', [...limit, 'git', ...settings, '-C', PATHS.source, ...args], { env: ENVIRONMENT });
}

/**
 * @param {string[]} args
 * @returns {Promise<string>} what it says, without white space around it
 * @throws {SourceError}
 */
async function must(...args) {
  const { code, stdout, stderr } = await git(args);
  if (code !== 0) throw new SourceError('git-failed', `git ${args[0]}: ${lastLines(stderr, 3)}`);
  return stdout.trim();
}

/**
 * Brings the branch up to date in the clone, which is made where there is none.
 * @param {Remote} remote
 * @returns {Promise<string>} the newest commit
 * @throws {SourceError}
 */
export async function fetchBranch({ url, branch }) {
  refuseForeign(PATHS.code);
  if (lstatSync(PATHS.source, { throwIfNoEntry: false }) === undefined)
    mkdirSync(PATHS.source, { mode: 0o755 });
  refuseForeign(PATHS.source);
  const own = join(PATHS.source, '.git');
  if (lstatSync(own, { throwIfNoEntry: false }) === undefined) await must('init', '--quiet', '--template=');
  for (const part of ['', 'config', 'HEAD', 'objects', 'refs', 'info', 'hooks'])
    if (existsSync(join(own, part))) refuseForeign(join(own, part));
  const refspec = `+refs/heads/${branch}:${REF}`;
  const { code, stderr } = await git(['fetch', '--quiet', '--no-tags', '--prune', '--', url, refspec]);
  if (code !== 0)
    throw new SourceError(
      'fetch-failed',
      withoutSecret(lastLines(stderr.replaceAll(url, withoutSecret(url)), 3)),
    );
  return must('rev-parse', '--verify', `${REF}^{commit}`);
}

/** @param {string} commit */
async function isKnown(commit) {
  return (await git(['cat-file', '-e', `${commit}^{commit}`])).code === 0;
}

/**
 * @param {string} older
 * @param {string} newer
 */
async function leadsTo(older, newer) {
  return (await git(['merge-base', '--is-ancestor', older, newer])).code === 0;
}

/**
 * @param {Remote} remote
 * @param {{ commit: string, version: string }} from what is installed
 * @returns {Promise<News>}
 * @throws {SourceError}
 */
export async function newsOf(remote, from) {
  const tip = await fetchBranch(remote);
  const shown = { from, url: withoutSecret(remote.url), branch: remote.branch };
  const to = { commit: tip, version: await versionOf(tip) };
  const none = { ...shown, to, count: 0, commits: [], files: 0, news: [] };
  if (tip === from.commit) return { state: 'current', ...none };
  if (!(await isKnown(from.commit)) || !(await leadsTo(from.commit, tip))) {
    // Somebody has installed something newer by hand.
    const isAhead = (await isKnown(from.commit)) && (await leadsTo(tip, from.commit));
    return { state: isAhead ? 'current' : 'diverged', ...none };
  }
  const range = `${from.commit}..${tip}`;
  const files = await must('diff', '--name-only', '--no-ext-diff', '--no-renames', range, '--');
  return {
    state: 'incoming',
    ...shown,
    to,
    count: Number(await must('rev-list', '--count', range, '--')),
    commits: await commitsOf(range),
    files: files === '' ? 0 : files.split('\n').length,
    news: await changelogOf(range),
  };
}

/** @param {string} range */
async function commitsOf(range) {
  const format = `--format=%H${BETWEEN}%ct${BETWEEN}%an${BETWEEN}%s`;
  const lines = (await must('log', format, `--max-count=${MOST_COMMITS}`, range, '--')).split('\n');
  return lines.filter(Boolean).map((line) => {
    const [commit = '', at, by = '', subject = ''] = line.split(BETWEEN);
    return { commit, at: Number(at) * 1000, by: by.slice(0, 60), subject: subject.slice(0, 200) };
  });
}

/** @param {string} range */
async function changelogOf(range) {
  const diff = await must(
    'diff',
    '--unified=0',
    '--no-ext-diff',
    '--no-textconv',
    range,
    '--',
    'CHANGELOG.md',
  );
  return diff
    .split('\n')
    .filter((line) => /^\+(?!\+\+)\s*\S/.test(line))
    .slice(0, MOST_NEWS)
    .map((line) => line.slice(1, 300));
}

/** @param {string} commit */
async function versionOf(commit) {
  try {
    return String(JSON.parse(await must('show', `${commit}:package.json`)).version);
  } catch {
    throw new SourceError('not-potion', commit.slice(0, 7));
  }
}

/**
 * Checks a commit out, if it is one of the remote's branch and nothing older than what is installed.
 * @param {Remote} remote
 * @param {string} commit its full id
 * @param {string} installed
 * @throws {SourceError}
 */
export async function checkOut(remote, commit, installed) {
  const tip = await fetchBranch(remote);
  if (!(await isKnown(commit)) || !(await leadsTo(commit, tip)))
    throw new SourceError('not-on-branch', `${commit.slice(0, 7)} ${remote.branch}`);
  if (!(await isKnown(installed)) || !(await leadsTo(installed, commit)))
    throw new SourceError('not-forward', `${installed.slice(0, 7)} ${commit.slice(0, 7)}`);
  await must('checkout', '--quiet', '--force', '--detach', commit);
  await must('clean', '--quiet', '-ffdx');
}

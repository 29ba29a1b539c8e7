// @ts-check
// Programs and files.
import { spawn } from 'node:child_process';
import { chmodSync, closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { USER } from './paths.mjs';

/**
 * What a person reads: a text of texts.mjs and what it is about. `detail` is shown below it as it is.
 */
export class InstallError extends Error {
  /**
   * @param {string} key
   * @param {Record<string, string | number>} [data]
   * @param {string} [detail]
   */
  constructor(key, data = {}, detail = '') {
    super(key);
    this.key = key;
    this.data = data;
    this.detail = detail;
  }
}

/**
 * @typedef {object} Result
 * @property {number} code -1: it could not be started or was ended by a signal
 * @property {string} stdout
 * @property {string} stderr
 */

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * Runs a program to its end, in a session of its own, so that neither Ctrl-C nor a lost connection ends it
 * halfway. Never rejects.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ input?: string, cwd?: string, env?: Record<string, string> }} [options]
 * @returns {Promise<Result>}
 */
export function run(program, args, { input = '', cwd = '/', env = {} } = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd,
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH ?? PATH, HOME: '/root', LC_ALL: 'C.UTF-8', ...env },
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text;
    });
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    child.on('error', (error) => resolve({ code: -1, stdout, stderr: String(error) }));
    child.on('close', (code) => resolve({ code: code ?? -1, stdout, stderr }));
  });
}

/**
 * As run(), for what has to work.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ input?: string, cwd?: string, env?: Record<string, string> }} [options]
 * @returns {Promise<string>} stdout without white space around it
 * @throws {InstallError}
 */
export async function must(program, args, options) {
  const { code, stdout, stderr } = await run(program, args, options);
  if (code !== 0)
    throw new InstallError(
      'programFailed',
      { program: [program, ...args].join(' '), code },
      lastLines(stderr || stdout),
    );
  return stdout.trim();
}

/**
 * The arguments that run a program as Potion's user, with none of our rights, environment or terminal. All that
 * lies in a folder of that user is written and read so: as root a link put there could lead anywhere.
 * @param {readonly string[]} args
 * @param {Record<string, string>} [env]
 */
export function asPotion(args, env = {}) {
  const vars = Object.entries({ PATH, HOME: '/var/lib/potion', LC_ALL: 'C.UTF-8', ...env });
  return /** @type {[string, string[]]} */ ([
    'setpriv',
    [
      ...[`--reuid=${USER}`, `--regid=${USER}`, '--init-groups', '--no-new-privs'],
      ...['--inh-caps=-all', '--bounding-set=-all', '--'],
      ...['env', '-i', '-C', '/', ...vars.map(([name, value]) => `${name}=${value}`)],
      ...args,
    ],
  ]);
}

/**
 * @param {string} text
 * @param {number} [count]
 */
export function lastLines(text, count = 15) {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}

/**
 * @param {string} path
 * @returns {string | undefined} undefined when there is no such file
 */
export function readIf(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch (thrown) {
    if (/** @type {NodeJS.ErrnoException} */ (thrown).code === 'ENOENT') return undefined;
    throw thrown;
  }
}

/**
 * Puts a file in its place as a whole; after a power cut it is the old one or the new one.
 * @param {string} path in a folder of root
 * @param {string} text
 * @param {number} mode
 */
export function writeWhole(path, text, mode) {
  // A name that logrotate, systemd and polkit all pass over, should it stay behind.
  const next = `${path}.potion~`;
  writeFileSync(next, text, { mode });
  chmodSync(next, mode);
  syncPath(next);
  renameSync(next, path);
  syncPath(dirname(path));
}

/**
 * Brings a file or folder itself to the disk.
 * @param {string} path
 */
export function syncPath(path) {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

// @ts-check
// What root does for /git_pull; started by Potion's helper and by potion-upgrade@.service, on whatever Node runs
// the installed release:
//   pull.mjs show            fetches, and tells as one line of JSON what there is to come
//   pull.mjs apply <commit>  installs that commit of the remembered branch; last-upgrade.json tells what came of it
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PATHS } from './paths.mjs';
import { currentRelease, releaseHome } from './release.mjs';
import { readRemote, SourceError } from './source.mjs';
import { checkOut, newsOf } from './source-clone.mjs';
import { lastLines, readIf, writeWhole } from './system.mjs';

/**
 * What is written to last-upgrade.json.
 * @typedef {object} Record
 * @property {'running' | 'upgraded' | 'rolled-back' | 'failed' | 'refused'} state
 * @property {string} commit that was asked for
 * @property {{ id: string, commit: string, version: string }} from
 * @property {number} startedAt epoch ms
 * @property {number} [endedAt] epoch ms
 * @property {string} [id] of the release that runs now
 * @property {string} [step] what is being done
 * @property {string} [reason] for `refused` a word, else in the words of the installer
 * @property {string} [detail]
 */

/** The rest of what a program says stays in the journal. */
const KEPT = 20_000;

function installed() {
  const id = currentRelease();
  if (id === undefined) throw new SourceError('not-installed', PATHS.current);
  const { commit, version } = JSON.parse(readFileSync(join(releaseHome(id), '.potion/release.json'), 'utf8'));
  return { id, commit: String(commit), version: String(version) };
}

async function show() {
  try {
    const { commit, version } = installed();
    say(await newsOf(readRemote(), { commit, version }));
  } catch (thrown) {
    if (!(thrown instanceof SourceError)) throw thrown;
    say({ error: { reason: thrown.reason, detail: thrown.detail } });
  }
}

/** @param {string} commit */
async function apply(commit) {
  if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(commit)) throw new Error(`${commit} is no id of a commit`);
  const from = installed();
  /** @type {Record} */
  const record = { state: 'running', commit, from, startedAt: Date.now() };
  write(record);
  try {
    await checkOut(readRemote(), commit, from.commit);
  } catch (thrown) {
    const [reason, detail] =
      thrown instanceof SourceError ? [thrown.reason, thrown.detail] : ['git-failed', String(thrown)];
    end({ ...record, state: 'refused', reason, detail });
    return 1;
  }
  const { code, report, said } = await install(commit === from.commit, (step) => write({ ...record, step }));
  const id = currentRelease();
  const base = { ...record, ...(id === undefined ? {} : { id }) };
  if (code === 0) end({ ...base, state: 'upgraded' });
  else if (report?.rolledBack)
    end({ ...base, state: 'rolled-back', reason: report.reason, detail: report.detail });
  else end({ ...base, state: 'failed', reason: report?.reason ?? said, detail: report?.detail ?? '' });
  return code;
}

/**
 * Runs the new version's own installer, which upgrades beside the running release and goes back by itself.
 * @param {boolean} again the release that is installed, built anew
 * @param {(step: string) => void} tell
 * @returns {Promise<{ code: number, report?: { reason: string, detail: string, rolledBack: boolean }, said: string }>}
 */
function install(again, tell) {
  const folder = mkdtempSync(join(tmpdir(), 'potion-upgrade-'));
  const file = join(folder, 'report.json');
  const program = join(PATHS.source, 'ops/install/install.sh');
  return new Promise((resolve) => {
    const child = spawn(program, ['--yes', ...(again ? ['--rebuild'] : [])], {
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH, HOME: '/root', LC_ALL: 'C.UTF-8', POTION_REPORT: file },
    });
    let said = '';
    const take = (/** @type {string} */ text) => {
      process.stdout.write(text);
      said = (said + text).slice(-KEPT);
      const step = [...text.matchAll(/^ {2}• (.+)$/gm)].at(-1)?.[1];
      if (step) tell(step);
    };
    child.stdout.setEncoding('utf8').on('data', take);
    child.stderr.setEncoding('utf8').on('data', take);
    child.on('error', (error) => resolve({ code: 1, said: String(error) }));
    child.on('close', (code) => {
      const text = readIf(file);
      rmSync(folder, { recursive: true, force: true });
      resolve({ code: code ?? 1, said: lastLines(said, 5), ...(text ? { report: JSON.parse(text) } : {}) });
    });
  });
}

/** @param {Record} record */
function end(record) {
  write({ ...record, endedAt: Date.now() });
  process.stdout.write(`${record.state} ${record.reason ?? ''} ${record.detail ?? ''}\n`);
}

/** @param {Record} record */
function write(record) {
  writeWhole(PATHS.lastUpgrade, `${JSON.stringify(record)}\n`, 0o644);
}

/** @param {object} answer */
function say(answer) {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

// Half an upgrade is worse than one that a shutdown has to wait for; the installer itself heeds it in between.
for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT']) process.on(signal, () => {});

const [command, commit = '', ...rest] = process.argv.slice(2);
const isKnown = rest.length === 0 && (command === 'apply' || (command === 'show' && commit === ''));
if (!isKnown) throw new Error('pull.mjs show | apply <commit>');
process.exitCode = command === 'apply' ? await apply(commit) : await show().then(() => 0);

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { loadEnvFile } from 'node:process';
import { decide } from './decide.js';
import { noteSent, type Tell } from './due.js';
import type { Findings } from './findings.js';
import { addToLog, lastResult, loadState, saveResult, saveState, speaksWithoutMemory } from './keep.js';
import { lastWords, wantsLastWords } from './last-words.js';
import { describe } from './limit.js';
import { dated, logLine } from './log-line.js';
import { lookAround } from './look.js';
import { nameOf, report } from './report.js';
import { send } from './send.js';
import { readSettings, type Settings, targetsOf, waysOf } from './settings.js';
import type { State } from './state.js';
import { message, texts } from './words.js';

const USAGE = `potion-health          look once, keep what was found, and tell the owner what they must know (for the timer)
potion-health --now    look once and print what was found; exit code 1 when something is wrong
potion-health --test   send the owner a test message; exit code 1 when it reached nobody
`;

const HOME = process.env.POTION_HOME ?? resolve(__dirname, '..', '..');
/** Settings and folders of a Potion that install.sh has installed. */
const INSTALLED = '/etc/potion/potion.env';
const FOLDERS = { DATA_DIR: '/var/lib/potion', LOG_DIR: '/var/log/potion' };
/** Milliseconds for telling, so that the unit's own limit is never reached. */
const TELLING = 45_000;
const HOUR = 3_600_000;

const say = (text: string) => process.stdout.write(`${text}\n`);
const complain = (text: string) => process.stderr.write(`potion-health: ${text}\n`);

/** The usual place for state, and one in memory that a full or failing disk leaves alone. */
function foldersOf({ config }: Settings): string[] {
  const spare = process.env.RUNTIME_DIRECTORY;
  return [join(config.dataDir, 'health'), ...(spare ? [spare] : [])];
}

/** What the timer starts. */
async function look(settings: Settings): Promise<number> {
  const { config } = settings;
  const folders = foldersOf(settings);
  const [findings, { state: before, broken }] = await Promise.all([lookAround(settings), loadState(folders)]);
  const { state, tells, complaints } = decide(before, findings, targetsOf(config));
  const lines = [logLine(findings, complaints)];
  for (const file of broken) lines.push(dated(findings.at, `${file} was damaged, started anew`));
  if (waysOf(config).length === 0) lines.push(dated(findings.at, 'nobody to tell: no bot token is set'));

  // Known before anything is said: what can't be remembered would be said again and again.
  const first = await saveState(folders, state);
  for (const problem of first.problems) lines.push(dated(findings.at, `state not kept in ${problem}`));
  let last = state;
  if (first.kept || speaksWithoutMemory(findings.at)) {
    const told = await tell(settings, findings, tells, state);
    lines.push(...told.lines);
    last = told.state;
    if (last !== state) await saveState(folders, last);
  }
  await saveResult(folders, resultOf(findings, complaints.length === 0, last));
  const trouble = await addToLog(config.logDir, lines);
  if (trouble) complain(`health.log is not written: ${trouble}`);
  if (trouble || complaints.length > 0 || lines.length > 1) say(lines.join('\n'));
  return 0;
}

/** Sends one message after the other; what can't be sent is due again at the next look. */
async function tell(
  { config }: Settings,
  findings: Findings,
  tells: readonly Tell[],
  before: State,
): Promise<{ state: State; lines: string[] }> {
  const lines: string[] = [];
  let state = before;
  if (tells.length === 0) return { state, lines };
  const words = await texts(config.lang);
  const deadline = performance.now() + TELLING;
  const secrets = [config.editorPasswordHash, config.heartbeatUrl];
  const background = {
    findings,
    server: config.serverName,
    lastWords: wantsLastWords(tells) ? await lastWords(secrets) : [],
  };
  for (const each of tells) {
    const html = message(each.items, background, words);
    const letter = { target: each.target, html, silent: each.silent };
    const sent = await send(waysOf(config), config.telegramApiUrl, letter, deadline);
    const about = each.items.map(({ what, incident }) => `${incident.cause}:${what}`).join(',');
    if (sent.ok) {
      state = noteSent(state, each, findings.at);
      lines.push(dated(findings.at, `told ${each.target} ${about} through ${nameOf(sent.bot)}`));
      continue;
    }
    lines.push(dated(findings.at, `could not tell ${each.target} ${about}: ${sent.reason}`));
    if (sent.wait) state = { ...state, quietUntil: findings.at + Math.min(sent.wait * 1000, HOUR) };
    if (sent.silence || sent.wait) break;
  }
  return { state, lines };
}

function resultOf(findings: Findings, ok: boolean, state: State): object {
  const { at, boot: _, uptime: __, ...found } = findings;
  const incidents = state.incidents.map(({ cause, code, since, endedAt, told }) => ({
    cause,
    code,
    since: new Date(since).toISOString(),
    ...(endedAt === undefined ? {} : { endedAt: new Date(endedAt).toISOString() }),
    told: Object.keys(told).length > 0,
  }));
  return { at: new Date(at).toISOString(), ok, ...found, incidents };
}

/** What a person asks for at a terminal. Nothing is kept. */
async function now(settings: Settings): Promise<number> {
  const folders = foldersOf(settings);
  const [findings, { state, broken }, last, words] = await Promise.all([
    lookAround(settings),
    loadState(folders),
    lastResult(folders),
    texts(settings.config.lang),
  ]);
  const targets = targetsOf(settings.config);
  const { complaints } = decide(state, findings, targets);
  say(report(findings, { server: settings.config.serverName, complaints, last, broken, targets }, words));
  return complaints.length > 0 ? 1 : 0;
}

async function test({ config }: Settings): Promise<number> {
  const words = await texts(config.lang);
  const targets = targetsOf(config);
  if (targets.length === 0) say(words('health.report.nobody', {}, 'plain'));
  let reached = 0;
  for (const target of targets) {
    const html = words('health.test', { server: config.serverName });
    const letter = { target, html, silent: false };
    const sent = await send(waysOf(config), config.telegramApiUrl, letter, performance.now() + TELLING);
    if (sent.ok) reached++;
    const data = sent.ok ? { target, name: nameOf(sent.bot) } : { target, reason: sent.reason };
    say(words(`health.report.${sent.ok ? 'sent' : 'not-sent'}`, data, 'plain'));
  }
  return reached > 0 ? 0 : 1;
}

/** systemd hands over the environment; a person at a terminal has none. */
function loadSettings(): Settings {
  const file = [join(HOME, '.env'), INSTALLED].find((file) => existsSync(file));
  try {
    if (file) loadEnvFile(file);
    // As the units have it.
    if (file === INSTALLED) Object.assign(process.env, { ...FOLDERS, ...process.env });
  } catch (thrown) {
    // Potion's own user may not read the one in /etc, and need not.
    if (process.stdout.isTTY) complain(`${file} can't be read (${describe(thrown)}): use sudo`);
  }
  return readSettings(process.env, HOME);
}

async function main(args: readonly string[]): Promise<number> {
  const [arg, ...more] = args;
  if (more.length > 0 || (arg !== undefined && arg !== '--now' && arg !== '--test')) {
    process.stderr.write(USAGE);
    return arg === '--help' ? 0 : 2;
  }
  const settings = loadSettings();
  if (arg === '--now') return now(settings);
  return arg === '--test' ? test(settings) : look(settings);
}

// What hangs, e.g. a dead file system, must not keep this program from its end.
main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (thrown: unknown) => {
    complain(describe(thrown));
    process.exit(1);
  },
);

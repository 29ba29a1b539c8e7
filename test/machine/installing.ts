import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Driver } from './driver.ts';
import {
  bootMachine,
  type ExecResult,
  GUEST_HOME,
  GUEST_NODE,
  type Machine,
  type MachineOptions,
} from './machine.ts';

const HOME = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
/** The clone that is installed from, inside. */
export const CLONE = '/root/potion';

const PATH = `/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:${dirname(GUEST_NODE)}`;

/**
 * A machine with a clone of this checkout, as a person has it before an installation: what is here and not yet
 * committed is committed there. Packages come from this checkout, because there is no internet inside.
 */
export async function bootWithClone(options: MachineOptions = {}): Promise<Machine> {
  const machine = await bootMachine(options);
  try {
    await machine.run(['git', 'config', '--global', 'user.email', 'test@localhost']);
    await machine.run(['git', 'config', '--global', 'user.name', 'Test']);
    await machine.run(['git', '-c', 'safe.directory=*', 'clone', '--quiet', GUEST_HOME, CLONE]);
    const listed = spawnSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], {
      cwd: HOME,
      encoding: 'utf8',
    });
    const [here, gone] = [true, false].map((is) =>
      listed.stdout.split('\0').filter((name) => name && existsSync(join(HOME, name)) === is),
    ) as [string[], string[]];
    await machine.run(['rsync', '--archive', '--from0', '--files-from=-', GUEST_HOME, CLONE], {
      input: here.join('\0'),
    });
    for (const name of gone) await machine.run(['rm', '-f', join(CLONE, name)]);
    for (const name of ['node_modules', '.potion'])
      await machine.run(['ln', '-s', join(GUEST_HOME, name), join(CLONE, name)]);
    // .gitignore means folders, and these are links.
    await machine.writeFile(join(CLONE, '.git/info/exclude'), 'node_modules\n.potion\n');
    await commit(machine, 'as it is here');
    return machine;
  } catch (thrown) {
    await machine.stop();
    throw thrown;
  }
}

/** What the clone follows after {@link giveRemote}. */
export const REMOTE = '/srv/potion.git';

/** Gives the clone a remote of its own, with a branch that it follows. */
export async function giveRemote(machine: Machine): Promise<void> {
  const script = `git clone --quiet --bare ${CLONE} ${REMOTE}
    cd ${CLONE}
    git remote set-url origin ${REMOTE}
    git fetch --quiet
    git branch --quiet --set-upstream-to=origin/$(git branch --show-current)`;
  await machine.run(['sh', '-ec', script], { timeout: 60_000 });
}

/** Commits what stands in the clone. @returns the first seven digits of the commit */
export async function commit(machine: Machine, message: string): Promise<string> {
  const git = ['git', '-C', CLONE];
  await machine.run([...git, 'add', '--all']);
  await machine.run([...git, 'commit', '--quiet', '--allow-empty', '--message', message]);
  return machine.run([...git, 'rev-parse', '--short=7', 'HEAD']);
}

export interface Installed extends ExecResult {
  /** stdout and stderr, for messages of assertions. */
  all: string;
}

/** Runs the clone's install.sh. */
export async function install(
  machine: Machine,
  args: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<Installed> {
  const program = [`${CLONE}/ops/install/install.sh`, '--lang', 'en', ...args];
  const result = await machine.exec(program, { timeout: 240_000, env: { PATH, ...env } });
  return { ...result, all: `${result.stdout}\n${result.stderr}` };
}

export interface Telegram {
  user: number;
  /** What the installer is given so that Potion talks to it. */
  env: Record<string, string>;
  driver: Driver;
}

/** Starts a Bot API server inside, on loopback. */
export async function startTelegram(machine: Machine): Promise<Telegram> {
  const driver = new Driver(machine, 'telegram');
  const { url, user, token } = await driver.ask<{ url: string; user: number; token: string }>('start', 8081);
  return { driver, user, env: { BOT_TOKEN: token, ADMIN_IDS: String(user), TELEGRAM_API_URL: url } };
}

/** Everything that an installation touches, with what it is: name, kind, rights, owner, time and size. */
export async function touched(machine: Machine): Promise<string> {
  const places = ['/opt/potion', '/etc', '/usr/local', '/var/lib/potion/flows', '/var/lib/systemd'];
  const listing = await machine.run(['find', ...places, '-printf', '%p %y %m %U:%G %T@ %s %l\n'], {
    timeout: 60_000,
  });
  const start = ['show', '--property=MainPID,InvocationID', 'potion.service', 'potion-helper.socket'];
  return `${listing}\n${await machine.run(['systemctl', ...start])}`;
}

/** Edits a file of the clone with a piece of JavaScript that has its text as `s`. */
export async function edit(machine: Machine, file: string, script: string): Promise<void> {
  const program = `const { readFileSync, writeFileSync } = require('node:fs');
    const [, path] = process.argv; let s = readFileSync(path, 'utf8'); const before = s; ${script};
    if (s === before) throw new Error('nothing to edit in ' + path); writeFileSync(path, s);`;
  await machine.run(['node', '-e', program, join(CLONE, file)], { env: { PATH } });
}

/** Takes the clone's last commit back. */
export const takeBack = (machine: Machine) =>
  machine.run(['git', '-C', CLONE, 'reset', '--quiet', '--hard', 'HEAD~1']);

/** The release that runs. */
export const current = (machine: Machine) => machine.run(['readlink', '/opt/potion/current']);

/** Status of Potion's health answer. */
export const health = (machine: Machine) =>
  machine.run([
    GUEST_NODE,
    '-e',
    "fetch('http://127.0.0.1:1880/potion/health').then(({ status }) => console.log(status), () => console.log(0))",
  ]);

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
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

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Config } from '../../nodes/kit/config.js';
import { describe, PotionError } from '../../nodes/kit/errors.js';
import { openDatabase } from '../../nodes/state/database.js';
import { putAside, salvage } from '../../nodes/state/salvage.js';
import { configOrExit } from './boot.js';
import { whyNotFree } from './premises.js';

const USAGE = `npm run state -- <command>

  check      look over the database: is it whole, and of this Potion?
  salvage    save what can still be read of a damaged one into a new one; the damaged one is put aside
  fresh      put the database aside; Potion starts with an empty one
`;

const HOME = process.env.POTION_HOME ?? resolve(__dirname, '..', '..');

const say = (text: string) => process.stdout.write(`${text}\n`);

/** What a person asked for in a wrong way. */
class UsageError extends Error {}

const COMMANDS: Record<string, (file: string) => Promise<number>> = {
  async check(file) {
    await (await openDatabase(file, 'thoroughly')).destroy();
    say(`${file} is whole`);
    return 0;
  },

  async salvage(file) {
    const { aside, tables } = await salvage(file, new Date());
    for (const { table, rows, lost } of tables)
      say(`${table}: ${rows} rows${lost ? `, the rest can't be read (${lost})` : ''}`);
    say(`The new database is in place; the damaged one is ${aside}`);
    return 0;
  },

  async fresh(file) {
    say(`Put aside as ${putAside(file, new Date())}; the next start makes an empty database.`);
    return 0;
  },
};

/** Two programs that take turns at moving its files would ruin it. */
async function refuseWhileRunning({ port, editorBind }: Config): Promise<void> {
  if ((await whyNotFree(port, editorBind)) === 'EADDRINUSE')
    throw new UsageError(
      'Potion seems to be running: stop it first (on a server: sudo systemctl stop potion)',
    );
}

async function main(): Promise<number> {
  const [name = '', ...rest] = process.argv.slice(2);
  const command = Object.hasOwn(COMMANDS, name) && rest.length === 0 ? COMMANDS[name] : undefined;
  if (!command) throw new UsageError(name ? `there is no "${name}"` : 'what should be done?');
  const config = configOrExit(HOME);
  const file = join(config.dataDir, 'potion.db');
  if (!['', '-wal'].some((part) => existsSync(file + part)))
    throw new UsageError(`there is no database ${file}; the next start makes one`);
  await refuseWhileRunning(config);
  return command(file);
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (thrown: unknown) => {
    const hint = thrown instanceof PotionError && thrown.hint ? `\n${thrown.hint}` : '';
    const usage = thrown instanceof UsageError ? `\n\n${USAGE}` : '';
    process.stderr.write(`${describe(thrown)}${hint}${usage}\n`);
    process.exitCode = thrown instanceof UsageError ? 2 : 1;
  },
);

// @ts-check
// What the installer has done by Potion's user with a release's own Node: node inside.mjs <command> <arguments>.
// Answers with one line of JSON.
import {
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Copies of the database that stay. */
const KEPT = 3;
/** The shared memory beside them is made anew by whoever opens the database. */
const FILES = ['potion.db', 'potion.db-wal'];

const require = createRequire(import.meta.url);

/**
 * @param {string} path
 */
function toDisk(path) {
  fsyncSync(openSync(path, 'r'));
}

/**
 * The migrations that a database has seen.
 * @param {string} file
 * @returns {string[] | null} null when it can't be read
 */
function migrationsOf(file) {
  try {
    const { DatabaseSync } = require('node:sqlite');
    const sqlite = new DatabaseSync(file, { timeout: 5000 });
    try {
      const rows = sqlite.prepare('select name from kysely_migration order by name').all();
      return rows.map((row) => String(row.name));
    } finally {
      sqlite.close();
    }
  } catch {
    return null;
  }
}

/** @type {Record<string, (...args: string[]) => unknown>} */
const COMMANDS = {
  /** Whether settings, given as JSON, are such that this release starts with them. */
  settings() {
    const { readConfig } = require('../../nodes/kit/config.js');
    try {
      readConfig(JSON.parse(readFileSync(0, 'utf8')), '/opt/potion/current');
      return { problems: [] };
    } catch (thrown) {
      const { problems, message } = /** @type {Error & { problems?: string[] }} */ (thrown);
      return { problems: problems ?? [message] };
    }
  },

  'known-migrations': () => Object.keys(require('../../nodes/state/migrations.js').migrations),

  copy(database, folder) {
    if (!existsSync(database)) return {};
    // Reading it first also brings what is in its log into the file.
    const migrations = migrationsOf(database);
    const fresh = `${folder}.new`;
    rmSync(fresh, { recursive: true, force: true });
    mkdirSync(fresh, { recursive: true, mode: 0o700 });
    for (const name of FILES) {
      const from = join(dirname(database), name);
      if (existsSync(from)) copyFileSync(from, join(fresh, name));
    }
    writeFileSync(join(fresh, 'migrations.json'), JSON.stringify(migrations));
    for (const name of readdirSync(fresh)) toDisk(join(fresh, name));
    toDisk(fresh);
    renameSync(fresh, folder);
    toDisk(dirname(folder));
    forgetOld(dirname(folder));
    return {};
  },

  'is-changed'(database, folder) {
    // Never finished: then nobody had the chance to change anything either.
    if (!existsSync(join(folder, 'potion.db'))) return { changed: false };
    const before = readFileSync(join(folder, 'migrations.json'), 'utf8');
    return { changed: !existsSync(database) || JSON.stringify(migrationsOf(database)) !== before };
  },

  /** What was there stays in the copy's folder: it may hold what came after the copy. */
  restore(database, folder) {
    const replaced = join(folder, 'replaced');
    mkdirSync(replaced, { recursive: true });
    const home = dirname(database);
    for (const name of FILES.toReversed())
      if (existsSync(join(home, name)) && !existsSync(join(replaced, name)))
        renameSync(join(home, name), join(replaced, name));
    for (const name of [...FILES, 'potion.db-shm']) rmSync(join(home, name), { force: true });
    for (const name of FILES.toReversed()) {
      if (!existsSync(join(folder, name))) continue;
      copyFileSync(join(folder, name), join(home, `${name}.new`));
      toDisk(join(home, `${name}.new`));
      renameSync(join(home, `${name}.new`), join(home, name));
    }
    toDisk(home);
    return {};
  },
};

/** @param {string} folder */
function forgetOld(folder) {
  const made = (/** @type {string} */ name) => statSync(join(folder, name)).mtimeMs;
  const old = readdirSync(folder)
    .sort((a, b) => made(b) - made(a))
    .slice(KEPT);
  for (const name of old) rmSync(join(folder, name), { recursive: true, force: true });
}

const [name = '', ...args] = process.argv.slice(2);
process.stdout.write(`${JSON.stringify(COMMANDS[name]?.(...args))}\n`);

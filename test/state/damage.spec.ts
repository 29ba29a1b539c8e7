import assert from 'node:assert/strict';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { PotionError } from '../../nodes/kit/errors.js';
import { render } from '../../nodes/kit/locale.js';
import { damageSeen, unsuspect } from '../../nodes/state/damage.js';
import { type Database, isFinal, openDatabase } from '../../nodes/state/database.js';
import { salvage } from '../../nodes/state/salvage.js';
import { storedSettings, writeSetting } from '../../nodes/state/settings.js';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'potion-damage-'));
  file = join(folder, 'potion.db');
});
afterEach(() => {
  // What one test has seen is nothing to the next.
  unsuspect(file);
  rmSync(folder, { recursive: true });
});

const names = (like: RegExp) => readdirSync(folder).filter((name) => like.test(name));
const copies = () => names(/^potion\.db\.damaged-[\dT.-]+Z$/);

async function failureOf(opening: Promise<Database>): Promise<PotionError> {
  try {
    await opening;
  } catch (thrown) {
    assert.ok(thrown instanceof PotionError, String(thrown));
    return thrown;
  }
  return assert.fail('it was opened');
}

/** A closed database with one setting and `rows` lines in its audit. */
async function filled(rows = 0): Promise<void> {
  const db = await openDatabase(file);
  await writeSetting(db, 'k', 'kept', { user: null, at: 0 });
  await db.destroy();
  const sqlite = new DatabaseSync(file);
  sqlite.exec('BEGIN');
  const insert = sqlite.prepare("INSERT INTO audit (at, event, action, detail) VALUES (?, 'e', 'a', ?)");
  for (let row = 0; row < rows; row++) insert.run(row, 'x'.repeat(1000));
  sqlite.exec('COMMIT');
  sqlite.close();
}

/** Overwrites the pages in the middle of the file. */
function spoil(from = 0.4, to = 0.6): void {
  const content = readFileSync(file);
  content.fill(0xaa, Math.floor(content.length * from), Math.floor(content.length * to));
  writeFileSync(file, content);
}

/** A log beside the file, as a crash leaves it. */
async function crashed(): Promise<void> {
  const db = await openDatabase(file);
  await writeSetting(db, 'other', 1, { user: null, at: 0 });
  for (const end of ['', '-wal']) copyFileSync(file + end, `${file}.then${end}`);
  await db.destroy();
  for (const end of ['', '-wal']) copyFileSync(`${file}.then${end}`, file + end);
}

describe('a database that is damaged', () => {
  it('is refused with what to do, in both languages, and a copy is kept', async () => {
    writeFileSync(file, 'no database at all'.repeat(1000));
    const error = await failureOf(openDatabase(file));
    assert.ok(isFinal(error));
    assert.match(
      error.message,
      /potion\.db is damaged \(file is not a database\); a copy is kept in .*damaged-/,
    );
    assert.match(error.hint, /Nothing was deleted.*salvage.*fresh/);
    const { text, data } = error.cause;
    assert.match(
      render('id', `${text}.message`, data, 'plain'),
      /rusak \(file is not a database\); salinannya/,
    );
    assert.match(render('id', `${text}.hint`, data, 'plain'), /Tidak ada yang dihapus/);
    assert.deepEqual(readFileSync(join(folder, copies()[0] ?? '')), readFileSync(file));
  });

  it('is copied once, not at each start; another damage is copied again, three at most', async () => {
    for (let damage = 1; damage <= 5; damage++) {
      // Moved, not removed: another file could get its inode.
      if (existsSync(file)) renameSync(file, join(folder, `earlier-${damage}`));
      writeFileSync(file, `damage ${damage}`.repeat(1000));
      for (let start = 0; start < 2; start++) await failureOf(openDatabase(file));
      assert.equal(copies().length, Math.min(damage, 3));
    }
    assert.match(readFileSync(join(folder, copies().sort().at(-1) ?? ''), 'utf8'), /^damage 5/);
  });

  it('is not made anew when it has become empty, or only its log is left', async () => {
    await filled();
    truncateSync(file);
    assert.match((await failureOf(openDatabase(file))).message, /the file is empty/);
    rmSync(file);
    writeFileSync(`${file}-wal`, 'x'.repeat(100));
    const lost = await failureOf(openDatabase(file));
    assert.match(lost.message, /only its log \(-wal\) is left/);
    assert.ok(isFinal(lost));
    assert.equal(existsSync(file), false);
  });

  it('is looked for after a crash, where an opening alone would not notice', async () => {
    await filled(2000);
    spoil();
    await (await openDatabase(file)).destroy();
    await filled(1);
    await crashed();
    spoil();
    const error = await failureOf(openDatabase(file));
    assert.ok(isFinal(error), error.message);
    assert.ok(existsSync(join(folder, `${copies()[0]}-wal`)), 'its log is part of the copy');
  });

  it('opens as ever after a crash that did no damage', async () => {
    await filled(100);
    await crashed();
    const db = await openDatabase(file);
    assert.equal((await storedSettings(db, '')).get('k'), 'kept');
    assert.equal((await storedSettings(db, '')).get('other'), 1);
    await db.destroy();
    assert.deepEqual(names(/damaged/), []);
  });

  it('is noticed by the query that meets it, and then by the next start', async () => {
    await filled(5000);
    const db = await openDatabase(file);
    spoil();
    await assert.rejects(db.selectFrom('audit').selectAll().execute(), /malformed/);
    assert.match(damageSeen() ?? '', /malformed/);
    await db.destroy();
    const error = await failureOf(openDatabase(file));
    assert.ok(isFinal(error));
    assert.equal(copies().length, 1);
  });
});

describe('a database of a newer Potion', () => {
  it('is refused and left as it is', async () => {
    await filled();
    const sqlite = new DatabaseSync(file);
    sqlite.exec("INSERT INTO kysely_migration (name, timestamp) VALUES ('0999-later', '2030')");
    sqlite.close();
    const error = await failureOf(openDatabase(file));
    assert.ok(isFinal(error));
    assert.match(error.message, /was written by a newer Potion \(0999-later\)/);
    assert.match(error.hint, /Install that newer version again/);
    assert.deepEqual(names(/damaged/), []);
  });
});

describe('what can be saved of a damaged database', () => {
  it('is everything before the damage and after it, in a new one; the damaged one is put aside', async () => {
    await filled(5000);
    spoil(0.5, 0.55);
    const { aside, tables } = await salvage(file, new Date());
    const audit = tables.find(({ table }) => table === 'audit');
    assert.ok(audit?.lost && audit.rows > 4000 && audit.rows < 5000, JSON.stringify(tables));
    assert.equal(tables[0]?.table, 'settings');
    const db = await openDatabase(file);
    assert.equal((await storedSettings(db, '')).get('k'), 'kept');
    const { count } = await db
      .selectFrom('audit')
      .select((e) => e.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow();
    assert.equal(Number(count), audit.rows);
    await db.destroy();
    assert.ok(existsSync(aside));
    assert.deepEqual(names(/salvag/), []);
  });

  it('is nothing where there is no database left, and an empty one takes its place', async () => {
    writeFileSync(file, 'no database at all'.repeat(1000));
    await failureOf(openDatabase(file));
    const { tables } = await salvage(file, new Date());
    assert.ok(tables.length > 5 && tables.every(({ rows, lost }) => rows === 0 && lost));
    await (await openDatabase(file)).destroy();
  });
});

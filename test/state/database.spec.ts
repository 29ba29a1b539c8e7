import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { toPotionError } from '../../nodes/kit/errors.js';
import { type Database, openDatabase } from '../../nodes/state/database.js';
import { writeSetting } from '../../nodes/state/settings.js';

describe('a database that is full', () => {
  let folder: string;
  let db: Database;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'potion-full-'));
    db = await openDatabase(join(folder, 'potion.db'));
  });
  afterEach(async () => {
    await db.destroy();
    rmSync(folder, { recursive: true });
  });

  const fill = () =>
    db.transaction().execute((trx) => writeSetting(trx, 'k', 'x'.repeat(1e6), { user: null, at: 0 }));

  it('says so, also when the write was part of a transaction, and works again once there is room', async () => {
    await sql`pragma max_page_count = 1`.execute(db);
    const failed = await fill().then(
      () => assert.fail('it had room'),
      (thrown: unknown) => toPotionError(thrown),
    );
    assert.equal(failed.code, 'UNAVAILABLE');
    assert.match(failed.message, /the database can't be used: database or disk is full/);
    assert.match(failed.hint, /df -h/);
    await sql`pragma max_page_count = 100000`.execute(db);
    await fill();
  });
});

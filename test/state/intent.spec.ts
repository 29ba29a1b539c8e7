import assert from 'node:assert/strict';
import { type Database, openDatabase } from '../../nodes/state/database.js';
import { clearStopped, markStopped, stoppedByAdmin } from '../../nodes/state/intent.js';

describe('a unit that was stopped on purpose', () => {
  let db: Database;

  before(async () => {
    db = await openDatabase(':memory:');
  });

  after(() => db.destroy());

  it('is remembered until it is wanted again, by its own name only', async () => {
    assert.equal(await stoppedByAdmin(db, 'a.service'), false);
    await markStopped(db, 'a.service', 42, 1000);
    await markStopped(db, 'a.service', null, 2000);
    assert.equal(await stoppedByAdmin(db, 'a.service'), true);
    for (const other of ['A.service', 'a.servic', 'a.service.d', '_.service', '%'])
      assert.equal(await stoppedByAdmin(db, other), false, other);
    assert.equal(await clearStopped(db, 'a.service'), true);
    assert.equal(await clearStopped(db, 'a.service'), false);
    assert.equal(await stoppedByAdmin(db, 'a.service'), false);
  });
});

import assert from 'node:assert/strict';
import {
  activeSilences,
  isSilenced,
  openIncidents,
  readAlerts,
  removeAlerts,
  silence,
  unsilence,
  writeAlerts,
} from '../../nodes/state/alerts.js';
import { type Database, openDatabase } from '../../nodes/state/database.js';
import { readSetting, removeSetting, storedSettings, writeSetting } from '../../nodes/state/settings.js';

let db: Database;
beforeEach(async () => {
  db = await openDatabase(':memory:');
});
afterEach(() => db.destroy());

const incident = (code: string, state: 'firing' | 'resolved', since = 1) =>
  ({ id: code, code, severity: 'warning', state, since }) as const;

describe('alert records', () => {
  it('come back as they were written, per node', async () => {
    const record = {
      node: 'a',
      code: 'cpu',
      state: { phase: 'firing' },
      incident: incident('cpu', 'firing'),
      unsent: [{ x: 1 }],
    };
    await writeAlerts(db, [record, { ...record, node: 'b' }], 5);
    assert.deepEqual(await readAlerts(db, 'a'), [record]);
    await writeAlerts(db, [{ ...record, unsent: [] }], 6);
    assert.deepEqual((await readAlerts(db, 'a'))[0]?.unsent, []);
  });

  it('are gone when all is well and everything was handed on, or the node was deleted', async () => {
    const record = { node: 'a', code: 'cpu', state: { phase: 'firing' }, unsent: [] };
    await writeAlerts(db, [record, { ...record, node: 'b' }], 5);
    await writeAlerts(db, [{ node: 'a', code: 'cpu', unsent: [] }], 6);
    await removeAlerts(db, 'b');
    assert.deepEqual(await readAlerts(db), []);
  });

  it('tell which incidents are going on, oldest first', async () => {
    const state = { phase: 'firing' };
    await writeAlerts(
      db,
      [
        { node: 'a', code: 'disk:/', state, incident: incident('disk:/', 'firing', 20), unsent: [] },
        { node: 'a', code: 'cpu', state, incident: incident('cpu', 'firing', 10), unsent: [] },
        // Pending again after an earlier incident, and over but not yet handed on.
        { node: 'a', code: 'swap', state, incident: incident('swap', 'resolved'), unsent: [] },
        { node: 'a', code: 'load', incident: incident('load', 'resolved'), unsent: [{}] },
      ],
      5,
    );
    assert.deepEqual(
      (await openIncidents(db)).map(({ code }) => code),
      ['cpu', 'disk:/'],
    );
  });
});

describe('silences', () => {
  it('last until their time and can be taken back or replaced', async () => {
    await silence(db, { code: 'cpu', until: 100, user: 7 }, 0);
    await silence(db, { code: 'disk', until: 50, user: null }, 0);
    assert.deepEqual(await activeSilences(db, 49), [
      { code: 'disk', until: 50, user: null },
      { code: 'cpu', until: 100, user: 7 },
    ]);
    await silence(db, { code: 'cpu', until: 200, user: 8 }, 60);
    assert.deepEqual(await activeSilences(db, 0), [{ code: 'cpu', until: 200, user: 8 }]);
    assert.equal(await unsilence(db, 'cpu'), true);
    assert.equal(await unsilence(db, 'cpu'), false);
  });

  it('cover a code, its family, or everything', () => {
    const by = (code: string) => [{ code, until: 1, user: null }];
    assert.ok(isSilenced('disk:/', by('disk:/')));
    assert.ok(isSilenced('disk:/', by('disk')));
    assert.ok(isSilenced('disk:/', by('*')));
    assert.ok(!isSilenced('disk:/', by('disk:/mnt')));
    assert.ok(!isSilenced('diskette', by('disk')));
    assert.ok(!isSilenced('cpu', []));
  });
});

describe('settings', () => {
  const speed = {
    keys: ['net.speed'],
    env: ['NET_SPEED'],
    fallback: 10,
    parse: (value: unknown) => (Number.isFinite(Number(value)) ? Number(value) : undefined),
  };
  const by = { user: 7, at: 5 };

  it('say what counts and where it comes from', async () => {
    assert.deepEqual(await readSetting(db, speed, {}), { value: 10, source: 'default' });
    assert.deepEqual(await readSetting(db, speed, { NET_SPEED: ' 20 ' }), { value: 20, source: 'env' });
    await writeSetting(db, 'net.speed', 30, by);
    assert.deepEqual(await readSetting(db, speed, { NET_SPEED: '20' }), { value: 30, source: 'setting' });
    await writeSetting(db, 'net.speed', 40, by);
    assert.equal((await readSetting(db, speed, {})).value, 40);
    assert.equal(await removeSetting(db, 'net.speed'), true);
    assert.equal(await removeSetting(db, 'net.speed'), false);
    assert.deepEqual(await readSetting(db, speed, { NET_SPEED: '' }), { value: 10, source: 'default' });
  });

  it('pass over what makes no sense', async () => {
    await writeSetting(db, 'net.speed', 'fast', by);
    assert.deepEqual(await readSetting(db, speed, { NET_SPEED: 'slow' }), { value: 10, source: 'default' });
    await db.updateTable('settings').set({ value: '{not JSON' }).execute();
    assert.deepEqual(await readSetting(db, speed, {}), { value: 10, source: 'default' });
  });

  it('are read by the beginning of their key, letter by letter', async () => {
    for (const key of ['threshold.cpu', 'thresholdXcpu', 'Threshold.cpu', 'threshold.disk:/'])
      await writeSetting(db, key, 1, by);
    assert.deepEqual([...(await storedSettings(db, 'threshold.')).keys()].sort(), [
      'threshold.cpu',
      'threshold.disk:/',
    ]);
  });
});

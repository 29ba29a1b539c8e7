import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Config, config, onConfigChange, readConfig, setConfig } from '../../nodes/kit/config.js';
import { type Database, openDatabase, useDatabase } from '../../nodes/state/database.js';
import { changeSettings, takeUp } from '../../nodes/state/live.js';
import { countingOf, KEYS } from '../../nodes/state/live-settings.js';
import { keptSettings, writeSetting } from '../../nodes/state/settings.js';

const AUTHOR = { user: 42, at: 1000 };

describe('settings that are live', () => {
  let home: string;
  let db: Database;

  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'live-'));
    setConfig(readConfig({ ADMIN_IDS: '42,43', SERVICES_WHITELIST: 'nginx cron', POTION_LANG: 'id' }, home));
    db = await openDatabase(join(home, 'potion.db'));
  });
  afterEach(async () => {
    await db.destroy();
    useDatabase(undefined);
    setConfig(undefined);
    rmSync(home, { recursive: true });
  });

  const set = (key: string, value: unknown, from = 'a', to = 'b') =>
    changeSettings(db, AUTHOR, () => [{ key, value, from, to }]);

  it('count at once, over what the environment gives', async () => {
    await set(KEYS.language, 'en-US');
    await set(KEYS.quiet, { from: '22:00', to: '06:00' });
    await set(KEYS.backupTime, '03:15');
    await set(KEYS.service('web.service'), true);
    await set(KEYS.service('cron.service'), false);
    await set(KEYS.admin(43), false);
    const { lang, quietHours, backupTime, servicesWhitelist, adminIds } = config();
    assert.deepEqual(
      { lang, quietHours, backupTime, servicesWhitelist, adminIds },
      {
        lang: 'en-US',
        quietHours: { from: '22:00', to: '06:00' },
        backupTime: '03:15',
        servicesWhitelist: ['nginx.service', 'web.service'],
        adminIds: [42],
      },
    );
  });

  it('are taken back to what the environment gives', async () => {
    await set(KEYS.language, 'en-US');
    await set(KEYS.language, undefined);
    assert.equal(config().lang, 'id');
  });

  it('tell those who follow, with what counted before; one that fails keeps nobody from it', async () => {
    const told: [string, string][] = [];
    const warned: string[] = [];
    const hear = ({ message }: Error) => warned.push(message);
    process.on('warning', hear);
    config();
    const stops = [
      onConfigChange(() => {
        throw new Error('cannot follow');
      }),
      onConfigChange((now: Config, before: Config) => told.push([before.lang, now.lang])),
    ];
    try {
      await set(KEYS.language, 'en-US');
      for (const stop of stops) stop();
      await set(KEYS.language, 'id');
      await new Promise((resolve) => setImmediate(resolve));
    } finally {
      process.off('warning', hear);
    }
    assert.deepEqual(told, [['id', 'en-US']]);
    assert.deepEqual(warned, ['cannot follow']);
  });

  it('are there after a crash between keeping and counting', async () => {
    // What changeSettings does up to its commit; the process ends there.
    await writeSetting(db, KEYS.language, 'en-US', AUTHOR);
    assert.equal(config().lang, 'id');
    await db.destroy();
    setConfig(readConfig({ ADMIN_IDS: '42', POTION_LANG: 'id' }, home));
    db = await openDatabase(join(home, 'potion.db'));
    await takeUp(db);
    assert.equal(config().lang, 'en-US');
  });

  it('are kept with the audit entry of who, from what and to what, or not at all', async () => {
    await set(KEYS.language, 'en-US', 'id', 'en-US');
    const [entry, ...more] = await db.selectFrom('audit').selectAll().execute();
    assert.deepEqual(more, []);
    assert.deepEqual(
      [entry?.user_id, entry?.event, entry?.action, entry?.result, entry?.detail],
      [42, 'setting', 'language', 'changed', '{"from":"id","to":"en-US"}'],
    );
    assert.match(
      readFileSync(join(home, 'data/logs/actions.log'), 'utf8'),
      /user=42 event=setting action=language/,
    );
    await assert.rejects(
      changeSettings(db, AUTHOR, () => [
        { key: KEYS.language, value: 'id', from: '', to: '' },
        // Not even the first is kept when the second can't be.
        { key: KEYS.quiet, value: 1n, from: '', to: '' },
      ]),
    );
    assert.equal(config().lang, 'en-US');
    assert.equal((await keptSettings(db)).find(({ key }) => key === 'language')?.value, 'en-US');
  });

  it('pass over rows that make no sense, and stand what is no JSON', async () => {
    for (const [key, value] of Object.entries({
      'admin.0': 'true',
      'admin.x': 'true',
      'admin.44': '"yes"',
      'admin.99999999999999999': 'true',
      'service.no unit': 'true',
      'service.short': 'true',
      language: '"klingon"',
      quiet: '{"from":"22:00"}',
      'backup.time': '"25:00"',
      'threshold.cpu': '{broken',
    }))
      await db.insertInto('settings').values({ key, value, updated_at: 1, user_id: null }).execute();
    const before = config();
    await takeUp(db);
    assert.deepEqual(config(), before);
  });

  it('leave ADMIN_IDS when the environment alone has changed so that nobody would be left', () => {
    const removed = [{ key: KEYS.admin(42), value: false, user: 43, at: 1 }];
    const given = readConfig({ ADMIN_IDS: '42' }, home);
    assert.deepEqual(countingOf(removed, given).admins, [{ value: 42, source: 'env' }]);
  });

  it('know where each value comes from', async () => {
    await set(KEYS.service('web.service'), true);
    const given = readConfig({ ADMIN_IDS: '42', SERVICES_WHITELIST: 'nginx', POTION_LANG: 'en-US' }, home);
    const counting = countingOf(await keptSettings(db), given, { POTION_LANG: 'en-US' });
    assert.deepEqual(counting.services, [
      { value: 'nginx.service', source: 'env' },
      { value: 'web.service', source: 'setting', user: 42, at: 1000 },
    ]);
    assert.equal(counting.language.source, 'env');
    assert.equal(counting.backupTime.source, 'default');
  });
});

import assert from 'node:assert/strict';
import { parseOptions, UsageError } from '../../ops/install/options.mjs';

const TOKEN = '123456789:AAsecretsecretsecretsecretsecretsecret';

describe('the command line of the installer', () => {
  it('installs without any argument', () => {
    const { mode, dryRun, purge, values } = parseOptions([], {});
    assert.deepEqual(
      { mode, dryRun, purge, values },
      { mode: 'install', dryRun: false, purge: false, values: {} },
    );
  });

  it('takes settings from flags before those of the environment', () => {
    const { values } = parseOptions(['--admin-ids', '5', '--services=a,b'], {
      ADMIN_IDS: '6',
      SERVER_NAME: 'Warung',
      BOT_TOKEN: TOKEN,
      DATA_DIR: '/elsewhere',
    });
    assert.deepEqual(values, {
      ADMIN_IDS: '5',
      SERVICES_WHITELIST: 'a,b',
      SERVER_NAME: 'Warung',
      BOT_TOKEN: TOKEN,
    });
  });

  it('takes a secret from a file, never as an argument', () => {
    assert.deepEqual(parseOptions(['--bot-token-file', '/root/token'], {}).secretFiles, {
      BOT_TOKEN: '/root/token',
    });
    assert.throws(
      () => parseOptions([`--bot-token=${TOKEN}`], {}),
      (thrown) => thrown instanceof UsageError && !thrown.message.includes('secret'),
    );
    assert.throws(
      () => parseOptions([TOKEN], {}),
      (thrown) => thrown instanceof UsageError && !thrown.message.includes('secret'),
    );
  });

  it('knows the language by its short names, and keeps it as a setting', () => {
    for (const [name, lang] of [
      ['en', 'en-US'],
      ['en-US', 'en-US'],
      ['id', 'id'],
    ] as const) {
      const { lang: found, values } = parseOptions(['--lang', name], {});
      assert.deepEqual([found, values.POTION_LANG], [lang, lang]);
    }
    assert.throws(() => parseOptions(['--lang', 'fr'], {}), UsageError);
    assert.equal(parseOptions([], {}).lang, undefined);
  });

  it('removes data only together with Potion', () => {
    assert.equal(parseOptions(['--uninstall', '--purge'], {}).purge, true);
    assert.throws(() => parseOptions(['--purge'], {}), UsageError);
    assert.throws(() => parseOptions(['--uninstall', '--privileges'], {}), UsageError);
  });

  it('does not wait for ever, nor not at all', () => {
    assert.equal(parseOptions([], {}).patience, 90);
    assert.equal(parseOptions(['--patience', '20'], {}).patience, 20);
    for (const patience of ['0', 'x', '99999'])
      assert.throws(() => parseOptions(['--patience', patience], {}), UsageError);
  });
});

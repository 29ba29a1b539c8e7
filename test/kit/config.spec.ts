import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, readConfig } from '../../nodes/kit/config.js';
import { HOME } from '../support/node-red.ts';

const TOKEN = '123456789:AAabcdefghijklmnopqrstuvwxyz0123456';
const HASH = `$2b$08$${'a'.repeat(53)}`;

/** The problems that a set of variables has, each starting with the variable's name. */
function problems(env: Record<string, string>): readonly string[] {
  try {
    readConfig(env, '/home');
    return [];
  } catch (thrown) {
    assert.ok(thrown instanceof ConfigError);
    return thrown.problems;
  }
}

describe('the configuration', () => {
  it('works without any variable: sandbox, loopback, folders below the checkout', () => {
    const config = readConfig({}, '/srv/potion');
    assert.equal(config.botToken, '');
    assert.equal(config.editorBind, '127.0.0.1');
    assert.equal(config.dataDir, '/srv/potion/data');
    assert.equal(config.logDir, '/srv/potion/data/logs');
    assert.equal(config.flowsDir, '/srv/potion/flows');
    assert.equal(config.lang, 'id');
    assert.equal(config.hddMount, '', 'nobody is told of a disk that was never named');
    assert.deepEqual(config.servicesWhitelist, []);
  });

  it('reads lists with commas or spaces and completes unit names', () => {
    const config = readConfig(
      { ADMIN_IDS: '12, 34', SERVICES_WHITELIST: 'nginx, backup.timer getty@tty1.service' },
      '/',
    );
    assert.deepEqual(config.adminIds, [12, 34]);
    assert.deepEqual(config.servicesWhitelist, ['nginx.service', 'backup.timer', 'getty@tty1.service']);
  });

  const wrong: [string, Record<string, string>][] = [
    ['BOT_TOKEN', { BOT_TOKEN: 'my bot' }],
    ['ADMIN_IDS', { ADMIN_IDS: '@somebody' }],
    ['ADMIN_IDS', { ADMIN_IDS: '-100123' }],
    ['OWNER_BOT_TOKEN', { OWNER_BOT_TOKEN: 'my bot' }],
    ['OWNER_IDS', { OWNER_IDS: '@somebody' }],
    ['SERVICES_WHITELIST', { SERVICES_WHITELIST: '../etc/passwd' }],
    ['SERVICES_WHITELIST', { SERVICES_WHITELIST: 'nginx;reboot' }],
    ['POTION_PORT', { POTION_PORT: '99999' }],
    ['POTION_LANG', { POTION_LANG: 'fr' }],
    ['TELEGRAM_API_URL', { TELEGRAM_API_URL: 'file:///etc/passwd' }],
    ['HEARTBEAT_URL', { HEARTBEAT_URL: 'not an address' }],
    ['LOG_LEVEL', { LOG_LEVEL: 'loud' }],
    ['EDITOR_PASSWORD_HASH', { EDITOR_PASSWORD_HASH: 'secret' }],
    ['EDITOR_BIND', { EDITOR_BIND: '0.0.0.0' }],
    ['EDITOR_BIND', { EDITOR_BIND: '::', EDITOR_LOGINS: 'me@example.com' }],
    ['EDITOR_BIND', { EDITOR_BIND: '192.168.1.10', EDITOR_LOGINS: 'me@example.com' }],
    ['EDITOR_BIND', { EDITOR_BIND: 'tailscale' }],
    ['EDITOR_BIND', { EDITOR_BIND: 'everywhere', EDITOR_PASSWORD_HASH: HASH }],
    ['EDITOR_LOGINS', { EDITOR_LOGINS: 'me' }],
    ['EDITOR_LOGINS', { EDITOR_LOGINS: '*@example.com' }],
  ];
  for (const [name, env] of wrong) {
    it(`names ${name} when it says ${JSON.stringify(env[name])}`, () => {
      const found = problems(env);
      assert.equal(found.length, 1);
      assert.ok(found[0]?.startsWith(`${name}: `), found[0]);
    });
  }

  it('names every fault at once', () => {
    assert.equal(problems({ BOT_TOKEN: 'x', POTION_PORT: '0', POTION_LANG: 'xx' }).length, 3);
  });

  it('listens on loopback, and on what else was asked for beside it', () => {
    const where = (env: Record<string, string>) => {
      const { editorBind, editorOpensOn } = readConfig(env, '/');
      return [editorBind, editorOpensOn];
    };
    const password = { EDITOR_PASSWORD_HASH: HASH };
    assert.deepEqual(where({}), ['127.0.0.1', '']);
    assert.deepEqual(where(password), ['127.0.0.1', 'tailscale'], 'the tailnet where there is a login');
    assert.deepEqual(where({ EDITOR_LOGINS: 'me@example.com' }), ['127.0.0.1', 'tailscale']);
    assert.deepEqual(where({ ...password, EDITOR_BIND: 'loopback' }), ['127.0.0.1', '']);
    assert.deepEqual(where({ EDITOR_BIND: '::1' }), ['::1', '']);
    assert.deepEqual(where({ ...password, EDITOR_BIND: '192.168.1.10' }), ['127.0.0.1', '192.168.1.10']);
    assert.deepEqual(where({ ...password, EDITOR_BIND: '0.0.0.0' }), ['0.0.0.0', '']);
  });

  it('never repeats the token in what it says', () => {
    assert.doesNotMatch(problems({ BOT_TOKEN: `${TOKEN} oops`, POTION_PORT: 'x' }).join(), /AAabc/);
  });

  it('names a threshold that is no quantity', () => {
    assert.deepEqual(problems({ THRESHOLD_CPU: '90%', THRESHOLD_MEMORY: '500 MB', THRESHOLD_DISK: '' }), []);
    assert.match(problems({ THRESHOLD_CPU: 'a lot' }).join(), /^THRESHOLD_CPU: "a lot" is not a quantity/);
  });

  it('has each variable documented in .env.example, and none that does not exist', () => {
    const source = readFileSync(join(HOME, 'nodes/kit/environment.ts'), 'utf8');
    const read = new Set([...source.matchAll(/\(\s*'([A-Z][A-Z_]+)'/g)].map((match) => match[1]));
    const documented = new Set(
      [...readFileSync(join(HOME, '.env.example'), 'utf8').matchAll(/^#? ?([A-Z][A-Z_]+)=/gm)].map(
        (m) => m[1],
      ),
    );
    // That one is for the installer and the root helper.
    read.add('HELPER_VERBS');
    assert.deepEqual([...documented].sort(), [...read].sort());
  });
});

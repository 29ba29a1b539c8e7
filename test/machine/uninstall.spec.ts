import assert from 'node:assert/strict';
import { needs } from '../support/needs.ts';
import { until } from './driver.ts';
import { bootWithClone, install, startTelegram, type Telegram } from './installing.ts';
import type { Machine } from './machine.ts';

describe('Potion taken off a machine', function () {
  this.timeout(240_000);
  let machine: Machine;
  let telegram: Telegram;

  before(async function () {
    needs(this, 'root', 'systemd-nspawn');
    machine = await bootWithClone();
    telegram = await startTelegram(machine);
    const { code, all } = await install(machine, [], telegram.env);
    assert.equal(code, 0, all);
  });

  after(async () => {
    telegram?.driver.stop();
    await machine?.stop();
  });

  const shell = (script: string) => machine.run(['sh', '-c', script]);
  const exists = async (path: string) => (await machine.exec(['test', '-e', path])).code === 0;

  async function assertGone() {
    assert.equal(await shell('ls /etc/systemd/system | grep -i potion || true'), '');
    assert.equal(await shell('find /etc/systemd /run/systemd/system -name "*potion*"'), '');
    assert.equal(
      await shell('systemctl list-units --all --plain --no-legend "potion*" | grep -v not-found || true'),
      '',
    );
    assert.equal(
      await shell('getent passwd potion; getent group potion; getent group | grep potion || true'),
      '',
    );
    for (const path of ['/opt/potion', '/etc/polkit-1/rules.d/50-potion.rules', '/etc/logrotate.d/potion'])
      assert.equal(await exists(path), false, path);
    assert.equal(await shell('ls /run | grep potion || true'), '');
    assert.equal(await shell('ps -eo args | grep -c "[n]ode-red/red.js" || true'), '0');
  }

  it('shows beforehand what would go', async () => {
    const { code, all } = await install(machine, ['--uninstall', '--purge', '--dry-run']);
    assert.equal(code, 0, all);
    assert.match(all, /would: stop potion\.service/);
    assert.match(all, /would: remove \/var\/lib\/potion/);
    assert.equal(await machine.run(['systemctl', 'is-active', 'potion']), 'active');
  });

  it('leaves no unit, user or rule behind, but data, settings and logs, for nobody else to read', async () => {
    await shell('echo mine > /var/lib/potion/flows/mine.txt; chown potion: /var/lib/potion/flows/mine.txt');
    const { code, all } = await install(machine, ['--uninstall']);
    assert.equal(code, 0, all);
    await assertGone();
    for (const path of ['/var/lib/potion/potion.db', '/etc/potion/potion.env', '/var/log/potion/runtime.log'])
      assert.ok(await exists(path), path);
    assert.equal(await shell('find /var/lib/potion /var/log/potion ! -user root'), '');
    assert.equal(await shell('stat --format=%a /var/lib/potion'), '750');
    assert.match((await install(machine, ['--uninstall'])).all, /nothing was changed/);
  });

  it('finds its data again when it comes back', async () => {
    // Another user has taken the number that Potion had.
    await shell('useradd --system somebody');
    const { code, all } = await install(machine);
    assert.equal(code, 0, all);
    assert.match(all, /t\.me/, 'the token is still known');
    assert.equal(await shell('find /var/lib/potion ! -user potion'), '');
    assert.equal(await machine.run(['cat', '/var/lib/potion/flows/mine.txt']), 'mine');
    await telegram.driver.ask('say', '/status');
    await until(
      async () => (await telegram.driver.ask<string[]>('heard')).find((text) => /CPU/.test(text)),
      30_000,
    );
  });

  it('removes data only when it is told twice', async () => {
    const { code, all } = await install(machine, ['--uninstall', '--purge']);
    assert.equal(code, 1, all);
    assert.match(all, /--yes/);
    assert.equal(await machine.run(['systemctl', 'is-active', 'potion']), 'active');
    const purged = await install(machine, ['--uninstall', '--purge', '--yes']);
    assert.equal(purged.code, 0, purged.all);
    await assertGone();
    for (const path of ['/var/lib/potion', '/etc/potion', '/var/log/potion', '/var/cache/potion'])
      assert.equal(await exists(path), false, path);
  });
});

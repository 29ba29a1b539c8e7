import assert from 'node:assert/strict';
import { markedCommands } from '../support/guide.ts';
import { needs } from '../support/needs.ts';
import { until } from './driver.ts';
import { bootWithClone, CLONE, health, install, startTelegram, type Telegram } from './installing.ts';
import { GUEST_NODE, type Machine } from './machine.ts';

const DISK = '/mnt/potion-data';
const AS_POTION = '/opt/potion/current/ops/runtime/as-potion';

describe('the guide’s commands on a machine', function () {
  this.timeout(240_000);
  let machine: Machine;
  let telegram: Telegram;

  before(async function () {
    needs(this, 'root', 'systemd-nspawn');
    machine = await bootWithClone();
    telegram = await startTelegram(machine);
    const { code, all } = await install(machine, ['--yes', '--server-name', 'Warung'], telegram.env);
    assert.equal(code, 0, all);
    // Stands in for the big disk.
    await machine.run(['mkdir', '-p', DISK]);
    await machine.run(['mount', '-t', 'tmpfs', '-o', 'mode=755', 'disk', DISK]);
  });
  after(async () => {
    telegram?.driver.stop();
    await machine?.stop();
  });

  const shell = (script: string, timeout = 120_000) =>
    machine.exec(['bash', '-c', script], {
      cwd: CLONE,
      timeout,
      env: {
        PATH: `/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:${GUEST_NODE.replace(/\/node$/, '')}`,
      },
    });
  const works = async (script: string) => {
    const { code, stdout, stderr } = await shell(script);
    assert.equal(code, 0, `${script}\n${stdout}${stderr}`);
    return stdout;
  };
  /** Runs a marked block as it stands in the guide, line by line, as root. */
  const follow = async (mark: string, change: (line: string) => string = (line) => line) => {
    for (const line of markedCommands(mark)) await works(change(line.replace(/^sudo /, '')));
  };
  const healthy = () => until(async () => ((await health(machine)) === '200' ? true : undefined), 60_000);
  const audited = () =>
    works(`${GUEST_NODE} --disable-warning=ExperimentalWarning -e "
      const { DatabaseSync } = require('node:sqlite');
      const db = new DatabaseSync('/var/lib/potion/potion.db', { readOnly: true });
      console.log(db.prepare('SELECT count(*) AS n FROM audit').get().n)"`);

  it('look from outside, over the flows and over the tree', async () => {
    assert.match(await works(`${AS_POTION} flows check`), /nodes, all well/);
    assert.match(await works(`${AS_POTION} tree show`), /mine/);
    assert.match(await works(`${AS_POTION} git log --oneline`), /^[0-9a-f]{7,} /);
    assert.equal(JSON.parse(await works(`${AS_POTION} flows bundle`)).length > 50, true);
    await healthy();
    assert.match(await works(`${AS_POTION} health --now || :`), /Warung/);
    await telegram.driver.ask('say', '/start');
    await until(async () => (Number(await audited()) > 0 ? true : undefined), 20_000);
    assert.match(await works(`${AS_POTION} health --test`), /✔/);
    assert.match((await shell(`printf 'open sesame\\n' | ${AS_POTION} password`)).stdout, /\$2[aby]\$\d\d\$/);
    assert.equal((await shell(`setpriv --reuid=nobody --clear-groups ${AS_POTION} flows check`)).code, 1);
    assert.match((await shell(`${AS_POTION} explode`)).stderr, /flows check/);
  });

  it('keep the flows elsewhere and bring them back', async () => {
    await works(
      'git init --quiet --bare --initial-branch=main /srv/flows.git && chown -R potion: /srv/flows.git',
    );
    const tab = '/var/lib/potion/flows/engine-room.er.json';
    await works(`sed -i 's/⚙️ Engine Room/⚙️ Mesin/' ${tab}`);
    await works(
      `${AS_POTION} git add --all && ${AS_POTION} git commit --message="My flows" && ${AS_POTION} git push /srv/flows.git mine:main`,
    );
    await works(`sed -i 's/⚙️ Mesin/⚙️ Lost/' ${tab}`);
    await works('git config --global --add safe.directory /srv/flows.git');
    await follow('flows', (line) => line.replace(/https:\S+/, '/srv/flows.git'));
    assert.match(await works('cd /var/lib/potion/flows && grep -h label *.json'), /⚙️ Mesin/);
    assert.equal(await works('find /var/lib/potion -not -user potion'), '');
    await healthy();
  });

  it('copy everything, and bring it back on a machine that has nothing', async () => {
    const before = await audited();
    const [first = '', second = '', third = ''] = markedCommands('copy');
    await works(first.replace(/^sudo /, ''));
    await works(`umount ${DISK}`);
    assert.notEqual(
      (await shell(second.replace(/^sudo /, ''))).code,
      0,
      'not into the folder below a disk that is missing',
    );
    assert.equal(await works(`ls -A ${DISK}`), '');
    await works(`mount -t tmpfs -o mode=755 disk ${DISK} && mkdir ${DISK}/backups`);
    await works(second.replace(/^sudo /, ''));
    await works(third.replace(/^sudo /, ''));
    assert.equal(await works(`stat -c '%U %a' ${DISK}/potion-*.tar.gz`), 'root 600\n');
    await healthy();

    // Another laptop: nothing of it is there, and its next user has another number.
    await works('ops/install/install.sh --uninstall --purge --yes --lang en');
    assert.notEqual((await shell('ls -d /var/lib/potion /etc/potion /opt/potion')).code, 0);
    await works('useradd --system --user-group somebody');
    await follow('restore', (line) => line.replace('potion-2026-01-31.tar.gz', 'potion-$(date +%F).tar.gz'));
    await healthy();
    assert.ok(Number(await audited()) >= Number(before), 'the history is there');
    assert.match(await works('cat /etc/potion/potion.env'), /SERVER_NAME="?Warung/);
    assert.match(await works('cd /var/lib/potion/flows && grep -h label *.json'), /⚙️ Mesin/);
    assert.equal(await works('find /var/lib/potion /var/log/potion -not -user potion'), '');
    assert.equal(await works("stat -c '%U %a' /etc/potion/potion.env"), 'root 600\n');
    assert.equal(await works(`stat -c %U ${DISK}/backups`), 'potion\n');
    const heard = () => telegram.driver.ask<string[]>('heard');
    const old = new Set(await heard());
    await telegram.driver.ask('say', '/status');
    await until(
      async () => ((await heard()).some((text) => !old.has(text) && /RAM/.test(text)) ? true : undefined),
      60_000,
    ).catch(async (thrown) => {
      throw new Error(`${thrown.message}: ${JSON.stringify(await heard())}`);
    });
  });
});

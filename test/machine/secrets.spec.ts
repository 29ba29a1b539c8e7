import assert from 'node:assert/strict';
import { join } from 'node:path';
import { needs } from '../support/needs.ts';
import { FAKE_TOKEN } from '../support/potion.ts';
import { type Secrets, searchFolders, secretsIn } from '../support/secrets.ts';
import { troubleTab } from '../support/trouble.ts';
import { until } from './driver.ts';
import { type Installed, layOut } from './installed.ts';
import { bootMachine, type Machine } from './machine.ts';

const SECRETS: Secrets = {
  BOT_TOKEN: FAKE_TOKEN,
  OWNER_BOT_TOKEN: `7654321:${'OwnerOwner'.repeat(4).slice(0, 35)}`,
  HEARTBEAT_URL: 'http://127.0.0.1:9/ping/very-secret-id',
  EDITOR_PASSWORD_HASH: '$2b$08$R.SWybMDoa1ppQSOuHWWAO5/cc7dTAwjxatMiZQPXAObAKbgusYsK',
};
const SETTINGS = '/etc/potion/potion.env';

describe('secrets on a machine where Potion ran as a service and crashed', function () {
  this.timeout(120_000);
  let machine: Machine;
  let potion: Installed;

  before(async function () {
    needs(this, 'root', 'systemd-nspawn');
    machine = await bootMachine();
    const { BOT_TOKEN: _, ...env } = SECRETS;
    potion = await layOut(machine, { env: { ...env, OWNER_IDS: '100001' } });
  });
  after(async () => {
    potion?.close();
    await machine?.stop();
  });

  it('SIGHUP, as logrotate sends it, makes it open its log anew and does not end it', async () => {
    const { pid } = await potion.start();
    const log = '/var/log/potion/runtime.log';
    await machine.run(['mv', log, `${log}.1`]);
    await machine.run(['systemctl', 'kill', '--signal=HUP', '--kill-whom=main', 'potion.service']);
    await until(async () => ((await machine.exec(['test', '-e', log])).code === 0 ? true : undefined));
    assert.equal(await machine.run(['stat', '-c', '%U:%G %a', log]), 'potion:potion 640');
    await potion.telegram.ask('say', '/help svc');
    await potion.heard(/<start\|stop\|restart>/);
    assert.equal((await potion.facts()).pid, pid);
    await machine.run(['systemctl', 'stop', 'potion.service'], { timeout: 60_000 });
  });

  it('they stand in no file that the machine has written but the settings, nor in the journal', async () => {
    // It says them as soon as it has started, and ends by one a little later.
    const tab = troubleTab().map((node) => {
      const { id, type } = node as { id: string; type: string };
      return type === 'inject' ? { ...node, once: true, onceDelay: id === 'tr-crash' ? 3 : 0.5 } : node;
    });
    await machine.writeFile('/var/lib/potion/flows/trouble.json', JSON.stringify(tab));
    await machine.run(['systemctl', 'start', 'potion.service'], { timeout: 60_000 });
    const seen: string[] = [];
    await potion.untilUnit(({ restarts }) => restarts >= 1);
    seen.push(await machine.run(['sh', '-c', 'cat /proc/*/cmdline 2>/dev/null | tr "\\0" " "']));
    seen.push(await machine.run(['systemctl', 'show', 'potion.service', 'potion-health.service']));
    seen.push(
      await machine
        .run(['systemctl', 'status', '--full', '--no-pager', '--lines=100', 'potion.service'])
        .catch(String),
    );
    await machine.exec(['systemctl', 'start', 'potion-health.service'], { timeout: 60_000 });
    await machine.run(['systemctl', 'stop', 'potion.service'], { timeout: 60_000 });

    await machine.run(['journalctl', '--sync']);
    const journal = (await machine.exec(['journalctl', '--output=export', '--all'])).stdout;
    assert.match(journal, /crashed with <token>/, 'there was something to take out');
    assert.match(journal, /potion-health/);
    assert.deepEqual(secretsIn(journal, SECRETS), []);
    assert.deepEqual(secretsIn(seen.join('\n'), SECRETS), []);

    const written = join(machine.rootDir, '..', 'disk', 'upper');
    const { found, files } = searchFolders([written], SECRETS, (path) => path === join(written, SETTINGS));
    assert.deepEqual(found, []);
    assert.ok(files > 50, `${files} files`);
    for (const secret of Object.values(SECRETS)) {
      const inMemory = await machine.exec(['grep', '-rlsF', '-D', 'skip', '-e', secret, '/run', '/tmp']);
      assert.equal(inMemory.stdout, '');
    }
    assert.equal(await machine.run(['stat', '-c', '%U %a', SETTINGS]), 'root 600');
  });
});

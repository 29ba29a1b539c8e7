import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { needs } from '../support/needs.ts';
import { until } from './driver.ts';
import { type Installed, layOut } from './installed.ts';
import { bootMachine, GUEST_NODE, type Machine } from './machine.ts';

const UNITS = {
  'web.service': '[Service]\nExecStart=/bin/sleep infinity\n',
  'broken.service': '[Service]\nExecStart=/bin/sh -c "echo I can not go on; exit 3"\n',
};
// A container's own boot id is a mount over /proc, which the sandbox of potion.service does not take along.
const BOOT_ID = `[Unit]
Before=potion.service
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'cat /proc/sys/kernel/random/boot_id >/run/boot-id'
`;
const BOOT_ID_INSIDE = '[Service]\nBindReadOnlyPaths=/run/boot-id:/proc/sys/kernel/random/boot_id';
const READ = `
  const { DatabaseSync } = require('node:sqlite');
  const db = new DatabaseSync('/var/lib/potion/potion.db', { readOnly: true });
  console.log(JSON.stringify(db.prepare(process.argv[1]).all()));
`;

describe('a power cut: every process ends at once, and later the machine boots', function () {
  this.timeout(120_000);
  let machine: Machine;
  let potion: Installed;

  before(async function () {
    needs(this, 'root', 'systemd-nspawn');
    machine = await bootMachine({
      units: { ...UNITS, 'boot-id.service': BOOT_ID },
      start: ['web.service', 'boot-id.service'],
    });
    potion = await layOut(machine, {
      dropIn: BOOT_ID_INSIDE,
      env: { SERVICES_WHITELIST: 'web broken', SERVER_NAME: 'rumah' },
      // Shorter waits than in Potion's own flows, so that a test need not last minutes.
      changes: { 'cp-heal': { backoff: 0.3, growth: 2, stable: 1, patience: 5 } },
    });
    await machine.run(['systemctl', 'add-wants', 'machine.target', 'potion.service']);
    await potion.start();
  });
  after(async () => {
    potion?.close();
    await machine?.stop();
  });

  const read = async <Row>(query: string) =>
    JSON.parse(await machine.run([GUEST_NODE, '-e', READ, query], { user: 'potion' })) as Row[];
  const waiting = () =>
    read<{ draft: string }>("select draft from outbox where state in ('queued', 'sending')");
  const isActive = (unit: string) =>
    until(async () => {
      const { stdout } = await machine.exec(['systemctl', 'is-active', unit]);
      return stdout.trim() === 'active' ? true : undefined;
    }, 30_000);
  const told = async (text: RegExp) => (await potion.messages()).filter((one) => text.test(one.text)).length;

  it('brings services and Potion back; tells once that it was off; an alert that was waiting is not lost', async () => {
    await potion.telegram.ask('say', '/status');
    await potion.heard(/rumah.*\d{2}\.\d{2}/);
    // From then on Potion knows that it has lived.
    await until(async () => ((await read('select * from lifecycle')).length > 0 ? true : undefined), 30_000);
    // Telegram goes away, and something breaks that nobody can be told of.
    await potion.telegram.ask('down');
    await machine.exec(['systemctl', 'start', 'broken']);
    await until(
      async () => ((await waiting()).some(({ draft }) => /broken.*menyerah/.test(draft)) ? true : undefined),
      30_000,
    );

    const off = performance.now();
    await machine.powerCut();
    potion.close();
    await sleep(1000);
    await machine.boot();
    await potion.reopen();
    // There is no internet here that could set the clock; Potion would wait a minute for it.
    await machine.writeFile('/run/systemd/timesync/synchronized', '');

    await isActive('web.service');
    await isActive('potion.service');
    await potion.untilHealthy();
    const back = (performance.now() - off) / 1000;
    await potion.heard(/sempat mati/);
    await potion.heard(/broken.*menyerah/);
    await until(async () => ((await waiting()).length === 0 ? true : undefined), 30_000);
    assert.equal(await told(/Aku sempat mati|sempat mati mendadak/), 1, 'once');
    console.log(`        power cut: healthy again ${back.toFixed(1)} s after it (1 s of that without power)`);

    // An orderly restart is no event, and the power cut is not told again.
    await machine.run(['systemctl', 'restart', 'potion'], { timeout: 60_000 });
    await potion.untilHealthy();
    await potion.telegram.ask('say', '/services');
    await potion.heard(/🟢 web/);
    assert.equal(await told(/Aku sempat mati|sempat mati mendadak/), 1, 'and never again');
  });
});

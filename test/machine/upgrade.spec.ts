import assert from 'node:assert/strict';
import { needs } from '../support/needs.ts';
import {
  bootWithClone,
  CLONE,
  commit,
  current,
  edit,
  health,
  install,
  startTelegram,
  type Telegram,
  takeBack,
} from './installing.ts';
import type { Machine } from './machine.ts';

/** Seconds that a version of these tests gets to become well. */
const SOON = ['--patience', '25'];

describe('an upgrade', function () {
  this.timeout(240_000);
  let machine: Machine;
  let telegram: Telegram;

  before(async function () {
    needs(this, 'root', 'systemd-nspawn');
    machine = await bootWithClone();
    telegram = await startTelegram(machine);
    const { BOT_TOKEN = '', ...env } = telegram.env;
    await machine.writeFile('/root/token', `${BOT_TOKEN}\n`, '600');
    const { code, all } = await install(machine, ['--bot-token-file', '/root/token'], env);
    assert.equal(code, 0, all);
    assert.equal(all.includes(BOT_TOKEN), false);
  });

  after(async () => {
    telegram?.driver.stop();
    await machine?.stop();
  });

  const shell = (script: string) => machine.run(['sh', '-c', script]);
  const invocation = () => machine.run(['systemctl', 'show', '-P', 'InvocationID', 'potion']);
  const flowFiles = '/var/lib/potion/flows';

  it('to a good version is taken, with the flows of both sides', async () => {
    await shell(`sed -i 's/"label": "✨ Co-Pilot"/"label": "✨ My Co-Pilot"/' ${flowFiles}/co-pilot.cp.json`);
    await edit(machine, 'flows/engine-room.er.json', `s = s.replace('⚙️ Engine Room', '⚙️ Engines')`);
    await edit(machine, 'package.json', `s = s.replace(/"version": "[^"]*"/, '"version": "9.1.0"')`);
    await machine.writeFile(`${CLONE}/ops/install/files/systemd/potion-extra.timer`, EXTRA);
    const id = `9.1.0-${await commit(machine, 'good')}`;
    const { code, all } = await install(machine, SOON);
    assert.equal(code, 0, all);
    assert.equal(await current(machine), `releases/${id}`);
    assert.equal(await health(machine), '200');
    assert.match(await shell(`cat ${flowFiles}/*.json`), /My Co-Pilot/);
    assert.match(await shell(`cat ${flowFiles}/*.json`), /⚙️ Engines/);
    assert.equal(await machine.run(['systemctl', 'is-enabled', 'potion-extra.timer']), 'enabled');
    assert.equal(await machine.run(['systemctl', 'is-active', 'potion-extra.timer']), 'active');
  });

  it('to a version that can not be built leaves the running one alone', async () => {
    const before = [await current(machine), await invocation(), await shell('ls /opt/potion/releases')];
    await machine.writeFile(`${CLONE}/nodes/kit/wrong.ts`, 'export const wrong: number = "text";\n');
    await commit(machine, 'does not build');
    const { code, all } = await install(machine, SOON);
    assert.equal(code, 1, all);
    assert.match(all, /wrong\.ts/);
    assert.match(all, /could not be built/);
    assert.deepEqual(
      [await current(machine), await invocation(), await shell('ls /opt/potion/releases')],
      before,
    );
    await takeBack(machine);
  });

  it('is not held up by a Telegram that is away, and removes what is no longer shipped', async () => {
    telegram.driver.stop();
    await shell(`rm ${CLONE}/ops/install/files/systemd/potion-extra.timer`);
    const id = `9.1.0-${await commit(machine, 'without the timer')}`;
    const { code, all } = await install(machine, SOON);
    assert.equal(code, 0, all);
    assert.match(all, /can not be reached, so the token could not be checked/);
    assert.match(all, /Not well yet: .*telegram/);
    assert.equal(await current(machine), `releases/${id}`);
    assert.equal(await shell('find /etc/systemd -name "potion-extra*"'), '');
    assert.equal(await shell('ls /opt/potion/releases | wc -l'), '3');
  });
});

const EXTRA = `[Unit]
Description=No more than a timer
[Timer]
OnCalendar=yearly
Unit=machine.target
[Install]
WantedBy=timers.target
`;

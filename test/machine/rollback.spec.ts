import assert from 'node:assert/strict';
import { needs } from '../support/needs.ts';
import { FAKE_TOKEN } from '../support/potion.ts';
import { bootWithClone, commit, current, edit, health, install, takeBack } from './installing.ts';
import type { Machine } from './machine.ts';

/** Seconds that a version of these tests gets to become well. */
const SOON = ['--patience', '18'];

describe('an upgrade that fails', function () {
  this.timeout(240_000);
  let machine: Machine;

  before(async function () {
    needs(this, 'root', 'systemd-nspawn');
    machine = await bootWithClone();
    // Where Telegram is away nobody waits for it.
    const away = { BOT_TOKEN: FAKE_TOKEN, TELEGRAM_API_URL: 'http://127.0.0.1:9' };
    const { code, all } = await install(machine, [], away);
    assert.equal(code, 0, all);
  });

  after(async () => {
    await machine?.stop();
  });

  const shell = (script: string) => machine.run(['sh', '-c', script]);
  const flowFiles = '/var/lib/potion/flows';
  const asPotion = ['setpriv', '--reuid=potion', '--regid=potion', '--clear-groups', 'git', '-C', flowFiles];

  it('to a version that does not become well goes back by itself, with flows and database', async () => {
    const before = await current(machine);
    await shell(`sed -i 's/"label": "✨ Co-Pilot"/"label": "✨ My Co-Pilot"/' ${flowFiles}/co-pilot.cp.json`);
    const branch = await machine.run([...asPotion, 'rev-parse', 'mine']);
    await edit(
      machine,
      'package.json',
      `const all = JSON.parse(s); delete all['node-red'].nodes['potion-watchdog']; s = JSON.stringify(all, null, 2)`,
    );
    await edit(machine, 'flows/engine-room.er.json', `s = s.replace('⚙️ Engine Room', '⚙️ Broken')`);
    await edit(machine, 'nodes/state/migrations.ts', MIGRATION);
    const unit = 'ops/install/files/systemd/potion.service';
    await edit(machine, unit, `s = s.replace('Description=Potion', 'Description=New Potion')`);
    await commit(machine, 'not well');
    const { code, all } = await install(machine, SOON);
    assert.equal(code, 1, all);
    assert.match(all, /flows: the flows have not started/);
    assert.match(all, /is back as it was before/);
    assert.match(all, /bring the database back/);
    assert.equal(await current(machine), before);
    assert.equal(await health(machine), '503', 'as before: Telegram is away');
    assert.equal(
      await machine.run([...asPotion, 'rev-parse', 'mine^']),
      branch,
      'the edits of the person were committed, and nothing else is on their branch',
    );
    assert.doesNotMatch(await shell(`cat ${flowFiles}/*.json`), /Broken/);
    assert.match(await shell(`cat ${flowFiles}/*.json`), /My Co-Pilot/);
    assert.doesNotMatch(
      await machine.run(['systemctl', 'show', '-P', 'Description', 'potion']),
      /New Potion/,
    );
    assert.equal(await shell('ls /opt/potion/upgrade.json 2>/dev/null || true'), '');
    await takeBack(machine);
  });

  it('to a version that crashes at its start goes back by itself, and shows its last words', async () => {
    const before = await current(machine);
    await edit(machine, 'settings.ts', `s = s + '\\nthrow new Error("I can not go on");\\n'`);
    await commit(machine, 'crashes');
    const { code, all } = await install(machine, SOON);
    assert.equal(code, 1, all);
    assert.match(all, /I can not go on/);
    assert.match(all, /is back as it was before/);
    assert.equal(await current(machine), before);
    assert.equal(await health(machine), '503', 'as before: Telegram is away');
    await takeBack(machine);
  });
});

const MIGRATION = `s = s.replace("'0001-first': { up: first },",
  "'0001-first': { up: first }, '9999-more': { up: (db) => db.schema.createTable('more').addColumn('id', 'integer').execute() },")`;

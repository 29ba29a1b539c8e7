import assert from 'node:assert/strict';
import { type Cockpit, machineCockpit } from '../cockpit/cockpit.ts';
import { needs } from '../support/needs.ts';
import { type Installed, layOut } from './installed.ts';
import { bootMachine, type Machine } from './machine.ts';

describe('transcripts in a booted machine', function () {
  this.timeout(120_000);
  let machine: Machine;
  let installed: Installed;
  let cockpit: Cockpit;

  before(async function () {
    needs(this, 'root', 'systemd-nspawn');
    machine = await bootMachine({
      units: { 'web.service': '[Service]\nExecStart=/bin/sleep infinity\n' },
      start: ['web.service'],
    });
    installed = await layOut(machine, { env: { SERVICES_WHITELIST: 'web' } });
    await installed.start();
    cockpit = await machineCockpit(installed);
  });
  after(async () => {
    installed?.close();
    await machine?.stop();
  });

  it('asks, presses and reads the audit log of an installed Potion', async () => {
    const asked = await cockpit.ask('/svc stop web');
    assert.match(asked.text, /Yakin mau/);
    const answered = await cockpit.press(asked, 'Batal');
    assert.equal(answered.id, asked.id);
    assert.ok((await cockpit.audit()).some((line) => /event=confirm .*result=no/.test(line)));
  });

  it('sees that a stranger is left unanswered', async () => {
    assert.match(await cockpit.as(666).sendsInVain('/status'), /stranger/);
  });
});

import assert from 'node:assert/strict';
import { type Cockpit, machineCockpit } from '../cockpit/cockpit.ts';
import { needs } from '../support/needs.ts';
import { until } from './driver.ts';
import { type Installed, layOut } from './installed.ts';
import { bootMachine, type Machine } from './machine.ts';

const SLEEP = '[Service]\nExecStart=/bin/sleep infinity\n';

describe('settings on a machine with systemd', function () {
  this.timeout(120_000);
  let machine: Machine;
  let installed: Installed;
  let cockpit: Cockpit;

  before(async function () {
    needs(this, 'root', 'systemd-nspawn');
    machine = await bootMachine({
      units: { 'web.service': SLEEP, 'queue.service': `${SLEEP}[Install]\nAlias=line.service\n` },
      start: ['web.service', 'queue.service'],
    });
    installed = await layOut(machine, { env: { SERVICES_WHITELIST: 'web', SERVER_NAME: 'rumah' } });
    await installed.start();
    cockpit = await machineCockpit(installed);
  });
  after(async () => {
    installed?.close();
    await machine?.stop();
  });

  const change = async (line: string) => {
    const question = await cockpit.ask(line);
    assert.match(question.text, /^Yakin mau/, question.text);
    return cockpit.press(question, '✅ Ya');
  };

  it('adds a unit that there is, and says what is missing to steer it', async () => {
    assert.match((await cockpit.ask('/svc_add nosuch')).text, /tidak ada service nosuch\.service/);
    const { text } = await change('/svc_add queue');
    assert.match(text, /queue\.service sekarang aku awasi/);
    assert.match(text, /SERVICES_WHITELIST di \/etc\/potion\/potion\.env/);
    assert.match(text, /install\.sh --privileges/);
    assert.match((await cockpit.ask('/services')).text, /queue/);
    assert.match((await cockpit.ask('/svc_add queue')).text, /memang sudah ada/);
  });

  it('watches it from that moment on', async () => {
    await machine.exec(['systemctl', 'kill', '--signal=KILL', 'queue']);
    await cockpit.hears(/^🔧 queue mati/, 20_000);
  });

  it('refuses its own unit', async () => {
    assert.match((await cockpit.ask('/svc_add potion')).text, /potion\.service itu aku sendiri/);
  });

  it('lets go of a unit from that moment on', async () => {
    await change('/svc_remove web');
    await machine.exec(['systemctl', 'kill', '--signal=KILL', 'web']);
    await until(async () =>
      (await machine.exec(['systemctl', 'is-failed', 'web'])).stdout.trim() === 'failed' ? true : undefined,
    );
    await new Promise((resolve) => setTimeout(resolve, 3000));
    assert.equal(
      (await machine.exec(['systemctl', 'is-active', 'web'])).stdout.trim(),
      'failed',
      'not healed',
    );
    assert.deepEqual(
      (await cockpit.messages()).filter(({ text }) => /\bweb\b.*(mati|hidup)/.test(text)),
      [],
    );
  });

  it('tells the version that is installed', async () => {
    assert.match((await cockpit.ask('/about')).text, /^ℹ️ Potion \d+\.\d+\.\d+/);
  });
});

import assert from 'node:assert/strict';
import { unitState } from '../../nodes/host/unit-state.js';
import { readConfig, setConfig } from '../../nodes/kit/config.js';
import { LANGUAGES, render } from '../../nodes/kit/locale.js';
import { changeOf } from '../../nodes/sense/services/change.js';
import { type Running, startFlow } from '../support/node-red.ts';

const state = (ActiveState: string, more: object = {}) =>
  unitState('a.service', { LoadState: 'loaded', ActiveState, SubState: '', Result: 'success', ...more });

describe('a change of a unit', () => {
  it('is another condition than before', () => {
    const failed = state('failed', { Result: 'signal' });
    assert.deepEqual(changeOf(failed, state('active')), {
      unit: 'a.service',
      condition: 'failed',
      previous: 'active',
      state: failed,
    });
    assert.equal(changeOf(state('active'))?.previous, null);
    assert.equal(changeOf(failed, state('failed', { Result: 'exit-code' })), undefined);
  });

  it('is also a restart that nobody saw', () => {
    const [before, after] = [state('active', { NRestarts: 1 }), state('active', { NRestarts: 2 })];
    assert.equal(changeOf(after, before)?.condition, 'active');
    assert.equal(changeOf(before, after), undefined, 'a counter that starts anew is no restart');
    const waiting = { SubState: 'auto-restart' };
    const [first, second] = [state('activating', waiting), state('activating', { ...waiting, NRestarts: 1 })];
    assert.equal(changeOf(second, first), undefined);
  });

  it('can be told in every language', () => {
    const change = changeOf(state('failed', { Result: 'exit-code', ExecMainStatus: 3 }), state('active'));
    for (const lang of LANGUAGES) {
      const words = render(lang, 'services.changed', { payload: change });
      assert.match(words, /^🔴 <b>a\.service<\/b> \S.*3/u);
      assert.doesNotMatch(words, /unit\./);
    }
  });
});

describe('the services node where there is no systemd', () => {
  let flow: Running;
  let address: string | undefined;

  before(() => {
    address = process.env.DBUS_SYSTEM_BUS_ADDRESS;
    process.env.DBUS_SYSTEM_BUS_ADDRESS = 'unix:path=/nowhere/bus';
    setConfig(readConfig({ SERVICES_WHITELIST: 'nginx', POTION_LANG: 'en-US' }, '/tmp'));
  });

  afterEach(() => flow.stop());

  after(() => {
    setConfig(undefined);
    if (address === undefined) delete process.env.DBUS_SYSTEM_BUS_ADDRESS;
    else process.env.DBUS_SYSTEM_BUS_ADDRESS = address;
  });

  async function start(units: string): Promise<void> {
    flow = await startFlow(
      ['sense/services'],
      [
        { id: 'tab', type: 'tab' },
        { id: 'n', z: 'tab', type: 'potion-services', version: 1, units, initial: true, wires: [['out']] },
        { id: 'c', z: 'tab', type: 'catch', wires: [['errors']] },
        { id: 'out', z: 'tab', type: 'helper' },
        { id: 'errors', z: 'tab', type: 'helper' },
      ],
    );
  }

  it('says so on its status and to whoever asks, and keeps running', async () => {
    await start('');
    const next = flow.next('errors');
    flow.give('n', {});
    assert.equal((await next).error?.cause?.code, 'UNAVAILABLE');
    assert.ok(
      flow.statuses('n').some(({ fill, text }) => fill === 'red' && /no connection/.test(text ?? '')),
    );
    assert.deepEqual(flow.got('out'), []);
  });

  it('names a unit in its configuration that can’t be one', async () => {
    await start('nginx a;b');
    const next = flow.next('errors');
    flow.give('n', {});
    const { error } = await next;
    assert.equal(error?.cause?.code, 'INVALID');
    assert.match(error?.message ?? '', /a;b/);
  });
});

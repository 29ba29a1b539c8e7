import assert from 'node:assert/strict';
import { readRequest, unitsOf, verify } from '../../nodes/act/systemctl/request.js';
import { type UnitState, unitState } from '../../nodes/host/unit-state.js';
import { readConfig, setConfig } from '../../nodes/kit/config.js';
import type { PotionError } from '../../nodes/kit/errors.js';
import { LANGUAGES, render } from '../../nodes/kit/locale.js';
import type { Message } from '../../nodes/kit/messages.js';
import { type Running, startFlow } from '../support/node-red.ts';

const UNITS = ['nginx.service', 'backup.timer'];
const code = (run: () => unknown) => {
  try {
    run();
    return 'done';
  } catch (thrown) {
    return (thrown as PotionError).code;
  }
};

describe('what a message asks of systemctl', () => {
  it('is the action of the message, else of the node, on the unit of the payload', () => {
    const read = (msg: Message, configured = 'status') => readRequest(msg, configured, UNITS);
    assert.deepEqual(read({ payload: 'nginx' }), { action: 'status', unit: 'nginx.service' });
    assert.deepEqual(read({ payload: { unit: 'backup.timer' }, action: 'stop' }), {
      action: 'stop',
      unit: 'backup.timer',
    });
    assert.deepEqual(read({ action: 'list' }), { action: 'list' });
    assert.deepEqual(read({ payload: 'whatever' }, 'list'), { action: 'list' });
  });

  it('is refused when it is no action, no unit, or none that is allowed', () => {
    const read = (action: unknown, payload: unknown) =>
      code(() => readRequest({ action, payload } as Message, 'status', UNITS));
    assert.equal(read('enable', 'nginx'), 'INVALID');
    assert.equal(read('', 'nginx'), 'INVALID');
    assert.equal(read('start', undefined), 'INVALID');
    assert.equal(read('start', '--help'), 'INVALID');
    assert.equal(read('start', 'ssh'), 'DENIED');
    assert.equal(
      read('start', 'backup'),
      'DENIED',
      'the service of that name is another unit than its timer',
    );
  });

  it('can be narrowed to a part of the whitelist, never widened', () => {
    assert.deepEqual(unitsOf('', UNITS), UNITS);
    assert.deepEqual(unitsOf('nginx, nginx.service', UNITS), ['nginx.service']);
    assert.equal(
      code(() => unitsOf('nginx ssh', UNITS)),
      'DENIED',
    );
    assert.equal(
      code(() => unitsOf('a;b', UNITS)),
      'INVALID',
    );
  });
});

const state = (ActiveState: string, more: object = {}) =>
  unitState('a.service', { LoadState: 'loaded', ActiveState, SubState: '', Result: 'success', ...more });
const run = (id: string) => ({ InvocationID: Buffer.from(id) });

describe('whether it came true', () => {
  const text = (action: 'start' | 'stop' | 'restart', after: UnitState, settled = after) =>
    verify(action, after, settled)?.cause.text.replace('systemctl.errors.', '');

  it('is so for a unit that came up and stays up in the same run', () => {
    assert.equal(text('start', state('active', run('1'))), undefined);
    assert.equal(text('restart', state('active', { SubState: 'exited' })), undefined);
    assert.equal(text('start', state('inactive', { Type: 'oneshot' })), undefined);
  });

  it('is not so for one that died, or was restarted meanwhile', () => {
    const up = state('active', run('1'));
    assert.equal(text('start', up, state('failed', run('1'))), 'not-staying');
    assert.equal(text('start', up, state('active', run('2'))), 'not-staying');
    assert.equal(text('start', up, state('activating', { SubState: 'auto-restart' })), 'not-staying');
    assert.equal(text('restart', state('inactive')), 'left-down');
    assert.equal(text('start', state('failed')), 'not-up');
  });

  it('is so for a stop when the unit is down, well or not', () => {
    assert.equal(text('stop', state('inactive')), undefined);
    assert.equal(text('stop', state('failed')), undefined);
    assert.equal(text('stop', state('active')), 'still-up');
    assert.equal(text('stop', state('activating')), 'still-up');
  });
});

describe('what the chat says of it', () => {
  it('is whole in every language, for every action', () => {
    const after = {
      ...state('failed', { Result: 'exit-code', ExecMainStatus: 3 }),
      since: Date.UTC(2026, 0, 1),
    };
    for (const lang of LANGUAGES) {
      for (const action of ['start', 'stop', 'restart', 'status']) {
        const words = render(lang, 'systemctl.done', { payload: { unit: 'a<b.service', action, after } });
        assert.match(words, /<b>a&lt;b\.service<\/b>/);
        assert.doesNotMatch(words, /unit\.(condition|result)|undefined|\{\{/);
      }
      const list = render(lang, 'systemctl.list', { payload: [after, state('active')] });
      assert.equal(list.split('\n').length, 3);
      assert.match(render(lang, 'systemctl.list', { payload: [] }), /SERVICES_WHITELIST/);
    }
  });
});

describe('the systemctl node where there is no systemd', () => {
  let flow: Running;
  let address: string | undefined;

  before(async () => {
    address = process.env.DBUS_SYSTEM_BUS_ADDRESS;
    process.env.DBUS_SYSTEM_BUS_ADDRESS = 'unix:path=/nowhere/bus';
    setConfig(readConfig({ SERVICES_WHITELIST: 'nginx', POTION_LANG: 'en-US' }, '/tmp'));
    flow = await startFlow(
      ['act/systemctl'],
      [
        { id: 'tab', type: 'tab' },
        {
          id: 'n',
          z: 'tab',
          type: 'potion-systemctl',
          version: 1,
          action: 'restart',
          units: '',
          settle: 0,
          wires: [['out']],
        },
        { id: 'c', z: 'tab', type: 'catch', wires: [['errors']] },
        { id: 'out', z: 'tab', type: 'helper' },
        { id: 'errors', z: 'tab', type: 'helper' },
      ],
    );
  });

  after(async () => {
    await flow.stop();
    setConfig(undefined);
    if (address === undefined) delete process.env.DBUS_SYSTEM_BUS_ADDRESS;
    else process.env.DBUS_SYSTEM_BUS_ADDRESS = address;
  });

  const failure = async (msg: Message) => {
    const next = flow.next('errors');
    flow.give('n', msg);
    return (await next).error;
  };

  it('says so, and says it again the next time', async () => {
    for (let i = 0; i < 2; i++) {
      const error = await failure({ payload: 'nginx' });
      assert.equal(error?.cause?.code, 'UNAVAILABLE');
      assert.match(error?.message ?? '', /systemd can't be reached/);
    }
    assert.equal(flow.statuses('n').at(-1)?.fill, 'red');
  });

  it('refuses what it may not touch before it looks for systemd', async () => {
    assert.equal((await failure({ payload: 'ssh' }))?.cause?.code, 'DENIED');
    assert.equal((await failure({ payload: 'a;b' }))?.cause?.code, 'INVALID');
    assert.deepEqual(flow.got('out'), []);
  });
});

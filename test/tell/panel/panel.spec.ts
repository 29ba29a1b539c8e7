import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { ProcessInfo } from '../../../nodes/host/processes.js';
import { type Condition, type UnitState, unitState } from '../../../nodes/host/unit-state.js';
import { LANGUAGES, render } from '../../../nodes/kit/locale.js';
import type { Button, Message, Say } from '../../../nodes/kit/messages.js';
import { pageButtons, pageOf } from '../../../nodes/kit/pager.js';
import { processesPanel, processPanel } from '../../../nodes/tell/panel/processes.js';
import { changesOf, servicePanel, servicesPanel } from '../../../nodes/tell/panel/services.js';
import { type Running, startFlow } from '../../support/node-red.ts';

const NOW = Date.UTC(2026, 0, 2, 12);
const t = (key: string, data?: object) => render('en-US', key, data, 'plain');
const state = (unit: string, ActiveState: string, more: object = {}): UnitState =>
  unitState(unit, { LoadState: 'loaded', ActiveState, SubState: '', Result: 'success', ...more });
const commands = (say: Say) => (say.buttons ?? []).map((row) => row.map((one) => commandOf(one)));
const commandOf = (button: Button) => ('command' in button ? button.command : '');
const words = (say: Say, lang: 'id' | 'en-US' = 'en-US') => render(lang, say.text, say.data);

const info = (more: Partial<ProcessInfo> = {}): ProcessInfo => ({
  pid: 812,
  start: 55_310,
  startedAt: NOW - 3_600_000,
  parent: 1,
  name: 'rs<ync',
  state: 'S',
  cpu: 1.25,
  cpuTime: 75,
  memory: 50e6,
  threads: 3,
  user: 'dre',
  command: 'rsync -a /a /b',
  unit: '',
  kernel: false,
  ...more,
});

describe('a page of a list', () => {
  it('has everything once over all pages, whatever page is asked for', () => {
    fc.assert(
      fc.property(fc.array(fc.nat()), fc.integer({ min: 1, max: 9 }), fc.integer(), (list, size, wanted) => {
        const { pages, page } = pageOf(list, wanted, size);
        assert.ok(page >= 1 && page <= pages);
        const all = Array.from({ length: pages }, (_, i) => pageOf(list, i + 1, size).items).flat();
        assert.deepEqual(all, list);
      }),
    );
  });

  it('has buttons to the pages there are', () => {
    const to = (page: number, pages: number) => pageButtons({ page, pages }, '/top cpu').map(commandOf);
    assert.deepEqual(to(1, 1), []);
    assert.deepEqual(to(1, 3), ['/top cpu 1', '/top cpu 2']);
    assert.deepEqual(to(2, 3), ['/top cpu 1', '/top cpu 2', '/top cpu 3']);
    assert.deepEqual(to(3, 3), ['/top cpu 2', '/top cpu 3']);
  });
});

describe('the panel of all services', () => {
  it('has a button for each, with a badge, and pages above twelve', () => {
    const states = Array.from({ length: 30 }, (_, i) => state(`s${i}.service`, i % 2 ? 'active' : 'failed'));
    const say = servicesPanel(states, 2, t);
    const units = commands(say)
      .flat()
      .filter((line) => /^\/services s/.test(line));
    assert.deepEqual(
      units,
      states.slice(12, 24).map(({ unit }) => `/services ${unit}`),
    );
    assert.equal(say.buttons?.[0]?.[0]?.label, '🔴 s12');
    assert.ok(commands(say).some((row) => row.join() === '/services 1,/services 2,/services 3'));
    assert.ok(commands(say).flat().includes('/top'));
    assert.ok(commands(say).flat().includes('/reboot'));
    assert.match(words(say), /15 ok, 15 failed\n🔴 s12 — failed\n🟢 s13 — running/);
  });

  it('says what to do when there are none', () => {
    for (const lang of LANGUAGES) assert.match(words(servicesPanel([], 1, t), lang), /SERVICES_WHITELIST/);
  });
});

describe('the panel of one service', () => {
  const view = (after: UnitState, more: object = {}) =>
    servicePanel({ unit: after.unit, action: 'status', after, ...more }, undefined, NOW, t);

  it('offers what its state allows', () => {
    const can = (ActiveState: string, more: object = {}) =>
      changesOf(state('a.service', ActiveState, more)).join(' ');
    assert.equal(can('active'), 'stop restart');
    assert.equal(can('active', { SubState: 'exited' }), 'stop restart');
    assert.equal(can('activating', { SubState: 'auto-restart' }), 'stop restart');
    assert.equal(can('deactivating'), 'start');
    assert.equal(can('inactive'), 'start');
    assert.equal(can('inactive', { Type: 'oneshot' }), 'start');
    assert.equal(can('failed'), 'start');
    assert.equal(can('inactive', { LoadState: 'masked' }), '');
    assert.equal(can('inactive', { LoadState: 'not-found' }), '');
  });

  it('tells state, age, memory and time on the processor, where systemd knows them', () => {
    const since = BigInt(NOW - 7_200_000) * 1000n;
    const known = { StateChangeTimestamp: since, MemoryCurrent: 52_428_800n, CPUUsageNSec: 61_000_000_000n };
    const told = words(view(state('a.service', 'active', { ...known, Description: 'A <b>' })));
    assert.match(told, /🟢 <b>a\.service<\/b>: running\n<i>A &lt;b&gt;<\/i>\n🕒 since .* \(2 hours\)/);
    assert.match(told, /RAM 50.MB · CPU 1 minute 1 second since/);
    const unknown = { MemoryCurrent: 2n ** 64n - 1n, CPUUsageNSec: 2n ** 64n - 1n };
    assert.doesNotMatch(words(view(state('a.service', 'active', unknown))), /RAM/);
  });

  it('shows the newest lines of its log that fit, and why there are none', () => {
    const log = Array.from({ length: 40 }, (_, i) => ({
      at: NOW,
      message: `${i} <${'x'.repeat(300)}>`,
      priority: 6,
      from: 'a',
    }));
    const told = words(
      view(state('a.service', 'failed', { Result: 'exit-code', ExecMainStatus: 3 }), { log }),
    );
    assert.match(told, /exit code 3/);
    assert.match(told, /39 &lt;xxx/);
    assert.doesNotMatch(told, /<pre>.* 0 &lt;/);
    assert.ok(told.length < 3900, `${told.length}`);
    const why = { code: 'UNAVAILABLE' as const, text: 'errors.journal-right', data: {} };
    assert.match(words(view(state('a.service', 'failed'), { logFailure: why })), /📜 .*journal/);
    assert.match(words(view(state('a.service', 'active'), { log: [] })), /log is empty/);
  });

  it('tells first what was done with it, or what went wrong, and keeps that as the result', () => {
    const after = state('a.service', 'active');
    for (const lang of LANGUAGES)
      for (const action of ['start', 'stop', 'restart'])
        assert.match(words(view(after, { action }), lang), /^(▶️|⏹️|🔁) <b>a\.service<\/b> .*\n\n🟢/);
    const failure = {
      code: 'DENIED' as const,
      text: 'errors.unit-denied',
      data: { verb: 'stop', unit: 'a.service' },
    };
    const failed = servicePanel({ unit: 'a.service', action: 'status', after }, failure, NOW, t);
    assert.equal(failed.outcome, 'DENIED');
    assert.match(words(failed), /❌.*a\.service\n👉 .*\n\n🟢/);
  });

  it('is whole in every language for every condition', () => {
    const conditions: Condition[] = [
      ...(['active', 'exited', 'reloading', 'auto-restart', 'activating', 'deactivating'] as const),
      ...(['missing', 'masked', 'start-limit-hit', 'failed', 'inactive'] as const),
    ];
    for (const lang of LANGUAGES)
      for (const condition of conditions) {
        const say = view({ ...state('a.service', 'active'), condition });
        assert.doesNotMatch(words(say, lang), /unit\.(condition|result)|undefined|\{\{|NaN/);
      }
  });
});

describe('the panel of processes', () => {
  const page = {
    by: 'cpu' as const,
    page: 2,
    pages: 3,
    total: 20,
    cores: 4,
    processes: [info(), info({ pid: 9 })],
  };

  it('numbers them, and its buttons name each process by number and start', () => {
    const say = processesPanel(page, t);
    assert.deepEqual(commands(say)[0], ['/process 812 55310', '/process 9 55310']);
    assert.deepEqual(commands(say)[1], ['/top cpu 1', '/top cpu 2', '/top cpu 3']);
    assert.deepEqual(commands(say)[2], ['/top ram', '/top cpu 2']);
    assert.match(words(say), /<b>1\.<\/b> rs&lt;ync <code>812<\/code> · 125% · 47\.7.MB\n<b>2\.<\/b>/);
  });

  it('of one offers to end it, and leads to the service that it belongs to', () => {
    const free = processPanel(info(), ['a.service'], NOW, t);
    assert.deepEqual(commands(free), [['/kill 812 55310', '/process 812 55310'], ['/top']]);
    const managed = processPanel(info({ unit: 'a.service' }), ['a.service'], NOW, t);
    assert.ok(commands(managed).flat().includes('/services a.service'));
    assert.match(words(managed), /restarting that service is cleaner/);
    const kernel = processPanel(info({ kernel: true, command: '[kworker]' }), [], NOW, t);
    assert.ok(
      !commands(kernel)
        .flat()
        .some((line) => line.startsWith('/kill')),
    );
    for (const lang of LANGUAGES)
      for (const one of ['R', 'S', 'D', 'Z', 'T', 't', 'I', 'X'])
        assert.doesNotMatch(words(processPanel(info({ state: one }), [], NOW, t), lang), /panel\.|undefined/);
  });
});

describe('the panel and processes nodes', () => {
  let flow: Running;
  const FLOW = [
    { id: 'tab', type: 'tab' },
    {
      id: 'p',
      type: 'potion-processes',
      z: 'tab',
      x: 0,
      y: 0,
      version: 1,
      by: 'ram',
      perPage: 3,
      wires: [['view']],
    },
    {
      id: 'view',
      type: 'potion-panel',
      z: 'tab',
      x: 0,
      y: 0,
      version: 1,
      panel: 'processes',
      wires: [['out']],
    },
    { id: 'one', type: 'potion-panel', z: 'tab', x: 0, y: 0, version: 1, panel: 'service', wires: [['out']] },
    { id: 'out', type: 'helper', z: 'tab' },
    { id: 'c', type: 'catch', z: 'tab', x: 0, y: 0, wires: [['errors']] },
    { id: 'errors', type: 'helper', z: 'tab' },
  ];
  before(async () => {
    flow = await startFlow(['sense/processes', 'tell/panel'], FLOW);
  });
  after(() => flow.stop());
  const given = async (node: string, msg: Message, at = 'out') => {
    const next = flow.next(at);
    flow.give(node, msg);
    return next;
  };

  it('show the largest processes of this machine, and keep everything else of the message', async () => {
    const msg = await given('p', { payload: {}, topic: 'mine' });
    const { processes, total } = msg.payload as { processes: ProcessInfo[]; total: number };
    assert.ok(total >= 2 && processes.length <= 3);
    assert.equal(msg.topic, 'mine');
    assert.equal(msg.say?.text, 'panel.processes.list');
    const far = await given('p', { payload: { page: 100_000, by: 'cpu' } });
    const { page, pages } = far.payload as { page: number; pages: number };
    assert.equal(page, pages);
  });

  it('refuse what they do not know', async () => {
    for (const payload of [
      { by: 'disk' },
      { page: 0 },
      { page: '2' },
      { pid: '7' },
      { pid: 7, start: 'x' },
    ]) {
      const { error } = await given('p', { payload }, 'errors');
      assert.equal(error?.cause?.code, 'INVALID', JSON.stringify(payload));
    }
    const gone = await given('p', { payload: { pid: process.pid, start: 1 } }, 'errors');
    assert.equal(gone.error?.cause?.code, 'NOT_FOUND');
    const wrong = await given('one', { payload: [] }, 'errors');
    assert.equal(wrong.error?.cause?.text, 'panel.errors.payload');
  });
});

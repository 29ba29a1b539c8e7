import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { config, readConfig, setConfig } from '../../nodes/kit/config.js';
import type { Message, Request } from '../../nodes/kit/messages.js';
import { activeSilences } from '../../nodes/state/alerts.js';
import { keptSettings } from '../../nodes/state/settings.js';
import { type Running, startFlow } from '../support/node-red.ts';

const request: Request = { id: '42:1:1', user: 42, chat: 42, command: 'x', args: [], startedAt: 1 };

const ALERT = {
  ...{ z: 'tab', x: 1, y: 1, type: 'potion-alert', version: 1, label: '', severity: 'warning', clear: '' },
  ...{ values: '', for: 0, keepFiring: 0, repeat: 0, missing: 'keep', missingAfter: 300, wires: [[], []] },
};

const FLOW = [
  { id: 'tab', type: 'tab' },
  {
    id: 'n',
    z: 'tab',
    x: 1,
    y: 1,
    type: 'potion-settings',
    version: 1,
    action: 'show',
    wires: [['answer'], ['question']],
  },
  {
    ...ALERT,
    id: 'cpu',
    property: 'payload.cpu',
    code: 'cpu',
    unit: 'ratio',
    operator: 'above',
    threshold: '90%',
  },
  {
    ...{ ...ALERT, id: 'disk', property: 'payload.disks.*', code: 'disk:{series}', unit: 'ratio' },
    ...{ operator: 'above', threshold: '90%' },
  },
  {
    ...{ ...ALERT, id: 'state', property: 'payload.state', code: 'web', unit: '' },
    ...{ operator: 'oneOf', threshold: '', values: 'bad' },
  },
  { id: 'c', z: 'tab', x: 1, y: 1, type: 'catch', scope: ['n'], wires: [['errors']] },
  ...['answer', 'question', 'errors'].map((id) => ({ id, z: 'tab', x: 1, y: 1, type: 'helper' })),
];

describe('settings', () => {
  let home: string;
  let flow: Running;

  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'settings-'));
    const env = { ADMIN_IDS: '42,43', SERVICES_WHITELIST: 'nginx', POTION_LANG: 'en-US' };
    setConfig(readConfig(env, home));
    flow = await startFlow(['act/settings', 'judge/alert'], FLOW);
  });
  afterEach(async () => {
    await flow.stop();
    setConfig(undefined);
    rmSync(home, { recursive: true });
  });

  const give = (action: string, payload: unknown, more: object = {}) =>
    flow.give('n', { action, payload, request, ...more } as Message);
  const on = async (output: 'answer' | 'question' | 'errors', action: string, payload: unknown) => {
    const next = flow.next(output);
    give(action, payload);
    return next;
  };
  const failed = async (action: string, payload: unknown) =>
    (await on('errors', action, payload)).error?.cause;
  /** Prepares a change and applies it, as after a yes. */
  const change = async (action: string, payload: unknown) => {
    const { payload: prepared } = await on('question', action, payload);
    return on('answer', 'apply', prepared);
  };
  const facts = (msg: Message) => msg.payload as Record<string, unknown>;

  it('prepares a change without making it; applied, it counts and is kept with who made it', async () => {
    const { payload } = await on('question', 'set-threshold', { metric: 'cpu', value: '85%' });
    assert.deepEqual(payload, {
      change: { kind: 'threshold', code: 'cpu', value: 0.85 },
      ...{ code: 'cpu', unit: 'ratio', from: 0.9, to: 0.85, back: '/thresholds' },
      words: 'change the threshold of CPU from 90% to 85%',
    });
    assert.deepEqual(await keptSettings(flow.db), []);
    const done = await on('answer', 'apply', payload);
    assert.equal(done.say?.text, 'settings.done.threshold');
    const [kept] = await keptSettings(flow.db);
    assert.deepEqual([kept?.key, kept?.value, kept?.user], ['threshold.cpu', 0.85, 42]);
    const got = facts(await on('answer', 'get', { key: 'threshold.cpu' }));
    assert.deepEqual([got.value, got.source, got.user], [0.85, 'setting', 42]);
  });

  it('changes what an alert node judges by, at the next value', async () => {
    await change('set-threshold', { metric: 'cpu', value: '50%' });
    flow.give('cpu', { payload: { cpu: 0.6 } });
    await new Promise((resolve) => setTimeout(resolve, 50));
    const { payload, say } = await on('answer', 'alerts', {});
    const { alerts } = payload as { alerts: { code: string; phase: string; value: number }[] };
    assert.deepEqual(
      alerts.map(({ code, phase, value }) => [code, phase, value]),
      [['cpu', 'firing', 0.6]],
    );
    assert.deepEqual(say?.buttons?.[0]?.[0], { label: '🔕 cpu 1 hour', command: '/alert_disable cpu 60' });
  });

  it('knows the series of a family, and sets one of them alone', async () => {
    flow.give('disk', { payload: { disks: { '/': 0.5, '/mnt/my disk': 0.6 } } });
    await new Promise((resolve) => setTimeout(resolve, 50));
    await change('set-threshold', { metric: 'DISK:/mnt/my disk', value: '95' });
    const { payload } = await on('answer', 'thresholds', {});
    assert.deepEqual(
      (payload as { code: string; value: number; source: string }[]).map((one) => [
        one.code,
        one.value,
        one.source,
      ]),
      [
        ['cpu', 0.9, 'default'],
        ['disk', 0.9, 'default'],
        ['disk:/mnt/my disk', 0.95, 'setting'],
      ],
    );
  });

  it('names what there is when a metric, an alert or a key is not', async () => {
    assert.deepEqual(await failed('set-threshold', { metric: 'cpuu', value: '1' }), {
      code: 'NOT_FOUND',
      text: 'settings.errors.metric',
      data: { name: 'cpuu', nearest: 'cpu', metrics: 'cpu, disk' },
    });
    const code = await failed('silence', { code: 'dsk', minutes: 5 });
    assert.equal(code?.data.nearest, 'disk');
    assert.match(String(code?.data.codes), /cpu.*disk.*web.*service:nginx\.service/);
    assert.match(String((await failed('get', { key: 'nope' }))?.data.keys), /admins, services, language/);
  });

  it('keeps a threshold within what makes sense', async () => {
    for (const value of ['9%', '101%', '5000', '-1'])
      assert.equal(
        (await failed('set-threshold', { metric: 'cpu', value }))?.text,
        'settings.errors.bounds',
        value,
      );
    for (const value of ['500 MB', 'x', '', '1e5'])
      assert.equal(
        (await failed('set-threshold', { metric: 'cpu', value }))?.text,
        'settings.errors.measure',
        value,
      );
  });

  it('says at once that nothing would change', async () => {
    const { say } = await on('answer', 'set-threshold', { metric: 'cpu', value: '90%' });
    assert.equal(say?.text, 'settings.is-so');
    assert.equal((await on('answer', 'set-backup', { value: '2.30' })).say?.text, 'settings.is-so');
    assert.equal((await on('answer', 'set-language', { value: 'default' })).say?.text, 'settings.is-so');
  });

  it('silences a code or everything for some minutes, and ends it', async () => {
    const { payload } = await change('silence', { code: 'semua', minutes: 60 });
    assert.equal((payload as { code: string }).code, '*');
    assert.equal((await activeSilences(flow.db, Date.now()))[0]?.user, 42);
    await change('silence', { code: 'nginx', minutes: '5' });
    await change('unsilence', { code: '*' });
    assert.deepEqual(
      (await activeSilences(flow.db, Date.now())).map(({ code }) => code),
      ['service:nginx.service'],
    );
    for (const minutes of [0, 10_081, 1.5, 'x', undefined])
      assert.equal((await failed('silence', { code: 'cpu', minutes }))?.code, 'INVALID');
    assert.equal((await failed('unsilence', { code: 'cpu' }))?.text, 'settings.errors.not-silenced');
  });

  it('changes language, quiet hours and the time of the backup, and takes them back', async () => {
    await change('set-quiet', { value: '22.00 6' });
    await change('set-backup', { value: '3,15' });
    await change('set-language', { value: 'Indonesia' });
    assert.deepEqual(
      [config().lang, config().quietHours, config().backupTime],
      ['id', { from: '22:00', to: '06:00' }, '03:15'],
    );
    await change('set-quiet', { value: 'off' });
    await change('set-backup', { value: 'default' });
    await change('set-language', { value: 'default' });
    assert.deepEqual(
      [config().lang, config().quietHours, config().backupTime],
      ['en-US', undefined, '02:30'],
    );
    assert.deepEqual(
      (await keptSettings(flow.db)).map(({ key, value }) => [key, value]),
      [['quiet', false]],
    );
  });

  it('shows where things stand when a value is left out', async () => {
    for (const [action, text] of [
      ['set-language', 'settings.language'],
      ['set-quiet', 'settings.quiet'],
      ['set-backup', 'settings.backup'],
    ] as const)
      assert.equal((await on('answer', action, {})).say?.text, text);
  });

  it('removes a service of .env for good, and refuses what the chat may not add', async () => {
    await change('remove-service', { unit: 'nginx' });
    assert.deepEqual(config().servicesWhitelist, []);
    assert.equal((await failed('remove-service', { unit: 'nginx' }))?.text, 'settings.errors.not-listed');
    assert.equal(
      (await failed('add-service', { unit: 'multi-user.target' }))?.text,
      'settings.errors.unit-type',
    );
    for (const unit of ['../x', '-rf', 'a b', '', '@'])
      assert.equal((await failed('add-service', { unit }))?.text, 'settings.errors.unit', unit);
  });

  it('removes an admin but never the last one; an invitation alone makes nobody one', async () => {
    await change('invite-admin', { id: '77' });
    assert.deepEqual(config().adminIds, [42, 43]);
    const { payload } = await on('answer', 'admins', {});
    const { invitations } = payload as { invitations: Record<string, unknown>[] };
    assert.deepEqual(
      [invitations[0]?.user, invitations[0]?.by, 'token' in (invitations[0] ?? {})],
      [77, 42, false],
    );
    await change('remove-admin', { id: '77' });
    assert.equal((await failed('remove-admin', { id: '77' }))?.code, 'NOT_FOUND');
    await change('remove-admin', { id: 43 });
    assert.equal((await failed('remove-admin', { id: 42 }))?.text, 'errors.last-admin');
    for (const id of ['@name', '0', '-5', '1.5', '99999999999999999', ''])
      assert.equal((await failed('invite-admin', { id }))?.text, 'settings.errors.user-id', id);
    assert.deepEqual(config().adminIds, [42]);
  });

  it('decides anew when a change is applied that has waited', async () => {
    const first = await on('question', 'remove-admin', { id: 42 });
    await change('remove-admin', { id: 43 });
    assert.equal((await failed('apply', first.payload))?.text, 'errors.last-admin');
    assert.deepEqual(config().adminIds, [42]);
  });

  it('applies only what it understands', async () => {
    for (const payload of [
      undefined,
      'x',
      {},
      { change: null },
      { change: { kind: 'shell', code: 'rm' } },
      { change: { kind: 'threshold', code: 'cpu', value: 'NaN' } },
      { change: { kind: 'language', value: 'xx' } },
      { change: { kind: 'quiet', value: { from: '1', to: '2' } } },
      { change: { kind: 'admin-remove', id: {} } },
    ])
      assert.match(
        String((await failed('apply', payload))?.code),
        /INVALID|NOT_FOUND/,
        JSON.stringify(payload),
      );
    assert.deepEqual(await keptSettings(flow.db), []);
  });

  it('lets nobody be invited by a flow', async () => {
    const caught = flow.next('errors');
    flow.give('n', { action: 'apply', payload: { change: { kind: 'admin-invite', id: 77 } } });
    assert.equal((await caught).error?.cause?.text, 'settings.errors.nobody-invites');
  });

  it('gets, sets and resets by key for flows, without a person', async () => {
    const answer = flow.next('answer');
    flow.give('n', { action: 'set', payload: { key: 'backup.time', value: '04:00' } });
    await answer;
    assert.equal(config().backupTime, '04:00');
    assert.equal((await keptSettings(flow.db))[0]?.user, null);
    await on('answer', 'reset', { key: 'backup.time' });
    assert.equal(config().backupTime, '02:30');
    assert.equal((await failed('set', { key: 'admins', value: '7' }))?.text, 'settings.errors.key');
    const { payload } = await on('answer', 'get', {});
    assert.deepEqual(
      (payload as { key: string }[]).map(({ key }) => key),
      ['admins', 'services', 'language', 'quiet', 'backup.time', 'threshold.cpu', 'threshold.disk'],
    );
  });

  it('tells what it is and takes', async () => {
    const about = facts(await on('answer', 'about', {}));
    assert.match(String(about.version), /^\d+\.\d+\.\d+/);
    assert.equal(`v${about.node}`, process.version);
    assert.ok(Number(about.memory) > 1e6);
  });

  it('refuses an action that it does not have', async () => {
    for (const action of ['nope', 'constructor', 'toString'])
      assert.equal((await failed(action, {}))?.text, 'settings.errors.action');
    assert.equal((await on('answer', 'show', { panel: 'constructor' })).say?.text, 'settings.overview');
  });
});

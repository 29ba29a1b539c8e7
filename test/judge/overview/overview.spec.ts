import assert from 'node:assert/strict';
import { bootId } from '../../../nodes/host/boot-id.js';
import { ManualClock, systemClock } from '../../../nodes/kit/clock.js';
import { readConfig, setConfig } from '../../../nodes/kit/config.js';
import { setClock } from '../../../nodes/kit/define-node.js';
import { type Language, render } from '../../../nodes/kit/locale.js';
import type { Message } from '../../../nodes/kit/messages.js';
import { plain } from '../../../nodes/kit/telegram-html.js';
import { clockTime } from '../../../nodes/kit/units.js';
import { silence, writeAlerts } from '../../../nodes/state/alerts.js';
import { keepBeginning } from '../../../nodes/state/lifecycle.js';
import { enqueue } from '../../../nodes/state/outbox.js';
import { type Running, startFlow } from '../../support/node-red.ts';

const NOW = Date.UTC(2026, 0, 5, 12);
const MINUTE = 60_000;
const GB = 1024 ** 3;
const room = (ratio: number) => ({
  size: 100 * GB,
  used: ratio * 100 * GB,
  available: (1 - ratio) * 100 * GB,
  ratio,
});
const METRICS = {
  cpu: { load: 0.42 },
  memory: { total: 4 * GB, used: 2 * GB, available: 2 * GB, cache: GB, ratio: 0.5 },
  swap: { total: 2 * GB, used: GB / 2, ratio: 0.25 },
  disks: { '/': room(0.6), '/mnt/dre': room(0.2) },
  temperature: { cpu: 51.4 },
  loadAverage: [1.25, 0.5, 0.25],
  uptime: 93_784,
  bootTime: NOW - 93_784_000,
  network: { lo0: { rx: 1, tx: 0 }, eth0: { rx: 1024, tx: 2048 } },
  missing: {},
};
const WEB = { unit: 'web.service', health: 'ok', condition: 'active', since: 0 };
const DB = { unit: 'db.service', health: 'failed', condition: 'failed', since: NOW - 5 * MINUTE };

describe('overview', () => {
  let flow: Running;
  beforeEach(async () => {
    setConfig(readConfig({ HDD_MOUNT: '/mnt/dre', SERVER_NAME: 'rumah' }, '/tmp'));
    setClock(new ManualClock(NOW));
    flow = await startFlow(
      ['judge/overview'],
      [
        { id: 'tab', type: 'tab' },
        { id: 'overview', type: 'potion-overview', z: 'tab', x: 1, y: 1, wires: [['out']] },
        { id: 'out', type: 'helper', z: 'tab', x: 1, y: 1 },
        { id: 'catch', type: 'catch', z: 'tab', x: 1, y: 1, wires: [['caught']] },
        { id: 'caught', type: 'helper', z: 'tab', x: 1, y: 1 },
      ],
    );
    setClock(systemClock);
  });
  afterEach(async () => {
    await flow.stop();
    setConfig(undefined);
  });

  const judged = async (msg: Message) => {
    const next = flow.next('out');
    flow.give('overview', msg);
    return next;
  };
  const says = async (text: string, msg: Message, lang: Language = 'id') => {
    const { payload } = await judged(msg);
    return plain(render(lang, text, { payload, server: 'rumah', now: NOW })).replaceAll('\u00a0', ' ');
  };
  const ring = (code: string, severity: string, minutes: number) =>
    writeAlerts(
      flow.db,
      [
        {
          node: `n-${code}`,
          code,
          state: { phase: 'firing' },
          incident: { id: code, code, severity, state: 'firing', since: NOW - minutes * MINUTE } as never,
          unsent: [],
        },
      ],
      NOW,
    );

  it('keeps what was on the message, and tells all that it knows', async () => {
    await writeAlerts(flow.db, [{ node: 'n', code: 'cpu', state: { phase: 'pending' }, unsent: [] }], NOW);
    const { payload, topic } = await judged({ topic: 'mine', metrics: METRICS, payload: [WEB] });
    assert.equal(topic, 'mine');
    assert.deepEqual(payload, {
      level: 'ok',
      concerns: [],
      remedies: [],
      metrics: METRICS,
      hdd: { path: '/mnt/dre', room: METRICS.disks['/mnt/dre'], why: null },
      busiest: [
        { name: 'eth0', rx: 1024, tx: 2048 },
        { name: 'lo0', rx: 1, tx: 0 },
      ],
      services: [WEB],
      counts: { ok: 1, busy: 0, off: 0, failed: 0, missing: 0 },
      firing: [],
      pending: ['cpu'],
      silences: [],
      backlog: { count: 0, oldest: undefined },
      began: { process: undefined },
    });
    assert.deepEqual(flow.statuses('overview').at(-1), { fill: 'green', shape: 'dot', text: 'semua aman' });
  });

  it('says in one line that all is well, then shows the gauges', async () => {
    assert.equal(
      await says('overview.summary', { metrics: METRICS, payload: [WEB] }),
      [
        '🟢 Semua aman',
        `📊 rumah · ${clockTime(NOW, 'id', undefined, 'seconds')}`,
        '',
        '🧠 CPU ▰▰▰▰▱▱▱▱▱▱ 42%',
        '💾 RAM ▰▰▰▰▰▱▱▱▱▱ 50% · sisa 2 GB',
        '💽 Root ▰▰▰▰▰▰▱▱▱▱ 60% · sisa 40 GB',
        '🗄️ HDD ▰▰▱▱▱▱▱▱▱▱ 20% · sisa 80 GB',
        '🌡️ Suhu 51°C',
        '⏱️ Nyala 1 hari 2 jam',
        '🧩 Service: 1 aman',
      ].join('\n'),
    );
  });

  it('names what is wrong first, and counts the rest', async () => {
    await ring('disk:/', 'critical', 2);
    await ring('odd', 'warning', 90);
    await silence(flow.db, { code: 'odd', until: NOW + MINUTE, user: 7 }, NOW);
    const old = { chat: 8, html: 'x', kind: 'notice', at: NOW } as const;
    await enqueue(flow.db, [old], NOW - 10 * MINUTE, { messages: 9, characters: 9999 });
    const metrics = { ...METRICS, disks: { '/': room(0.95) }, missing: { 'disk:/mnt/dre': 'not-mounted' } };
    const text = await says('overview.summary', { metrics, payload: [WEB, DB] });
    assert.match(text, /^🔴 Ada masalah: db gagal \(\+4 lagi\)\n/);
    assert.match(
      text,
      /\n\n🔴 db gagal · 5 menit\n🔴 disk \/ hampir penuh · 2 menit\n🟠 ada pesan yang belum/,
    );
    assert.match(text, /\n🟠 disk \/mnt\/dre tidak terpasang\n🟠 alarm odd 🔕 · 1 jam 30 menit\n\n🧠/);
    assert.match(text, /🗄️ HDD \/mnt\/dre tidak terpasang ⚠️/);
    assert.match(text, /🧩 Service: 1 aman, 1 gagal/);
    assert.match(text, /📮 1 pesan menunggu terkirim, tertua 10 menit$/);
    const english = await says('overview.summary', { metrics, payload: [WEB, DB] }, 'en-US');
    assert.match(english, /^🔴 Trouble: db failed \(\+4 more\)/);
    assert.match(english, /📮 1 message waits to be delivered, the oldest for 10 minutes$/);
  });

  it('tells everything in detail', async () => {
    await silence(flow.db, { code: 'cpu', until: NOW + MINUTE, user: 7 }, NOW);
    const text = await says('overview.detail', { metrics: METRICS, payload: [WEB, DB] }, 'en-US');
    for (const line of [
      '🧠 CPU 42% · load 1.25 / 0.5 / 0.25 · 51.4°C',
      '💾 RAM 2 GB of 4 GB (50%) · cache 1 GB',
      '🔁 Swap 512 MB of 2 GB (25%)',
      '💽 / 60% · 40 GB left of 100 GB',
      '💽 /mnt/dre 20% · 80 GB left of 100 GB',
      '🌐 eth0 ⬇️ 1 KB/s ⬆️ 2 KB/s',
      '🟢 web — running',
      '🔴 db — failed',
    ])
      assert.ok(text.split('\n').includes(line), `${line}\nin\n${text}`);
    assert.match(text, /🔕 Silenced: cpu until /);
  });

  it('says so when systemd could not be asked', async () => {
    const { payload } = await judged({ metrics: METRICS, payload: '' });
    assert.deepEqual((payload as { concerns: object[] }).concerns, [
      { level: 'warning', kind: 'systemd', name: '' },
    ]);
  });

  for (const [how, beginning, words] of [
    [
      'a power cut',
      { clean: false, off: 7200 },
      /⚡ Sebelumnya mati mendadak, listrik padam kah\? Mati 2 jam\./,
    ],
    ['an orderly shutdown', { clean: true, off: null }, /✅ Sebelumnya dimatikan baik-baik\./],
    [
      'what a person asked for',
      { clean: true, off: 60, asked: 'reboot' },
      /✅ Sebelumnya di-reboot .* mati 1 menit\./,
    ],
  ] as const)
    it(`remembers ${how} before this boot, also after a restart of Potion`, async () => {
      const at = NOW - 3600_000;
      await keepBeginning(flow.db, { kind: 'boot', bootId: bootId(), at, ...beginning });
      await keepBeginning(flow.db, {
        kind: 'restart',
        bootId: bootId(),
        at: NOW - MINUTE,
        clean: false,
        off: 1,
      });
      const text = await says('overview.uptime', { payload: METRICS });
      assert.match(text, /^⏱️ rumah nyala 1 hari 2 jam\n🔌 Sejak /);
      assert.match(text, words);
      assert.match(text, /🧪 Aku sendiri jalan 1 menit, habis crash/);
      assert.match(text, /🌡️ CPU 51°C$/);
    });

  it('does not know why it was off before Potion came, nor takes another boot’s reason for this one’s', async () => {
    await keepBeginning(flow.db, { kind: 'boot', bootId: 'other', at: NOW, clean: false, off: 9 });
    assert.match(await says('overview.uptime', { payload: METRICS }), /aku tidak tahu/);
    await keepBeginning(flow.db, { kind: 'first', bootId: bootId(), at: NOW, clean: true, off: null });
    const { temperature, ...cold } = METRICS;
    const text = await says('overview.uptime', { payload: cold }, 'en-US');
    assert.match(text, /I was not here yet/);
    assert.match(text, /no temperature sensor/);
  });

  it('refuses a message without a sample', async () => {
    const caught = flow.next('caught');
    flow.give('overview', { payload: [WEB] });
    assert.equal((await caught).error?.cause?.text, 'overview.errors.no-sample');
  });
});

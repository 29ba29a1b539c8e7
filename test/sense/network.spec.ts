import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readConfig, setConfig } from '../../nodes/kit/config.js';
import { LANGUAGES, render } from '../../nodes/kit/locale.js';
import type { Message } from '../../nodes/kit/messages.js';
import { bandwidthOf } from '../../nodes/sense/network/bandwidth.js';
import { targetsOf } from '../../nodes/sense/network/favorites.js';
import { needs } from '../support/needs.ts';
import { HOME, type Running, startFlow } from '../support/node-red.ts';
import { LAPTOP, Tailnet } from '../support/tailnet.ts';

describe('bandwidth', () => {
  it('is what was carried between two readings, the busiest interface first', () => {
    const before = { eth0: { rx: 1000, tx: 500 }, wlan0: { rx: 0, tx: 0 } };
    const after = { eth0: { rx: 1000, tx: 700 }, wlan0: { rx: 4000, tx: 0 } };
    assert.deepEqual(bandwidthOf(before, after, 2), [
      { name: 'wlan0', rx: 4000, tx: 0, rxRate: 2000, txRate: 0 },
      { name: 'eth0', rx: 1000, tx: 700, rxRate: 0, txRate: 100 },
    ]);
  });

  it('is not told of an interface that came up, went away or began anew in between', () => {
    const before = { gone: { rx: 1, tx: 1 }, reset: { rx: 9, tx: 9 } };
    assert.deepEqual(bandwidthOf(before, { fresh: { rx: 5, tx: 5 }, reset: { rx: 1, tx: 9 } }, 1), []);
  });
});

describe('the hosts to ping', () => {
  const route = (family: 4 | 6, gateway?: string) => ({
    family,
    interface: 'eth0',
    metric: 1,
    ...(gateway ? { gateway } : {}),
  });

  it('have the router in the place of its name', () => {
    const hosts = ['gateway', '1.1.1.1', 'Gateway', '1.1.1.1'];
    assert.deepEqual(targetsOf(hosts, [route(6, 'fe80::1'), route(4), route(4, '192.168.1.1')]), [
      { label: 'gateway', host: '192.168.1.1' },
      { label: '1.1.1.1', host: '1.1.1.1' },
      { label: 'gateway', host: '192.168.1.1' },
    ]);
    assert.deepEqual(targetsOf(['gateway'], [route(6, 'fe80::1')]), [
      { label: 'gateway', host: 'fe80::1%eth0' },
    ]);
    assert.deepEqual(targetsOf(['gateway'], [route(4)]), [{ label: 'gateway', host: undefined }]);
  });
});

describe('the network node', () => {
  let flow: Running;

  before(async () => {
    setConfig(readConfig({ PING_FAVORITES: '127.0.0.1', PUBLIC_IP_URLS: 'http://127.0.0.1:9' }, '/tmp'));
    flow = await startFlow(
      ['sense/network'],
      [
        { id: 'tab', type: 'tab' },
        { id: 'net', z: 'tab', x: 1, y: 1, type: 'potion-network', action: 'ip', wires: [['out']] },
        { id: 'out', z: 'tab', x: 1, y: 1, type: 'helper' },
        { id: 'catch', z: 'tab', x: 1, y: 1, type: 'catch', wires: [['failed']] },
        { id: 'failed', z: 'tab', x: 1, y: 1, type: 'helper' },
      ],
    );
  });
  after(async () => {
    await flow?.stop();
    setConfig(undefined);
  });

  it('gives data, and keeps the rest of the message', async () => {
    flow.give('net', { topic: 'kept', payload: 'whatever' });
    const { topic, payload } = await flow.next('out');
    assert.equal(topic, 'kept');
    assert.deepEqual(Object.keys(payload as object), ['interfaces', 'routes', 'dns']);
  });

  it('pings the host that is named, and the favourites when none is', async function () {
    this.timeout(20_000);
    needs(this, 'ping');
    for (const payload of ['127.0.0.1', { host: '127.0.0.1' }, {}, '']) {
      flow.give('net', { action: 'ping', payload });
      const { hosts } = (await flow.next('out', 8000)).payload as {
        hosts: { label: string; received: number }[];
      };
      assert.deepEqual(
        hosts.map(({ label, received }) => ({ label, received })),
        [{ label: '127.0.0.1', received: 4 }],
      );
    }
  });

  it('ends in an error for what it can’t do', async () => {
    const wrong: [string, Message][] = [
      ['INVALID', { action: 'dance' }],
      ['INVALID', { action: 'ping', payload: { host: '-c' } }],
      ['UNAVAILABLE', { action: 'public-ip' }],
    ];
    for (const [code, msg] of wrong) {
      flow.give('net', msg);
      assert.equal((await flow.next('failed')).error?.cause?.code, code);
    }
  });
});

describe('the devices of a tailnet', function () {
  this.timeout(20_000);
  let tailnet: Tailnet;
  before(function () {
    needs(this, 'root', 'iproute2');
    tailnet = new Tailnet();
  });
  after(() => tailnet?.stop());

  it('are told with whether they are there, or since when not', () => {
    const script = `require('./nodes/host/tailscale.js').tailnet().then((value) => console.log(JSON.stringify(value)))`;
    const [program = '', ...args] = [...tailnet.within, process.execPath, '-e', script];
    const payload = JSON.parse(execFileSync(program, args, { cwd: HOME, encoding: 'utf8' }));
    const told = LANGUAGES.map((lang) => render(lang, 'network.tailscale', { payload, server: 'rumah' }));
    const [indonesian = '', english = ''] = told;
    assert.match(
      indonesian,
      new RegExp(`🟢 <b>${LAPTOP.name}</b> \\(server ini\\)\\n · <code>${LAPTOP.v4}</code>`),
    );
    assert.match(indonesian, /🟢 <b>phone<\/b> \(android\) · <code>100\.64\.0\.7<\/code>/);
    assert.match(
      indonesian,
      /⚪ <b>ci<\/b> \(linux\) · exit node · <code>.*\n {3}terakhir terlihat 20 Nov 2026/,
    );
    assert.match(english, /last seen Nov 20, 2026/);
  });

  it('are told as old when this machine is out of touch, with what Tailscale complains about', () => {
    const payload = { name: '', addresses: [], online: false, health: ['no <relay>'], devices: [] };
    const text = render('en-US', 'network.tailscale', { payload, server: 'rumah' });
    assert.match(text, /🟠 <b>rumah<\/b>[\s\S]*may be old[\s\S]*⚠️ no &lt;relay&gt;[\s\S]*No other devices/);
    const many = Array.from({ length: 70 }, (_, n) => ({
      name: `d${n}`,
      os: '',
      addresses: [],
      online: true,
    }));
    const long = render('en-US', 'network.tailscale', {
      payload: { ...payload, devices: many },
      server: 'x',
    });
    assert.match(long, /… and 10 more$/);
  });
});

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock, systemClock } from '../../nodes/kit/clock.js';
import { readConfig, setConfig } from '../../nodes/kit/config.js';
import { setClock } from '../../nodes/kit/define-node.js';
import { ailing, alive, forget, type Part } from '../../nodes/kit/pulse.js';
import { type Running, startFlow } from '../support/node-red.ts';

const PARTS: Part[] = ['flows', 'sampler', 'telegram'];
const NODE = {
  id: 'beat',
  type: 'potion-heartbeat',
  z: 'tab',
  version: 1,
  interval: 60,
  fail: true,
  wires: [['out']],
};
const REST = [
  { id: 'tab', type: 'tab' },
  { id: 'out', type: 'helper', z: 'tab' },
  { id: 'catch', type: 'catch', z: 'tab', x: 0, y: 0, wires: [['caught']] },
  { id: 'caught', type: 'helper', z: 'tab' },
];

describe('heartbeat', () => {
  let home: string;
  let clock: ManualClock;
  let flow: Running;
  let server: Server;
  let pinged: string[];
  let status: number;

  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'potion-beat-'));
    clock = new ManualClock();
    setClock(clock);
    pinged = [];
    status = 200;
    server = createServer((request, response) => {
      pinged.push(`${request.method} ${request.url}`);
      response.writeHead(status).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    configure({ HEARTBEAT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/secret-uuid` });
    for (const part of PARTS) alive(part, clock.now(), Number.POSITIVE_INFINITY);
  });
  afterEach(async () => {
    await flow.stop();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    for (const part of [...PARTS, 'database'] as Part[]) forget(part);
    setClock(systemClock);
    setConfig(undefined);
    rmSync(home, { recursive: true, force: true });
  });

  const configure = (env: Record<string, string>) =>
    setConfig(readConfig({ DATA_DIR: join(home, 'data'), SERVER_NAME: 'Rumah', ...env }, home));
  const start = async (more: object = {}) => {
    flow = await startFlow(['act/heartbeat'], [{ ...NODE, ...more }, ...REST]);
  };
  /** Lets one beat come and finish. */
  const beat = async (seconds = 60) => {
    const done = flow.next('out');
    clock.advance(seconds * 1000);
    return (await done).payload as { ok: boolean; parts: Record<string, { reason?: string }> };
  };
  const file = () => JSON.parse(readFileSync(join(home, 'data', 'last_health.json'), 'utf8'));

  it('writes how Potion is, soon after the start and then each minute', async () => {
    await start();
    await beat(5);
    const first = file();
    assert.equal(first.ok, true);
    assert.equal(first.server, 'Rumah');
    assert.equal(first.time, new Date(first.at).toISOString());
    assert.deepEqual(Object.keys(first.parts).sort(), ['database', 'flows', 'sampler', 'telegram']);
    await beat(55);
    assert.equal(file().at - first.at, 55_000);
    assert.deepEqual(readdirSync(join(home, 'data')), ['last_health.json']);
    assert.equal(statSync(join(home, 'data', 'last_health.json')).mode & 0o007, 0);
  });

  it('adds the last sample of metrics', async () => {
    await start();
    flow.give('beat', { payload: { cpu: { load: 0.5 } }, timestamp: 1234 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    await beat(5);
    assert.deepEqual(file().sample, { cpu: { load: 0.5 } });
    assert.equal(file().sampledAt, 1234);
  });

  it('refuses what is no sample', async () => {
    await start();
    const caught = flow.next('caught');
    flow.give('beat', { payload: 'x' });
    assert.equal((await caught).error?.code, 'INVALID');
  });

  it('pings while all is well', async () => {
    await start();
    await beat(5);
    assert.deepEqual(pinged, ['GET /secret-uuid']);
    assert.equal(flow.statuses('beat').at(-1)?.fill, 'green');
  });

  it('says /fail while a part ails, though not while Potion is still starting', async () => {
    await start();
    ailing('telegram', 'nobody there', clock.now());
    const health = await beat(5);
    assert.equal(health.ok, false);
    assert.equal(health.parts.telegram?.reason, 'nobody there');
    assert.deepEqual(pinged, []);
    await beat(55);
    await beat();
    assert.deepEqual(pinged, ['GET /secret-uuid/fail']);
    assert.equal(flow.statuses('beat').at(-1)?.fill, 'red');
    alive('telegram', clock.now(), Number.POSITIVE_INFINITY);
    await beat();
    assert.equal(pinged.at(-1), 'GET /secret-uuid');
  });

  it('keeps silent while a part ails when /fail is switched off', async () => {
    await start({ fail: false });
    ailing('telegram', 'nobody there', clock.now());
    for (const seconds of [5, 55, 60, 60]) await beat(seconds);
    assert.deepEqual(pinged, []);
  });

  it('only writes without an address', async () => {
    configure({});
    await start();
    await beat(5);
    assert.deepEqual(pinged, []);
    assert.equal(file().ok, true);
  });

  it('shows a ping that failed, and reports an outage once, without the address', async () => {
    status = 500;
    await start();
    for (const seconds of [5, 55, 60, 60, 60]) await beat(seconds);
    assert.equal(pinged.length, 5);
    const shown = flow.statuses('beat').at(-1);
    assert.equal(shown?.fill, 'yellow');
    assert.match(shown?.text ?? '', /HTTP 500/);
    const errors = flow.got('caught').map((msg) => msg.error);
    assert.deepEqual(
      errors.map((error) => error?.code),
      ['UNAVAILABLE'],
    );
    assert.doesNotMatch(JSON.stringify([errors, flow.statuses('beat')]), /secret-uuid/);
    status = 200;
    await beat();
    assert.equal(flow.statuses('beat').at(-1)?.fill, 'green');
  });

  it('reports a file that can’t be written once, and pings all the same', async () => {
    mkdirSync(join(home, 'data', 'last_health.json'), { recursive: true });
    await start();
    for (const seconds of [5, 55, 60]) await beat(seconds);
    assert.deepEqual(
      flow.got('caught').map((msg) => msg.error?.code),
      ['FAILED'],
    );
    assert.equal(pinged.length, 3);
    assert.deepEqual(readdirSync(join(home, 'data')), ['last_health.json']);
  });

  it('refuses an interval that makes no sense', async () => {
    await start({ interval: 1 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(flow.got('caught')[0]?.error?.code, 'INVALID');
  });
});

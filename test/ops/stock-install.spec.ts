import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { exampleFlows, potionTypes } from '../support/examples.ts';
import { HOME } from '../support/node-red.ts';
import { freePort } from '../support/potion.ts';

const run = promisify(execFile);
const NPM = join(HOME, 'node_modules', '.bin', 'npm');
const QUIET = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
/** So that the test opens no door and phones nobody; all else is as `node-red` itself sets it. */
const LOOPBACK = ['-D', 'uiHost=127.0.0.1', '-D', 'telemetry.enabled=false'];

/** Two nodes as the palette makes them, each behind a web address. */
const TRIAL = [
  { id: 'trial', type: 'tab', label: 'trial' },
  { id: 'ask', type: 'http in', z: 'trial', url: '/sample', method: 'get', wires: [['metrics']] },
  {
    ...{ id: 'metrics', type: 'potion-metrics', z: 'trial', name: '', version: 1, interval: 0 },
    ...{ memory: true, uptime: true, wires: [['answer']] },
  },
  { id: 'give', type: 'http in', z: 'trial', url: '/judge', method: 'post', wires: [['alert']] },
  {
    ...{ id: 'alert', type: 'potion-alert', z: 'trial', name: '', version: 1, property: 'payload.load' },
    ...{ code: 'load', label: '', unit: 'ratio', severity: 'warning', operator: 'above', threshold: '90%' },
    ...{ clear: '', values: '', for: 0, keepFiring: 0, repeat: 3600, missing: 'resolve', missingAfter: 300 },
    wires: [['answer'], []],
  },
  { id: 'answer', type: 'http response', z: 'trial', statusCode: '', wires: [] },
];

describe('Potion in a stock Node-RED', function () {
  this.timeout(90_000);
  let folder: string;
  let userDir: string;
  let elsewhere: string;
  let child: ChildProcess | undefined;
  let said = '';
  let port: number;
  const packed: string[] = [];

  const get = async (path: string, options: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${port}${path}`, {
      ...options,
      headers: { accept: 'application/json', 'content-type': 'application/json', ...options.headers },
    });
  const until = async (text: string) => {
    for (let left = 1000; !said.includes(text); left--) {
      if (left === 0 || child?.exitCode !== null) throw new Error(`no "${text}":\n${said}`);
      await sleep(20);
    }
  };

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'potion-stock-'));
    userDir = join(folder, 'user');
    elsewhere = join(folder, 'elsewhere');
    for (const path of [userDir, elsewhere]) mkdirSync(path);
    const { stdout } = await run(NPM, ['pack', '--json', '--pack-destination', folder, ...QUIET], {
      cwd: HOME,
    });
    const answer = JSON.parse(stdout);
    const [pack] = Array.isArray(answer) ? answer : Object.values(answer);
    packed.push(...pack.files.map(({ path }: { path: string }) => path));
    writeFileSync(join(userDir, 'package.json'), '{ "name": "stock", "private": true }');
    await run(NPM, ['install', '--prefer-offline', '--omit=dev', ...QUIET, join(folder, pack.filename)], {
      cwd: userDir,
    });
    port = await freePort();
    const args = [join(HOME, 'node_modules/node-red/red.js'), '-u', userDir, '-p', String(port), ...LOOPBACK];
    child = spawn(process.execPath, args, {
      cwd: elsewhere,
      env: { PATH: process.env.PATH, HOME: folder },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data) => (said += data));
    await until('Started flows');
  });
  after(async () => {
    if (child && child.exitCode === null) {
      const ended = new Promise((resolve) => child?.once('exit', resolve));
      child.kill();
      await ended;
    }
    rmSync(folder, { recursive: true, force: true });
  });

  it('the package holds what Node-RED loads, and no sources, tests or flows', () => {
    const { 'node-red': parts } = JSON.parse(readFileSync(join(HOME, 'package.json'), 'utf8'));
    for (const path of [...Object.values(parts.nodes), ...Object.values(parts.plugins)] as string[])
      assert.ok(packed.includes(path), `${path} is missing`);
    const beside = readdirSync(join(HOME, 'nodes'), { recursive: true, encoding: 'utf8' })
      .filter((path) => /\.(html|json|yaml|svg)$/.test(path))
      .map((path) => join('nodes', path));
    assert.deepEqual(
      beside.filter((path) => !packed.includes(path)),
      [],
      'texts, icons or forms are missing',
    );
    const strays = /\.(ts|map|db)$|^(test|flows|data|\.)|^settings|\.env|ops\/setup/;
    assert.deepEqual(
      packed.filter((path) => strays.test(path)),
      [],
    );
  });

  it('brings no Node-RED of its own', () => {
    assert.ok(!existsSync(join(userDir, 'node_modules', 'node-red')));
  });

  it('all nodes and plugins load', async () => {
    const sets = (await (await get('/nodes')).json()) as { module: string; types: string[]; err?: string }[];
    const plugins = (await (await get('/plugins')).json()) as { module: string; err?: string }[];
    for (const { module, err } of [...sets, ...plugins]) assert.equal(err, undefined, module);
    const mine = sets.filter(({ module }) => module === 'potion').flatMap(({ types }) => types);
    assert.deepEqual(mine.sort(), potionTypes());
    assert.ok(plugins.some(({ module }) => module === 'potion'));
  });

  it('the examples start, and two nodes do their work', async () => {
    said = '';
    const flows = [...exampleFlows(), ...TRIAL];
    assert.equal((await get('/flows', { method: 'POST', body: JSON.stringify(flows) })).status, 204);
    await until('Started');
    assert.doesNotMatch(said, /missing types|\[error\] \[potion-(metrics|alert)|unhandled/i);
    const sample = (await (await get('/sample')).json()) as { memory: { total: number } };
    assert.ok(sample.memory.total > 1e6, JSON.stringify(sample));
    const judged = await get('/judge', { method: 'POST', body: '{"load": 0.97}' });
    assert.match(await judged.text(), /firing/);
  });

  it('keeps its files below the user directory, whatever the current directory is', () => {
    assert.ok(existsSync(join(userDir, 'potion', 'data', 'potion.db')));
    assert.deepEqual(readdirSync(elsewhere), []);
  });

  it('tells its health, and leaves the doors of its host as they are', async () => {
    const health = await get('/potion/health');
    const { parts } = (await health.json()) as { parts: Record<'flows' | 'database', { ok: boolean }> };
    assert.equal(parts.flows.ok, true);
    assert.equal(parts.database.ok, true, JSON.stringify(parts));
    assert.deepEqual(await (await get('/potion/chat/about')).json(), {
      ...{ embedded: false, lang: 'id', serverName: 'Potion' },
    });
    assert.equal((await get('/potion/chat')).status, 404);
    assert.equal((await get('/potion/flows/reload', { method: 'POST' })).status, 404);
    assert.equal(await statusFrom('nas.example', '/'), 200);
    assert.equal(await statusFrom('nas.example', '/comms', true), 101);
  });

  /** How a request is answered that came by this name, as a web socket or not. */
  function statusFrom(host: string, path: string, upgrade = false): Promise<number | undefined> {
    const socket = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    };
    return new Promise((resolve, reject) => {
      const asked = request({ port, path, headers: { host, ...(upgrade ? socket : {}) } });
      asked.on('response', (answer) => resolve(answer.resume().statusCode));
      asked.on('upgrade', (answer, opened) => {
        opened.destroy();
        resolve(answer.statusCode);
      });
      asked.on('error', reject);
      asked.end();
    });
  }
});

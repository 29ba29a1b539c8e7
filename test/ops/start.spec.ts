import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Sandbox, startSandbox } from '../../ops/sandbox/server.js';
import { HOME } from '../support/node-red.ts';
import { FAKE_TOKEN, type Potion, startPotion } from '../support/potion.ts';

/** The bcrypt hash of the password `open sesame`. */
const SESAME = '$2b$08$R.SWybMDoa1ppQSOuHWWAO5/cc7dTAwjxatMiZQPXAObAKbgusYsK';

interface HealthAnswer {
  ok: boolean;
  parts: Record<string, { ok: boolean; reason?: string }>;
}

describe('a Potion with its own flows', function () {
  this.timeout(60_000);
  let work: string;
  let telegram: Sandbox;
  let potion: Potion;

  before(async () => {
    work = mkdtempSync(join(tmpdir(), 'potion-start-'));
    cpSync(join(HOME, 'flows'), join(work, 'flows'), { recursive: true });
    const tab = join(work, 'flows', 'telegram.tg.json');
    // A minute is long in a test.
    writeFileSync(tab, readFileSync(tab, 'utf8').replaceAll(/"(within|lostAfter)": 60/g, '"$1": 5'));
    telegram = await startSandbox({ token: FAKE_TOKEN });
    potion = await startPotion({
      flowsDir: join(work, 'flows'),
      dataDir: join(work, 'data'),
      env: {
        TELEGRAM_API_URL: telegram.url,
        ADMIN_IDS: String(telegram.user.id),
        SERVER_NAME: 'rumah',
        EDITOR_PASSWORD_HASH: SESAME,
        HEARTBEAT_URL: 'http://127.0.0.1:9/secret-ping-id',
      },
    });
    await potion.waitHealthy();
  });

  after(async () => {
    await potion?.stop();
    await telegram?.stop();
    rmSync(work, { recursive: true, force: true });
  });

  const hears = (text: RegExp) => telegram.waitFor((message) => text.test(message.text ?? ''), 10_000);

  it('greets, shows the keyboard, and answers /status with what the machine measures', async () => {
    telegram.say('/start');
    await hears(/Aku Potion, yang jaga rumah/);
    assert.ok(telegram.requests.some((request) => JSON.stringify(request).includes('📊 Status')));
    telegram.say('📊 Status');
    const { text = '' } = await hears(/📊 rumah/);
    assert.match(text, /RAM ▰?/);
    assert.match(text, /💽 Root ▰?/);
    assert.match(text, /Nyala \d/);
  });

  it('offers each command’s help, and the nearest command for a slip', async () => {
    telegram.say('/help svc');
    await hears(/\/svc <start\|stop\|restart> <unit>/);
    telegram.say('/statsu');
    await hears(/Maksud kamu \/status\?/);
  });

  it('says that it is healthy without a login and without a secret', async () => {
    const { status, body } = await potion.admin('/potion/health');
    assert.equal(status, 200);
    assert.deepEqual(Object.keys((body as HealthAnswer).parts).sort(), [
      'database',
      'flows',
      'sampler',
      'telegram',
    ]);
    assert.doesNotMatch(JSON.stringify(body), /AAFake|secret-ping|sesame/);
  });

  it('lets nobody else in without a login, and a wrong password neither', async () => {
    for (const path of ['/flows', '/settings', '/nodes', '/potion/chat/events'])
      assert.equal((await potion.admin(path)).status, 401, path);
    const login = (password: string) =>
      potion.admin('/auth/token', {
        body: {
          client_id: 'node-red-editor',
          grant_type: 'password',
          scope: '*',
          username: 'admin',
          password,
        },
      });
    assert.equal((await login('guess')).status, 403);
    assert.equal((await login('open sesame')).status, 200);
  });

  it('cannot install palettes or modules, and asks nobody about telemetry', async () => {
    const { body } = await potion.admin('/auth/token', {
      body: {
        client_id: 'node-red-editor',
        grant_type: 'password',
        scope: '*',
        username: 'admin',
        password: 'open sesame',
      },
    });
    const headers = { authorization: `Bearer ${(body as { access_token: string }).access_token}` };
    const install = await potion.admin('/nodes', { body: { module: 'node-red-node-random' }, headers });
    assert.equal(install.status, 404);
    const settings = (await potion.admin('/settings', { headers })).body as Record<string, never>;
    assert.equal(settings.telemetryEnabled, false);
  });

  it('has every line in runtime.log that the console has, and no secret in either', () => {
    const logged = potion.log();
    assert.match(logged, /Started flows/);
    assert.doesNotMatch(logged, /unencrypted/, 'a warning that is not true here');
    for (const line of logged.split('\n').filter(Boolean)) assert.ok(potion.console().includes(line), line);
    assert.doesNotMatch(logged, /AAFake|secret-ping|sesame/);
  });

  it('is unhealthy, and says which part and why, when the Bot API is away', async () => {
    telegram.faults.down();
    try {
      const end = performance.now() + 45_000;
      let answer: HealthAnswer;
      do {
        answer = (await potion.admin('/potion/health')).body as HealthAnswer;
        await new Promise((resolve) => setTimeout(resolve, 200));
      } while (answer.ok && performance.now() < end);
      assert.equal(answer.ok, false);
      assert.equal(answer.parts.telegram?.ok, false);
      assert.ok(answer.parts.telegram?.reason);
      assert.equal(answer.parts.flows?.ok, true);
    } finally {
      telegram.faults.up();
    }
  });
});

describe('a Potion that cannot start', function () {
  this.timeout(30_000);

  it('names the setting that is wrong, and ends with exit code 78', async () => {
    const potion = await startPotion({ env: { POTION_PORT: 'http', ADMIN_IDS: '@me' } });
    const { code } = await potion.ended;
    assert.equal(code, 78);
    assert.match(potion.console(), /POTION_PORT: "http" is not a port/);
    assert.match(potion.console(), /ADMIN_IDS: "@me" is not a Telegram user id/);
    await potion.stop();
  });

  it('does not open the editor to others without a login', async () => {
    const potion = await startPotion({ env: { EDITOR_BIND: '0.0.0.0' } });
    assert.equal((await potion.ended).code, 78);
    assert.match(potion.console(), /EDITOR_BIND/);
    await potion.stop();
  });

  it('is unhealthy, not merely empty, when a node type is missing', async () => {
    const flowsDir = mkdtempSync(join(tmpdir(), 'potion-missing-'));
    writeFileSync(
      join(flowsDir, 'tab.json'),
      JSON.stringify([
        { id: 'tab', type: 'tab', label: 'tab' },
        { id: 'x', type: 'no such type', z: 'tab', wires: [] },
      ]),
    );
    const potion = await startPotion({ flowsDir });
    try {
      await potion.waitFor(/missing/i, 20_000);
      await potion.waitFor('Server now running', 20_000);
      const { status, body } = await potion.admin('/potion/health');
      assert.equal(status, 503);
      assert.match(String((body as HealthAnswer).parts.flows?.reason), /node type may be missing/);
    } finally {
      await potion.stop();
      rmSync(flowsDir, { recursive: true });
    }
  });
});

describe('the set-up', function () {
  this.timeout(60_000);

  it('adds less than two seconds when there is nothing left to do', () => {
    const setUp = () => spawnSync('npm', ['run', '--silent', 'build'], { cwd: HOME, encoding: 'utf8' });
    setUp();
    const started = performance.now();
    const again = setUp();
    assert.equal(again.status, 0, again.stderr);
    assert.doesNotMatch(again.stderr, /fetching|building/);
    // Compared with Node's own start on this machine at this moment, because the machine may be busy.
    const took = performance.now() - started;
    const before = performance.now();
    for (let i = 0; i < 5; i++) spawnSync(process.execPath, ['-e', '0']);
    const node = (performance.now() - before) / 5;
    assert.ok(
      took < 2000 || took < 40 * node,
      `${took.toFixed(0)} ms; starting Node alone takes ${node.toFixed(0)} ms`,
    );
  });

  it('says what it needs for words that it does not know', () => {
    const odd = spawnSync('node', ['ops/setup/run.mjs', 'strat'], { cwd: HOME, encoding: 'utf8' });
    assert.equal(odd.status, 1);
    assert.match(odd.stderr, /choose one of: start,/);
  });

  it('documents the same commands in package.json as it knows', () => {
    const { scripts } = JSON.parse(readFileSync(join(HOME, 'package.json'), 'utf8'));
    for (const name of ['start', 'test', 'build', 'flows', 'chaos', 'bench'])
      assert.match(scripts[name], new RegExp(`run.mjs ${name}$`));
  });
});

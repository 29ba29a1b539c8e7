import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  hang,
  reset,
  type Sandbox,
  serverError,
  startSandbox,
  tooMany,
  unauthorized,
} from '../../ops/sandbox/server.js';
import { HOME } from '../support/node-red.ts';
import { FAKE_TOKEN, type Potion, startPotion } from '../support/potion.ts';
import { type Secrets, searchFolders, secretsIn, watchArguments } from '../support/secrets.ts';
import { troubleTab } from '../support/trouble.ts';

const PASSWORD = 'open sesame';
const SECRETS: Secrets = {
  BOT_TOKEN: FAKE_TOKEN,
  OWNER_BOT_TOKEN: `7654321:${'OwnerOwner'.repeat(4).slice(0, 35)}`,
  HEARTBEAT_URL: 'http://127.0.0.1:9/ping/very secret-id',
  EDITOR_PASSWORD_HASH: '$2b$08$R.SWybMDoa1ppQSOuHWWAO5/cc7dTAwjxatMiZQPXAObAKbgusYsK',
};

describe('secrets after a run full of faults', function () {
  this.timeout(140_000);
  let work: string;
  let telegram: Sandbox;
  let potion: Potion | undefined;
  const said: string[] = [];

  before(async () => {
    work = mkdtempSync(join(tmpdir(), 'potion-secrets-'));
    cpSync(join(HOME, 'flows'), join(work, 'flows'), { recursive: true });
    writeFileSync(join(work, 'flows', 'trouble.json'), JSON.stringify(troubleTab()));
    const tab = join(work, 'flows', 'telegram.tg.json');
    // A minute is long in a test.
    writeFileSync(tab, readFileSync(tab, 'utf8').replaceAll(/"(within|lostAfter)": 60/g, '"$1": 5'));
    telegram = await startSandbox({ token: FAKE_TOKEN });
  });
  after(async () => {
    await potion?.kill();
    await telegram?.stop();
    rmSync(work, { recursive: true, force: true });
  });

  const env = () => ({
    ...SECRETS,
    TELEGRAM_API_URL: telegram.url,
    ADMIN_IDS: String(telegram.user.id),
    OWNER_IDS: String(telegram.user.id),
    LOG_DIR: join(work, 'logs'),
    LOG_LEVEL: 'debug',
    NODE_COMPILE_CACHE: join(work, 'compiled'),
  });
  const start = (more: Record<string, string> = {}) =>
    startPotion({ flowsDir: join(work, 'flows'), dataDir: join(work, 'data'), env: { ...env(), ...more } });
  const hears = (text: RegExp) => telegram.waitFor((message) => text.test(message.text ?? ''), 40_000);
  const login = async (password: string) => {
    const body = {
      client_id: 'node-red-admin',
      grant_type: 'password',
      scope: '*',
      username: 'admin',
      password,
    };
    const answer = await (potion as Potion).admin('/auth/token', { body });
    return (answer.body as { access_token?: string }).access_token ?? '';
  };

  it('they stand in no log, no file, no answer and in nobody’s arguments', async () => {
    potion = await start();
    const endWatch = watchArguments(potion.pid);
    await potion.waitHealthy();

    // Telegram refuses, is busy, breaks and is not there; people send what they should not.
    telegram.say(`/status ${FAKE_TOKEN}`);
    telegram.say(`mine is ${FAKE_TOKEN}`);
    telegram.faults.add(tooMany(1), { method: 'sendMessage', times: 1 });
    telegram.faults.add(reset, { method: 'sendMessage', times: 1 });
    telegram.faults.add(serverError(), { method: 'sendMessage', times: 1 });
    telegram.faults.add(hang, { method: 'getUpdates', times: 1 });
    telegram.say('/start');
    await hears(/Aku Potion/);
    await telegram.faults.down(1500);
    telegram.say('/services');
    await hears(/Service/);
    telegram.faults.add(unauthorized());
    telegram.say('/status');
    await potion.waitFor(/if the bot token is valid/, 40_000);

    // Somebody guesses the password; the right one opens the editor's answers.
    assert.equal(await login(FAKE_TOKEN), '');
    const headers = { authorization: `Bearer ${await login(PASSWORD)}` };
    for (const path of [
      '/flows',
      '/settings',
      '/diagnostics',
      '/potion/health',
      '/credentials/telegram bot/tg-bot',
    ])
      said.push(`${path} ${JSON.stringify(await potion.admin(path, { headers }))}`);
    const { body } = await potion.admin('/flows', { headers: { ...headers, 'Node-RED-API-Version': 'v2' } });
    const flows = structuredClone(body) as { flows: { id: string; credentials?: object }[] };
    for (const node of flows.flows) if (node.id === 'tg-bot') node.credentials = { token: FAKE_TOKEN };
    const deployed = await potion.admin('/flows', {
      headers: { ...headers, 'Node-RED-API-Version': 'v2' },
      body: flows,
    });
    assert.ok(deployed.status >= 400, 'flows with a secret in them are refused');
    said.push(JSON.stringify(deployed));

    // A person's own flow that is careless with secrets, until it ends the process.
    for (const id of ['tr-say', 'tr-ask', 'tr-crash'])
      await potion.admin(`/inject/${id}`, { method: 'POST', headers });
    const { code } = await potion.ended;
    assert.equal(code, 1);
    said.push(potion.console(), ...endWatch());
    assert.match(potion.console(), /Uncaught Exception[\s\S]*crashed with/);

    // Flows that can't be read, settings that are wrong, and what the health program has to say to all that.
    potion = await start({ BOT_TOKEN: `${FAKE_TOKEN} `.repeat(2), POTION_PORT: 'x' });
    assert.equal((await potion.ended).code, 78);
    said.push(potion.console());
    const tab = join(work, 'flows', 'co-pilot.cp.json');
    writeFileSync(tab, `${readFileSync(tab, 'utf8')} {"token": "${FAKE_TOKEN}"`);
    potion = await start();
    await potion.waitFor(/co-pilot\.cp\.json/);
    await potion.kill();
    said.push(potion.console());
    cpSync(join(HOME, 'flows', 'co-pilot.cp.json'), tab);
    for (const args of [[], ['--now'], ['--test']]) {
      const program = [join(HOME, 'ops/health/potion-health.js'), ...args];
      const result = spawnSync(process.execPath, program, {
        encoding: 'utf8',
        env: {
          PATH: process.env.PATH,
          ...env(),
          DATA_DIR: join(work, 'data'),
          TELEGRAM_API_URL: 'http://127.0.0.1:9',
        },
      });
      said.push(result.stdout + result.stderr);
    }

    const { found, files } = searchFolders(
      ['data', 'flows', 'logs', 'compiled'].map((name) => join(work, name)),
      SECRETS,
      (path) => path === tab,
    );
    assert.deepEqual(found, []);
    assert.deepEqual(secretsIn(said.join('\n'), SECRETS), []);
    assert.ok(files > 20);
    for (const name of [
      'data/potion.db',
      'data/node-red',
      'logs/runtime.log',
      'logs/actions.log',
      'logs/health.log',
    ])
      assert.ok(existsSync(join(work, name)), name);
    const log = readFileSync(join(work, 'logs', 'runtime.log'), 'utf8');
    for (const trace of [/bot<token>/, /<secret>/, /careless.*<token>/, /crashed with <token>/])
      assert.match(log, trace, 'there was something to take out');
  });

  it('the made-up token of the sandbox neither', async () => {
    const note = join(work, 'made-up');
    const hook = `import { writeFileSync } from 'node:fs';
      setInterval(() => process.env.BOT_TOKEN && writeFileSync(${JSON.stringify(note)}, process.env.BOT_TOKEN), 200).unref();`;
    const dataDir = join(work, 'sandboxed');
    potion = await startPotion({
      flowsDir: join(work, 'flows'),
      dataDir,
      env: { LOG_LEVEL: 'debug', TELEGRAM_API_URL: '', BOT_TOKEN: '' },
      nodeArgs: ['--import', `data:text/javascript,${encodeURIComponent(hook)}`],
    });
    const endWatch = watchArguments(potion.pid);
    await potion.waitHealthy();
    for (const id of ['tr-say', 'tr-ask']) await potion.admin(`/inject/${id}`, { method: 'POST' });
    await potion.waitFor(/careless/);
    await sleep(300);
    const pages = [
      await potion.admin('/flows'),
      await potion.admin('/settings'),
      await potion.admin('/potion/health'),
    ];
    const secret: Secrets = { 'the made-up token': readFileSync(note, 'utf8') };
    assert.match(secret['the made-up token'] ?? '', /^\d{9}:[\w-]{35}$/);
    await potion.admin('/inject/tr-crash', { method: 'POST' });
    await potion.ended;
    const text = [JSON.stringify(pages), potion.console(), ...endWatch()].join('\n');
    assert.deepEqual(secretsIn(text, secret), []);
    assert.deepEqual(searchFolders([dataDir, join(work, 'flows')], secret).found, []);
  });
});

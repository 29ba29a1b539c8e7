import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readOnlyDevices } from '../../nodes/host/mounts.js';
import { readConfig } from '../../nodes/kit/config.js';
import { LANGUAGES, render } from '../../nodes/kit/locale.js';
import { lookAtApi } from '../../ops/health/bot-api.js';
import { lookAtDisks } from '../../ops/health/disks.js';
import { lookAtHealth } from '../../ops/health/endpoint.js';
import { installingSince } from '../../ops/health/installation.js';
import { speaksWithoutMemory } from '../../ops/health/keep.js';
import { lookAtLogs } from '../../ops/health/logs.js';
import { send } from '../../ops/health/send.js';
import { readSettings, targetsOf, waysOf } from '../../ops/health/settings.js';
import { parseUnit } from '../../ops/health/unit.js';
import { hang, serverError } from '../../ops/sandbox/faults.js';
import { freePort } from '../support/potion.ts';
import { freshSandbox, TOKEN } from '../support/sandbox.ts';

const config = (env: Record<string, string> = {}) => readConfig(env, '/nowhere');

describe('potion-health looks at', function () {
  this.timeout(20_000);
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'potion-health-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('the unit as systemctl shows it', () => {
    const text =
      'Result=exit-code\nNRestarts=3\nExecMainStatus=78\nLoadState=loaded\nActiveState=failed\nSubState=failed';
    assert.deepEqual(parseUnit(text), {
      load: 'loaded',
      active: 'failed',
      sub: 'failed',
      result: 'exit-code',
      restarts: 3,
      status: 78,
    });
    assert.equal(parseUnit(''), undefined);
  });

  it('a Potion that nobody hears', async () => {
    const port = await freePort();
    const gone = await lookAtHealth(config({ POTION_PORT: String(port) }), 5000);
    assert.deepEqual(gone.answer === 'none' && gone.why, 'refused');
  });

  it('an installation only while it goes on', async () => {
    const file = join(folder, 'lock');
    assert.equal(await installingSince(file), undefined);
    const holder = spawn('flock', [file, 'sh', '-c', 'echo held; read -r line'], { stdio: 'pipe' });
    await new Promise((resolve) => holder.stdout.once('data', resolve));
    const since = await installingSince(file);
    assert.ok(since !== undefined && Math.abs(since - Date.now()) < 60_000);
    const ended = new Promise((resolve) => holder.once('close', resolve));
    holder.stdin.end('\n');
    await ended;
    assert.equal(await installingSince(file), undefined, 'the file stays, the lock does not');
  });

  it('the disks, each once, and a big one that is not there', async () => {
    const here = { DATA_DIR: join(folder, 'data'), LOG_DIR: join(folder, 'logs'), HDD_MOUNT: folder };
    const disks = await lookAtDisks(config(here), 5000);
    assert.deepEqual(disks.at(-1), { path: folder, problem: 'missing' });
    assert.equal(disks[0]?.path, '/');
    assert.ok((disks[0]?.used ?? 0) > 0 && (disks[0]?.available ?? 0) > 0);
    assert.equal(new Set(disks.map(({ path }) => path)).size, disks.length);
  });

  it('a disk in a process of its own', async () => {
    const disks = await lookAtDisks(config({ HDD_MOUNT: '/proc' }), 5000);
    assert.equal(disks.at(-1)?.path, '/proc');
    assert.equal(disks.at(-1)?.available, 0);
  });

  it('file systems that take no writes, not at mounts that do not', () => {
    const table = `
28 1 8:2 / / ro,relatime - ext4 /dev/sda2 rw,errors=remount-ro
60 28 8:17 / /mnt/x rw - ext4 /dev/sdb1 ro
61 28 8:18 / /mnt/y rw - ext4 /dev/sdc1 rw,emergency_ro`;
    assert.deepEqual([...readOnlyDevices(table)], ['8:17', '8:18']);
  });

  it('logs that nobody rotates', async () => {
    mkdirSync(join(folder, 'old'));
    writeFileSync(join(folder, 'runtime.log'), 'x');
    writeFileSync(join(folder, 'old', 'runtime.log.1.gz'), Buffer.alloc(100_000, 1));
    const small = await lookAtLogs(folder, []);
    assert.equal(small.problem, undefined);
    assert.ok((small.total ?? 0) >= 100_000);
    truncateSync(join(folder, 'runtime.log'), 51 * 1024 ** 2);
    assert.equal((await lookAtLogs(folder, [])).problem, 'not-rotated');
    assert.equal((await lookAtLogs(join(folder, 'none'), [])).problem, undefined);
  });
});

describe('potion-health uses', () => {
  it('what is right in wrong settings', () => {
    const env = {
      BOT_TOKEN: TOKEN,
      OWNER_BOT_TOKEN: 'nonsense',
      OWNER_IDS: '7, me, 8',
      EDITOR_BIND: '10.0.0.1',
      EDITOR_PASSWORD_HASH: 'nonsense',
      POTION_PORT: '1999',
    };
    const { config, problems } = readSettings(env, '/nowhere');
    assert.deepEqual(waysOf(config), [{ bot: 'potion', token: TOKEN }]);
    assert.deepEqual(targetsOf(config), ['7', '8']);
    assert.equal(config.port, 1999);
    assert.deepEqual(problems.map((problem) => problem.split(':')[0]).sort(), [
      'EDITOR_BIND',
      'EDITOR_PASSWORD_HASH',
      'OWNER_BOT_TOKEN',
      'OWNER_IDS',
    ]);
    assert.ok(!problems.join().includes('nonsense'), 'secrets are not repeated');
  });

  it('each bot and each owner once', () => {
    const both = config({ BOT_TOKEN: TOKEN, OWNER_BOT_TOKEN: TOKEN, ADMIN_IDS: '1,2,1' });
    assert.equal(waysOf(both).length, 1);
    assert.deepEqual(targetsOf(both), ['1', '2']);
    assert.deepEqual(targetsOf(config({ ADMIN_IDS: '1' })), []);
  });

  it('eight moments of a day when it can not remember anything', () => {
    const day = Date.UTC(2026, 0, 1);
    const looks = Array.from({ length: 288 }, (_, i) => day + i * 300_000 + 7000);
    assert.equal(looks.filter(speaksWithoutMemory).length, 8);
  });

  it('words for every reason in every language', () => {
    const reasons =
      'failed refuses silent mute starting restarting looping absent ailing stopped token settings logs';
    for (const lang of LANGUAGES)
      for (const code of reasons.split(' '))
        assert.notEqual(render(lang, `health.reason.${code}`), `health.reason.${code}`);
    for (const result of ['oom-kill', 'watchdog', 'timeout', 'start-limit-hit', 'signal', 'exit-code'])
      assert.match(render('id', 'health.reason.failed', { result, status: 9 }), /systemd menyerah/);
  });
});

describe('potion-health and Telegram', function () {
  this.timeout(20_000);
  const telegram = freshSandbox();
  const ways = [{ bot: 'potion', token: TOKEN }] as const;
  const letter = { target: '100001', html: '<b>x</b>', silent: false };
  const soon = () => performance.now() + 500;

  it('does not wait for an answer that never comes', async () => {
    telegram.sandbox.faults.add(hang);
    const { answer } = await lookAtApi(telegram.sandbox.url, ways[0], 200);
    assert.ok(answer === 'unreachable' || answer === 'offline');
    const sent = await send(ways, telegram.sandbox.url, letter, soon());
    assert.ok(!sent.ok && sent.silence);
  });

  it('tells trouble at Telegram from silence, and tries once more', async () => {
    const trouble = telegram.sandbox.faults.add(serverError(502));
    assert.equal((await lookAtApi(telegram.sandbox.url, ways[0], 5000)).answer, 'trouble');
    trouble.off();
    telegram.sandbox.faults.add(serverError(502), { times: 1 });
    assert.deepEqual(await send(ways, telegram.sandbox.url, letter, performance.now() + 20_000), {
      ok: true,
      bot: 'potion',
    });
  });

  it('cuts what is too long for one message', async () => {
    const long = { ...letter, html: `<b>${'é'.repeat(5000)}</b>` };
    assert.ok((await send(ways, telegram.sandbox.url, long, performance.now() + 20_000)).ok);
    assert.equal(telegram.sandbox.messages()[0]?.text?.length, 4096);
  });

  it('ends in time though nothing answers at all', async () => {
    await telegram.sandbox.faults.down();
    const sent = await send(ways, telegram.sandbox.url, letter, soon());
    assert.ok(!sent.ok && sent.silence);
  });
});

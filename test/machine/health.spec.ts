import assert from 'node:assert/strict';
import { needs } from '../support/needs.ts';
import { until } from './driver.ts';
import { type Installed, layOut } from './installed.ts';
import { bootMachine, GUEST_NODE, type Machine } from './machine.ts';

/** In potion-health one second is a minute. */
const FASTER = 60;
const FAST = `
  const os = require('node:os');
  const real = Date.now;
  const start = ${Date.now()};
  const uptime = os.uptime;
  Date.now = () => start + (real() - start) * ${FASTER};
  os.uptime = () => uptime() + ((real() - start) / 1000) * ${FASTER - 1};
`;

/** Stands in for Potion: answers that all is well, or ends at once as a file says. */
const SCRIPTED = `
  const { existsSync, readFileSync } = require('node:fs');
  console.error('potion: <something> & ' + process.env.BOT_TOKEN);
  if (existsSync('/etc/exit')) process.exit(Number(readFileSync('/etc/exit', 'utf8')));
  const answer = JSON.stringify({ ok: true, parts: { flows: { ok: true } } });
  require('node:http').createServer((_, response) => response.end(answer)).listen(1880, '127.0.0.1');
`;
const POTION = `[Unit]
OnFailure=potion-health.service
StartLimitIntervalSec=0
[Service]
User=potion
EnvironmentFile=/etc/potion/potion.env
ExecStart=${GUEST_NODE} /opt/scripted.cjs
Restart=always
RestartSec=50ms
RestartPreventExitStatus=78
`;

describe('potion-health on a booted machine', function () {
  this.timeout(120_000);
  let machine: Machine;
  let potion: Installed;

  before(async function () {
    needs(this, 'root', 'systemd-nspawn');
    machine = await bootMachine({
      files: { '/opt/hooks/fast.cjs': FAST, '/opt/scripted.cjs': SCRIPTED },
    });
    const env = { POTION_LANG: 'en-US', SERVER_NAME: 'laptop' };
    potion = await layOut(machine, { env, files: { 'potion.service': POTION } });
    const fast = '[Service]\nEnvironment=NODE_OPTIONS=--require=/opt/hooks/fast.cjs\n';
    await machine.writeFile('/etc/systemd/system/potion-health.service.d/test.conf', fast);
    const soon = '[Timer]\nOnBootSec=\nOnUnitActiveSec=\nOnUnitInactiveSec=\nRandomizedDelaySec=0\n';
    const often = `${soon}OnActiveSec=1s\nOnUnitInactiveSec=1s\nAccuracySec=10ms\n`;
    await machine.writeFile('/etc/systemd/system/potion-health.timer.d/test.conf', often);
    await systemctl('daemon-reload');
    await systemctl('start', 'potion.service');
  });
  after(async () => {
    potion?.close();
    await machine?.stop();
  });

  /** As if Potion had been well all day, or each test would wait longer for the end of its outage. */
  const freshDay = async () => {
    await systemctl('stop', 'potion-health.timer');
    await until(async () => {
      const state = await systemctl('show', '-P', 'ActiveState', 'potion-health');
      return state === 'inactive' ? true : undefined;
    }, 60_000);
    await machine.run(['rm', '-f', '/var/lib/potion/health/state.json']);
    await systemctl('start', 'potion-health.timer');
    await looks(1);
    return (await texts()).length;
  };

  const systemctl = (...args: string[]) => machine.run(['systemctl', ...args]);
  // Its complaint that there are no other processes is none of ours.
  const kill = (signal: string) => machine.exec(['systemctl', 'kill', `--signal=${signal}`, 'potion']);
  const log = async () => (await machine.exec(['cat', '/var/log/potion/health.log'])).stdout;
  const texts = async () => (await potion.messages()).map(({ text }) => text);
  /** The messages that came since there were so many, once the last of them fits. */
  const next = async (known: number, fits: RegExp) => {
    let last: string[] = [];
    return until(
      async () => {
        last = (await texts()).slice(known);
        return fits.test(last.at(-1) ?? '') ? last : undefined;
      },
      90_000,
      () => `waiting for ${fits}, heard ${JSON.stringify(last)}`,
    ).catch(async (thrown) => {
      const journal = await machine.exec(['journalctl', '-u', 'potion-health', '-o', 'cat', '-n', '40']);
      throw new Error(`${thrown.message}\n${await log()}\n${journal.stdout}`);
    });
  };
  /** What a look has found is written after it was told. */
  const logged = (line: RegExp) =>
    until(
      async () => (line.test(await log()) ? true : undefined),
      30_000,
      () => `${line} is not in health.log`,
    );
  /** Waits for looks that begin from now on. */
  const looks = async (count: number) => {
    const before = (await log()).split('\n').length;
    await until(async () => ((await log()).split('\n').length >= before + count ? true : undefined), 60_000);
  };
  const exitsWith = async (code: number | undefined) =>
    code === undefined
      ? machine.run(['rm', '-f', '/etc/exit'])
      : machine.writeFile('/etc/exit', String(code));

  it('is asked at once by a Potion that gives up, though the timer is not even on', async () => {
    await exitsWith(78);
    await kill('KILL');
    const [text] = await next(0, /is down/);
    assert.match(
      text ?? '',
      /^🔴 laptop: Potion is down.*\nPotion will not start before you have mended something \(code 78\)/,
    );
    assert.match(
      text ?? '',
      /potion: <something> & <token>\n👉/,
      'with its last words, and without its token',
    );
    await logged(/potion:refuses health=refused unit=failed\/failed/);
  });

  it('looks again and again by its timer, and tells that Potion is back', async () => {
    await systemctl('start', 'potion-health.timer');
    await looks(2);
    assert.equal((await texts()).length, 1, 'meanwhile nothing is said twice');
    await exitsWith(undefined);
    await systemctl('start', 'potion');
    assert.equal((await next(1, /Potion is back/)).length, 1);
    await logged(/well health=ok unit=active\/running/);
    const result = JSON.parse(await machine.run(['cat', '/var/lib/potion/health/last_health.json']));
    assert.equal(result.ok, true);
    const owner = await machine.run(['stat', '-c', '%U %a', '/var/lib/potion/health/state.json']);
    assert.equal(owner, 'potion 640');
  });

  it('notices a Potion that runs but is stuck', async () => {
    const known = await freshDay();
    await kill('STOP');
    const [text] = await next(known, /is down/);
    assert.match(text ?? '', /The process is there but does not answer \(no answer within 5 s\)/);
    await kill('CONT');
    await next(known + 1, /Potion is back/);
  });

  it('notices restarts that go on, though Potion answers at each look', async () => {
    const known = await freshDay();
    const counter = async () => Number(await systemctl('show', '-P', 'NRestarts', 'potion'));
    for (let i = 0; i < 5; i++) {
      const before = await counter();
      await kill('KILL');
      await until(async () => ((await counter()) > before ? true : undefined), 30_000);
    }
    const [text] = await next(known, /over and over/);
    assert.match(
      text ?? '',
      /runs but is not well.*\nIt ends and is started again, over and over: \d+ times/,
    );
  });

  it('speaks once, not again and again, while its disk is full', async () => {
    const known = await freshDay();
    for (const folder of ['/var/lib/potion', '/var/log/potion']) {
      await machine.run(['mount', '-t', 'tmpfs', '-o', 'size=64k,mode=777', 'full', folder]);
      await machine.exec(['dd', 'if=/dev/zero', `of=${folder}/full`, 'bs=4k']);
    }
    await exitsWith(78);
    await kill('KILL');
    const [text] = await next(known, /is down/);
    assert.match(text ?? '', /• disk \/var\/lib\/potion is full: 100% used/);
    const journal = () => machine.run(['journalctl', '-u', 'potion-health', '-o', 'cat']);
    const count = async () => (await journal()).split('state not kept in').length;
    const before = await count();
    await until(async () => ((await count()) >= before + 3 ? true : undefined), 60_000);
    assert.equal((await texts()).length, known + 1);
    assert.match(await machine.run(['ls', '/run/potion-health']), /state\.json/);
    for (const folder of ['/var/lib/potion', '/var/log/potion']) await machine.run(['umount', folder]);
    await exitsWith(undefined);
    await systemctl('start', 'potion');
    await next(known + 1, /Potion is back/);
    await looks(1);
    assert.equal(await machine.run(['ls', '/run/potion-health']), '');
  });

  it('takes a Potion that somebody has stopped calmly: one line after a quarter of an hour', async () => {
    const known = await freshDay();
    await systemctl('stop', 'potion');
    const [text] = await next(known, /./);
    assert.match(text ?? '', /^⚪ laptop: Potion was switched off/);
    await logged(/potion:stopped health=refused unit=inactive\/dead/);
  });

  it('is left few rights', async () => {
    const said = await machine.run(['systemd-analyze', 'security', '--no-pager', 'potion-health.service']);
    const exposure = Number(/Overall exposure level .*: ([\d.]+)/.exec(said)?.[1]);
    assert.ok(exposure <= 2.5, said);
  });
});

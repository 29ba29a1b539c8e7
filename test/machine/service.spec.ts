import assert from 'node:assert/strict';
import { needs } from '../support/needs.ts';
import { until } from './driver.ts';
import { type Installed, layOut } from './installed.ts';
import { bootMachine, type Machine } from './machine.ts';

/** Loaded into Potion: a signal that nothing else uses blocks its event loop for good. */
const BLOCK = "process.on('SIGWINCH', () => { for (;;); });";

/**
 * Loaded into Potion: all its time runs forty times as fast, and a signal makes its flows seem stopped. The
 * watchdog's limit that it is told is such that systemd still hears of it in time.
 */
const HURRY = `
  import { createRequire } from 'node:module';
  const factor = 40;
  for (const name of ['setTimeout', 'setInterval']) {
    const real = globalThis[name];
    globalThis[name] = (run, ms, ...rest) => real(run, ms / factor, ...rest);
  }
  for (const clock of [performance, Date]) {
    const real = clock.now.bind(clock);
    const start = real();
    clock.now = () => start + (real() - start) * factor;
  }
  process.env.WATCHDOG_USEC = '60000000';
  process.on('SIGWINCH', () => {
    const load = createRequire('/opt/potion/current/node_modules/node-red/lib/red.js');
    load('@node-red/util').events.emit('flows:stopping', {});
  });
`;
const OUR_OWN_HEALTH = `[Service]
Type=oneshot
ExecStart=/bin/sh -c 'echo told >>/run/owner'
`;

describe('potion.service on a booted machine', function () {
  this.timeout(120_000);
  let machine: Machine;
  let potion: Installed;

  before(async function () {
    needs(this, 'root', 'systemd-nspawn');
    machine = await bootMachine({
      files: { '/opt/hooks/block.mjs': BLOCK, '/opt/hooks/hurry.mjs': HURRY },
    });
    potion = await layOut(machine, { files: { 'potion-health.service': OUR_OWN_HEALTH } });
  });
  beforeEach(async () => {
    await potion.kill();
    await potion.dropIn('[Service]');
  });
  after(async () => {
    potion?.close();
    await machine?.stop();
  });

  const ownersWord = async () => (await machine.exec(['cat', '/run/owner'])).stdout.trim();

  it('starts to active, as its own user, with its health in a line', async () => {
    const { state, pid } = await potion.start();
    assert.equal(state, 'active');
    assert.equal(await machine.run(['stat', '-c', '%U %G', `/proc/${pid}`]), 'potion potion');
    await potion.heard(/Aku sudah jalan/);
    const { text } = await potion.health();
    assert.match(text, /"ok":true/);
    for (const folder of ['/var/lib/potion', '/var/log/potion', '/var/cache/potion'])
      assert.equal(await machine.run(['stat', '-c', '%U:%G %a', folder]), 'potion:potion 750');
  });

  it('may write in its own folders and below /mnt, and nowhere else', async () => {
    const { pid } = await potion.start();
    await machine.run(['sh', '-c', 'mkdir -p /mnt/disk && mount -t tmpfs -o mode=777 disk /mnt/disk']);
    const inside = (script: string) =>
      machine.exec(['nsenter', '--mount', `--target=${pid}`, 'sh', '-c', script]);
    try {
      assert.equal((await inside('touch /mnt/disk/x /var/lib/potion/x')).code, 0, 'a disk that came later');
      for (const place of ['/etc', '/usr', '/opt/potion', '/var/lib', '/home', '/boot'])
        assert.match((await inside(`touch ${place}/x`)).stderr, /Read-only file system/, place);
    } finally {
      await machine.run(['umount', '/mnt/disk']);
    }
    const status = await machine.run(['cat', `/proc/${pid}/status`]);
    assert.match(status, /NoNewPrivs:\t1/);
    assert.match(status, /CapBnd:\t0000000000000000/);
  });

  it('lets none of the programs that it starts speak for it to systemd', async () => {
    await potion.dropIn('[Service]\nEnvironment=NODE_OPTIONS=--import=/opt/hooks/child.mjs');
    await machine.writeFile(
      '/opt/hooks/child.mjs',
      `import { spawnSync } from 'node:child_process';
       import { readlinkSync } from 'node:fs';
       if (process.env.NOTIFY_FD) {
         const env = { ...process.env, NOTIFY_SOCKET: '/run/systemd/notify' };
         spawnSync('systemd-notify', ['--status=forged'], { env });
         const { stdout } = spawnSync('ls', ['-l', '/proc/self/fd'], { encoding: 'utf8' });
         const own = readlinkSync('/proc/self/fd/' + process.env.NOTIFY_FD);
         console.log(own.startsWith('socket') && stdout.includes('/proc/'), 'child has it:', stdout.includes(own));
       }`,
    );
    await potion.start();
    assert.match(await potion.journal(200), /true child has it: false/);
    assert.match(
      await potion.journal(200),
      /notification message from PID \d+, but reception only permitted for main PID/,
    );
  });

  it('is heard by systemd also after that was executed anew', async () => {
    await potion.dropIn('[Service]\nWatchdogSec=6');
    const { pid } = await potion.start();
    await machine.run(['systemctl', 'daemon-reexec']);
    const stamp = () => machine.run(['systemctl', 'show', '-P', 'WatchdogTimestampMonotonic', 'potion']);
    const before = await stamp();
    await until(async () => ((await stamp()) === before ? undefined : true), 30_000);
    assert.equal((await potion.facts()).pid, pid);
  });

  it('is back and polls again after SIGKILL', async () => {
    const { pid } = await potion.start();
    const killed = performance.now();
    await machine.run(['kill', '-KILL', String(pid)]);
    await potion.polledAgain();
    const polls = performance.now() - killed;
    const now = await potion.untilUnit((facts) => facts.state === 'active' && facts.pid !== pid);
    assert.equal(now.restarts, 1);
    await potion.untilHealthy();
    console.log(`        SIGKILL: polls again after ${(polls / 1000).toFixed(1)} s`);
  });

  it('is killed by the watchdog and restarted when it stands still (SIGSTOP)', async () => {
    await potion.dropIn('[Service]\nWatchdogSec=3');
    const { pid } = await potion.start();
    await machine.run(['kill', '-STOP', String(pid)]);
    const stopped = performance.now();
    await potion.untilUnit((facts) => facts.state === 'active' && facts.pid > 0 && facts.pid !== pid);
    const back = performance.now() - stopped;
    assert.match(await potion.journal(200), /Watchdog timeout/);
    console.log(`        SIGSTOP with WatchdogSec=3: back after ${(back / 1000).toFixed(1)} s`);
  });

  it('is killed by the watchdog and restarted when its event loop no longer turns', async () => {
    await potion.dropIn('[Service]\nWatchdogSec=3\nEnvironment=NODE_OPTIONS=--import=/opt/hooks/block.mjs');
    const { pid } = await potion.start();
    await machine.run(['kill', '-WINCH', String(pid)]);
    await potion.untilUnit((facts) => facts.state === 'active' && facts.pid > 0 && facts.pid !== pid);
    assert.match(await potion.journal(200), /Watchdog timeout/);
  });

  it('lets itself be restarted when its core is stuck, though the event loop turns', async () => {
    await potion.dropIn('[Service]\nWatchdogSec=5\nEnvironment=NODE_OPTIONS=--import=/opt/hooks/hurry.mjs');
    const { pid } = await potion.start();
    await machine.run(['kill', '-WINCH', String(pid)]);
    const { status } = await potion.untilUnit((facts) => facts.status.startsWith('To be restarted'));
    assert.match(status, /the flows have stopped without a reason/);
    await potion.untilUnit((facts) => facts.state === 'active' && facts.pid > 0 && facts.pid !== pid);
    const journal = await potion.journal(200);
    assert.match(journal, /Potion lets systemd restart it: the flows have stopped without a reason/);
    assert.match(journal, /Watchdog timeout/);
    assert.match(await machine.run(['cat', '/run/potion/tried-restarts.json']), /"flows":/);
  });

  it('stops within its time and leaves no process', async () => {
    const { pid } = await potion.start();
    const began = performance.now();
    await machine.run(['systemctl', 'stop', 'potion'], { timeout: 60_000 });
    const took = performance.now() - began;
    const { result, state } = await potion.facts();
    assert.deepEqual([state, result], ['inactive', 'success']);
    assert.equal((await machine.exec(['ls', `/proc/${pid}`])).code, 2);
    assert.equal((await machine.exec(['pgrep', '-u', 'potion'])).stdout, '');
    assert.equal(
      (await machine.exec(['ls', '/var/lib/potion/potion.db-wal'])).code,
      2,
      'its log is written in',
    );
    console.log(`        stop: ${(took / 1000).toFixed(1)} s`);
  });

  it('is not restarted with exit 78, and the owner is told', async () => {
    await machine.exec(['rm', '-f', '/run/owner']);
    await potion.dropIn('[Service]\nEnvironment=POTION_LANG=xx');
    await machine.exec(['systemctl', 'start', 'potion']);
    await potion.untilUnit(({ state }) => state === 'failed');
    await until(async () => ((await ownersWord()) === 'told' ? true : undefined), 10_000);
    const { restarts, result } = await potion.facts();
    assert.deepEqual([restarts, result], [0, 'exit-code']);
    assert.match(await potion.journal(), /POTION_LANG: "xx" is not one of/);
  });

  it('slows down when it ends again and again, and is never given up', async () => {
    const crash = '/opt/hooks/crash.mjs';
    await machine.writeFile(crash, 'if (process.env.NOTIFY_FD) process.exit(1);');
    await potion.dropIn(`[Service]\nRestartSec=100ms\nEnvironment=NODE_OPTIONS=--import=${crash}`);
    await machine.exec(['systemctl', 'start', 'potion']);
    const { status } = await potion.untilUnit((facts) => facts.status.startsWith('ended'));
    assert.equal(status, 'ended 3 times in 5 minutes: waiting 40 s');
    await potion.untilUnit(({ sub }) => sub === 'start');
    // A person who has mended it need not wait.
    await potion.kill();
    await potion.dropIn('[Service]');
    await potion.start();
  });
});

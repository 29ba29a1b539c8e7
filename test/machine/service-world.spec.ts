import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { needs } from '../support/needs.ts';
import { until } from './driver.ts';
import { type Installed, layOut } from './installed.ts';
import { bootMachine, type Machine } from './machine.ts';

const DAY = 86_400_000;

/** Loaded into Potion: the wall clock goes by what /run/potion/clock adds to it, in ms. */
const CLOCK = `
  import { readFileSync, watch, writeFileSync } from 'node:fs';
  const file = '/run/potion/clock';
  let shift = 0;
  if (process.env.NOTIFY_FD) {
    writeFileSync(file, '0');
    watch(file, () => { shift = Number(readFileSync(file, 'utf8')); }).unref();
    const Real = Date;
    globalThis.Date = class extends Real {
      constructor(...given) { given.length === 0 ? super(Real.now() + shift) : super(...given); }
      static now() { return Real.now() + shift; }
    };
  }
`;

/** Loaded into Potion: a signal lets it start a program, as its nodes do, that takes ever more memory. */
const GLUTTON = `
  import { createRequire } from 'node:module';
  process.on('SIGWINCH', async () => {
    const { run } = createRequire('/opt/potion/current/settings.js')('./nodes/kit/run.js');
    const script = 'my @all; push @all, "x" x 1e6 while @all < 4000;';
    const result = await run('perl', ['-e', script]).catch(String);
    console.log('the glutton ended', JSON.stringify(result));
  });
`;

const MEMORY = '/sys/fs/cgroup/memory';

describe('potion.service in a hard world, on a booted machine', function () {
  this.timeout(120_000);
  let machine: Machine;
  let potion: Installed;

  before(async function () {
    needs(this, 'root', 'systemd-nspawn');
    const web = '[Service]\nExecStart=/bin/sleep infinity\n';
    machine = await bootMachine({
      units: { 'web.service': web },
      start: ['web.service'],
      files: { '/opt/hooks/clock.mjs': CLOCK, '/opt/hooks/glutton.mjs': GLUTTON },
    });
    potion = await layOut(machine, { env: { SERVICES_WHITELIST: 'web' } });
  });
  beforeEach(() => potion.kill());
  after(async () => {
    potion?.close();
    await machine?.stop();
  });

  /** Limits what Potion and all that it starts may take from now on. @returns undoes it */
  async function limitMemory(pid: number, bytes: number): Promise<() => void> {
    // Where systemd has the memory controller, its own limit holds (MemoryMax=).
    if (!existsSync(`${MEMORY}/memory.limit_in_bytes`)) {
      await machine.run(['systemctl', 'set-property', '--runtime', 'potion', `MemoryMax=${bytes}`]);
      return () => {};
    }
    const group = `${MEMORY}/potion-test-${process.pid}`;
    mkdirSync(group);
    writeFileSync(`${group}/memory.limit_in_bytes`, String(bytes));
    writeFileSync(`${group}/cgroup.procs`, String(outside(machine, pid)));
    return () => rmdirSync(group);
  }

  it('outlives a program of its own that takes too much memory', async () => {
    await potion.dropIn('[Service]\nEnvironment=NODE_OPTIONS=--import=/opt/hooks/glutton.mjs');
    const { pid } = await potion.start();
    const free = await limitMemory(pid, 300e6);
    try {
      await machine.run(['kill', '-WINCH', String(pid)]);
      const ended = async () => (/the glutton ended .*/.exec(await potion.journal(200)) ?? [])[0];
      assert.match(await until(ended, 60_000), /"exitCode":-1/);
      assert.equal((await potion.facts()).pid, pid);
      await potion.untilHealthy();
    } finally {
      await potion.kill();
      free();
    }
  });

  for (const [way, shift] of [
    ['forward', DAY],
    ['back', -DAY],
  ] as const)
    it(`goes on when the clock jumps a day ${way}: no restart, nothing lost, nothing silent`, async () => {
      await potion.dropIn('[Service]\nWatchdogSec=3\nEnvironment=NODE_OPTIONS=--import=/opt/hooks/clock.mjs');
      const { pid } = await potion.start();
      const before = (await potion.messages()).at(-1)?.id ?? 0;
      // A message that waits for another try when the clock jumps.
      await potion.telegram.ask('down');
      await machine.run(['sh', '-c', 'kill -KILL $(systemctl show -P MainPID web)']);
      const said = () => machine.run(['journalctl', '--output=cat', `_PID=${pid}`]);
      await until(async () => (/chat \d+: network/.test(await said()) ? true : undefined), 60_000);
      await machine.run(['sh', '-c', `echo ${shift} >/run/potion/clock`]);
      await potion.telegram.ask('up');
      const heard = async (text: RegExp) =>
        until(
          async () => (await potion.messages()).find((one) => one.id > before && text.test(one.text)),
          60_000,
          () => `waiting for ${text}`,
        ).catch(async (thrown) => {
          throw new Error(
            `${thrown.message}\n${JSON.stringify(await potion.messages())}\n${await potion.journal()}`,
          );
        });
      await heard(/web/);
      await potion.telegram.ask('say', '/services');
      await heard(/Service/);
      const [line = ''] = (await machine.run(['tail', '-n1', '/var/log/potion/actions.log'])).split(' ');
      const day = new Date(Date.now() + shift).toISOString().slice(0, 10);
      assert.equal(line.slice(0, 10), day, 'what Potion takes for today');
      await potion.untilHealthy();
      const { pid: now, restarts } = await potion.facts();
      assert.deepEqual([now, restarts], [pid, 0]);
      await machine.exec(['systemctl', 'reset-failed', 'web']);
      await machine.run(['systemctl', 'restart', 'web']);
    });
});

/** The id that a process of a machine has out here. */
function outside(machine: Machine, inside: number): number {
  const space = (pid: string | number) => readlinkSync(`/proc/${pid}/ns/pid`);
  const ours = space(machine.pid);
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      const ids = /^NSpid:(.*)$/m.exec(status)?.[1]?.trim().split('\t') ?? [];
      if (ids.length > 1 && Number(ids.at(-1)) === inside && space(pid) === ours) return Number(pid);
    } catch {
      // It has ended meanwhile.
    }
  }
  throw new Error(`process ${inside} of the machine is not to be found`);
}

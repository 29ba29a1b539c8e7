import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { Mount } from '../../nodes/host/mounts.js';
import type { CpuTimes } from '../../nodes/host/proc-stat.js';
import { ManualClock, systemClock } from '../../nodes/kit/clock.js';
import { Baseline, cpuLoad, networkRates } from '../../nodes/sense/metrics/rates.js';
import { GROUPS, type Group, machine, Sampler, type Sources } from '../../nodes/sense/metrics/sampler.js';
import { needs } from '../support/needs.ts';

const ROOM = { size: 100, used: 50, available: 40, ratio: 50 / 90 };
const disk = (path: string): Mount => ({ path, device: path, root: '/', type: 'ext4', source: '/dev/x' });

/** A laptop that answers at once; each call may be given another answer. */
function laptop(other: Partial<Sources> = {}): Sources {
  return {
    procStat: async () => ({ cpu: { busy: 0, total: 0 }, bootTime: 1_700_000_000_000 }),
    findSensors: async () => [{ path: '/sys/x', rank: 0 }],
    readTemperature: async (sensors) => (sensors.length > 0 ? 51.5 : undefined),
    memory: async () => ({ memory: { total: 8, used: 2, cache: 3, available: 6, ratio: 0.25 } }),
    mounts: async () => [disk('/'), disk('/mnt/x')],
    room: async () => ROOM,
    traffic: async () => ({ eth0: { rx: 0, tx: 0 } }),
    ...other,
  };
}

function sampler(sources: Sources, groups: readonly Group[] = GROUPS, clock = new ManualClock()) {
  return { clock, sampler: new Sampler({ groups, clock, hddMount: '/mnt/x', sources }) };
}

const forever = () => new Promise<never>(() => {});
// Longer than any chain of promises that does not wait for a timer.
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('a sample', () => {
  it('has the groups that were asked for and no other', async () => {
    const { sampler: some } = sampler(laptop(), ['memory', 'disks']);
    assert.deepEqual(await some.sample(), {
      memory: { total: 8, used: 2, cache: 3, available: 6, ratio: 0.25 },
      disks: { '/': ROOM, '/mnt/x': ROOM },
      missing: {},
    });
  });

  it('has no rates the first time, because a rate needs two; then they are per second', async () => {
    let cpu: CpuTimes = { busy: 1000, total: 5000 };
    let traffic = { eth0: { rx: 5000, tx: 100 } };
    const { sampler: rates, clock } = sampler(
      laptop({ procStat: async () => ({ cpu }), traffic: async () => traffic }),
      ['cpu', 'network'],
    );
    assert.deepEqual(await rates.sample(), { missing: { cpu: 'first-sample', network: 'first-sample' } });
    clock.advance(10_000);
    cpu = { busy: 1500, total: 7000 };
    traffic = { eth0: { rx: 15_000, tx: 100 } };
    assert.deepEqual(await rates.sample(), {
      cpu: { load: 0.25 },
      network: { eth0: { rx: 1000, tx: 0 } },
      missing: {},
    });
  });

  it('names what this machine does not have, and never puts 0 in its place', async () => {
    const { sampler: vm } = sampler(
      laptop({ findSensors: async () => [], mounts: async () => [disk('/')] }),
      ['temperature', 'swap', 'disks'],
    );
    assert.deepEqual(await vm.sample(), {
      disks: { '/': ROOM },
      missing: { temperature: 'none', swap: 'none', 'disk:/mnt/x': 'not-mounted' },
    });
  });

  it('keeps the other groups when one fails', async () => {
    const broken = laptop({ memory: () => Promise.reject(new Error('EACCES')) });
    const { sampler: partial } = sampler(broken, ['memory', 'temperature']);
    assert.deepEqual(await partial.sample(), {
      temperature: { cpu: 51.5 },
      missing: { memory: 'EACCES' },
    });
  });

  it('looks for sensors again when theirs are gone', async () => {
    let name = '/hwmon1';
    const { sampler: renumbered } = sampler(
      laptop({
        findSensors: async () => [{ path: name, rank: 0 }],
        readTemperature: async ([sensor]) => (sensor?.path === name ? 50 : undefined),
      }),
      ['temperature'],
    );
    assert.deepEqual((await renumbered.sample()).temperature, { cpu: 50 });
    name = '/hwmon2';
    assert.deepEqual((await renumbered.sample()).temperature, { cpu: 50 });
  });
});

describe('a reading that hangs', () => {
  it('is absent as a timeout, is not begun again while it hangs, and is back when it returns', async () => {
    const asked: string[] = [];
    let answer = (_: typeof ROOM) => {};
    const { sampler: stuck, clock } = sampler(
      laptop({
        room: (path) => {
          asked.push(path);
          if (path !== '/mnt/x' || asked.filter((p) => p === '/mnt/x').length > 1)
            return Promise.resolve(ROOM);
          return new Promise((resolve) => {
            answer = resolve;
          });
        },
      }),
      ['disks'],
    );
    const first = stuck.sample();
    await settled();
    clock.advance(2000);
    assert.deepEqual(await first, { disks: { '/': ROOM }, missing: { 'disk:/mnt/x': 'timeout' } });
    assert.deepEqual((await stuck.sample()).missing, { 'disk:/mnt/x': 'timeout' });
    assert.deepEqual(asked, ['/', '/mnt/x', '/']);
    answer(ROOM);
    await settled();
    assert.deepEqual((await stuck.sample()).missing, {});
  });

  it('holds at most two file threads: with two dead disks no third is tried', async () => {
    const mounts = ['/', '/a', '/b', '/c', '/d'].map(disk);
    const asked: string[] = [];
    const room = (path: string) => {
      asked.push(path);
      return path === '/' ? Promise.resolve(ROOM) : forever();
    };
    const { sampler: dying, clock } = sampler(laptop({ mounts: async () => mounts, room }), ['disks']);
    const first = dying.sample();
    for (const _ of mounts) {
      await settled();
      clock.advance(2000);
    }
    assert.deepEqual((await first).missing, {
      'disk:/mnt/x': 'not-mounted',
      'disk:/a': 'timeout',
      'disk:/b': 'timeout',
      'disk:/c': 'skipped',
      'disk:/d': 'skipped',
    });
    assert.deepEqual(asked, ['/', '/a', '/b']);
  });

  it('takes a whole group with it, and no other, when it is not a disk', async () => {
    const { sampler: stuck, clock } = sampler(laptop({ readTemperature: forever }), [
      'temperature',
      'memory',
    ]);
    const sample = stuck.sample();
    await settled();
    clock.advance(5000);
    const { missing, memory } = await sample;
    assert.deepEqual(missing, { temperature: 'timeout' });
    assert.equal(memory?.total, 8);
  });

  it('does not keep a node from closing', async () => {
    const { sampler: stuck } = sampler(laptop({ mounts: forever }), ['disks']);
    const sample = stuck.sample();
    await settled();
    stuck.stop();
    assert.deepEqual((await sample).missing, { disks: 'timeout' });
  });

  it('really hangs: a file system whose server never answers', async function () {
    needs(this, 'root', 'fuse');
    this.timeout(20_000);
    const folder = mkdtempSync(join(tmpdir(), 'potion-dead-'));
    // A FUSE mount served by nobody: statfs waits until the connection is closed.
    const server = openSync('/dev/fuse', 'r+');
    try {
      const options = 'fd=3,rootmode=40000,user_id=0,group_id=0';
      execFileSync('/bin/mount', ['-i', '-t', 'fuse', '-o', options, 'dead', folder], {
        stdio: ['ignore', 'ignore', 'inherit', server],
      });
      const real = new Sampler({ groups: ['disks', 'memory'], clock: systemClock, hddMount: folder });
      const sample = await real.sample();
      assert.equal(sample.missing[`disk:${folder}`], 'timeout');
      assert.ok(sample.disks?.['/'] && sample.memory);
      closeSync(server);
      await new Promise((resolve) => setTimeout(resolve, 50));
      assert.match((await real.sample()).missing[`disk:${folder}`] ?? '', /ENOTCONN/);
    } finally {
      execFileSync('/bin/umount', ['-l', folder]);
      rmdirSync(folder);
    }
  });
});

describe('this machine', () => {
  it('is sampled without starting a process', async () => {
    const all = new Sampler({ groups: GROUPS, clock: systemClock, hddMount: '/nowhere', sources: machine });
    await all.sample();
    const before = faultsOfChildren();
    const { memory, disks, uptime, loadAverage } = await all.sample();
    assert.equal(faultsOfChildren(), before);
    assert.ok(memory && disks?.['/'] && uptime && loadAverage?.length === 3);
    execFileSync('/bin/true');
    assert.notEqual(faultsOfChildren(), before, 'this would have noticed a process');
  });
});

/** Page faults of all processes that this one has started and that have ended, see proc_pid_stat(5). */
function faultsOfChildren(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return Number(fields[8]);
}

describe('rates', () => {
  it('are between 0 and 1 for any two readings of CPU time', () => {
    const times = fc.record({ busy: fc.nat(), total: fc.nat() });
    fc.assert(
      fc.property(times, times, (before, now) => {
        const load = cpuLoad(before, now);
        assert.ok(load === undefined ? now.total <= before.total : load >= 0 && load <= 1);
      }),
    );
  });

  it('leave out an interface that is new or whose counters began again', () => {
    const before = { eth0: { rx: 500, tx: 500 }, usb0: { rx: 900, tx: 900 } };
    const now = { eth0: { rx: 600, tx: 500 }, usb0: { rx: 10, tx: 10 }, wg0: { rx: 5, tx: 5 } };
    assert.deepEqual(networkRates(before, now, 10), { eth0: { rx: 10, tx: 0 } });
  });

  it('are measured over half a second at least, also when two samples follow each other at once', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(3000), { minLength: 1 }), (gaps) => {
        const baseline = new Baseline<number>();
        let at = 0;
        const spans = [0, ...gaps].map((gap) => {
          at += gap;
          return { at, before: baseline.next(at, at) };
        });
        for (const { at, before } of spans.filter(({ before }) => before)) {
          assert.ok((before?.seconds ?? 0) >= 0.5);
          assert.equal(at - (before?.counters ?? 0), Math.round((before?.seconds ?? 0) * 1000));
        }
        if (at >= 500) assert.ok(spans.at(-1)?.before, 'a rate is there once half a second has passed');
      }),
    );
  });
});

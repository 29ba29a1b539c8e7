import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { readPowerSupply } from '../../nodes/host/power-supply.js';
import {
  ancestorsOf,
  type ProcStatLine,
  parseStat,
  readOwner,
  readProcesses,
} from '../../nodes/host/process-table.js';
import { describeProcess, lookAt, ordered, sampleProcesses, units } from '../../nodes/host/processes.js';
import { isAlive, signalProcess } from '../../nodes/host/signal.js';

/** A line of /proc/<pid>/stat with these values. */
const stat = (pid: number, name: string, more: Partial<ProcStatLine> = {}) => {
  const { state = 'S', parent = 1, kernel = false, ticks = 7, threads = 1, start = 100, pages = 50 } = more;
  const flags = kernel ? 0x00200040 : 0x00400000;
  const before = `${pid} (${name}) ${state} ${parent} ${pid} ${pid} 0 -1 ${flags} 1 2 3 4 ${ticks} 0 5 6 20 0`;
  return `${before} ${threads} 0 ${start} 999999 ${pages} 18446744073709551615 1 1 0 0 0 0 0 0 0\n`;
};

describe('a line of /proc/<pid>/stat', () => {
  it('is read whatever the program calls itself', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 15 }), fc.nat(4_194_304), fc.nat(), (name, pid, start) => {
        const line = parseStat(stat(pid, name, { start, parent: 3, ticks: 11, pages: 12 }));
        assert.deepEqual(line, {
          pid,
          name,
          state: 'S',
          parent: 3,
          kernel: false,
          ticks: 11,
          threads: 1,
          start,
          pages: 12,
        });
      }),
    );
    assert.equal(parseStat(stat(9, ') R 1 (x'))?.name, ') R 1 (x');
    assert.equal(parseStat(stat(2, 'kthreadd', { kernel: true }))?.kernel, true);
  });

  it('is nothing when it is cut off or something else', () => {
    fc.assert(fc.property(fc.string(), (text) => assert.equal(parseStat(text), undefined)));
    assert.equal(parseStat(stat(9, 'x').slice(0, 40)), undefined);
  });
});

describe('the processes of this machine', () => {
  it('are all there, with this one among them, which names itself as the kernel does', () => {
    const own = readProcesses().get(process.pid);
    assert.equal(own?.parent, process.ppid);
    const owner = readOwner(process.pid);
    assert.equal(owner?.group, process.pid);
    assert.equal(owner?.uids[0], process.getuid?.());
    // The kernel's counters of the two files differ by what it has not summed up yet.
    const memory = (own?.pages ?? 0) * units().page;
    assert.ok(Math.abs(memory - process.memoryUsage.rss()) < 20e6, `${memory}`);
    assert.ok(ancestorsOf(process.pid, readProcesses()).includes(process.ppid));
  });

  it('show who is busy, and since when', async () => {
    const child = spawn('sh', ['-c', 'while :; do :; done'], { stdio: 'ignore' });
    const pid = child.pid ?? 0;
    try {
      const begun = Date.now();
      const snapshot = await sampleProcesses();
      const line = snapshot.lines.find((one) => one.pid === pid);
      assert.ok(line);
      const info = describeProcess(line, snapshot, Date.now());
      assert.ok(info.cpu > 0.1 && info.cpu < 1.3, `${info.cpu}`);
      assert.ok(Math.abs(info.startedAt - begun) < 1500, `${info.startedAt - begun}`);
      assert.equal(info.command, 'sh -c while :; do :; done');
      const again = await lookAt(pid, { start: info.start, now: Date.now() });
      assert.ok(again && again.cpu > 0.1);
      assert.equal(await lookAt(pid, { start: info.start + 1, now: Date.now() }), undefined);
      const byCpu = ordered(snapshot, 'cpu').map((one) => snapshot.used.get(one.pid) ?? 0);
      assert.deepEqual(
        byCpu,
        byCpu.toSorted((a, b) => b - a),
      );
      const byRam = ordered(snapshot, 'ram').map((one) => one.pages);
      assert.deepEqual(
        byRam,
        byRam.toSorted((a, b) => b - a),
      );
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('do not include threads', async () => {
    const { readdirSync } = await import('node:fs');
    const thread = readdirSync('/proc/self/task')
      .map(Number)
      .find((id) => id !== process.pid);
    assert.ok(thread);
    assert.equal(readProcesses().has(thread), false);
    assert.equal(await lookAt(thread, { now: Date.now() }), undefined);
  });

  it('get a signal only when they are the one that is meant', async () => {
    const child = spawn('sleep', ['60'], { stdio: 'ignore' });
    const pid = child.pid ?? 0;
    const start = readProcesses().get(pid)?.start ?? 0;
    assert.equal(signalProcess(pid, start + 1, 'SIGKILL'), 'gone');
    assert.equal(child.killed || child.signalCode !== null, false);
    assert.equal(signalProcess(pid, start, 0), 'sent');
    assert.equal(isAlive(pid, start), true);
    const ended = new Promise((resolve) => child.once('exit', (_code, signal) => resolve(signal)));
    assert.equal(signalProcess(pid, start, 'SIGTERM'), 'sent');
    assert.equal(await ended, 'SIGTERM');
    assert.equal(signalProcess(pid, start, 'SIGTERM'), 'gone');
    assert.equal(isAlive(pid, start), false);
  });
});

describe('a tree of processes elsewhere', () => {
  let proc = '';
  const put = (pid: number, file: string, text: string) => {
    mkdirSync(join(proc, String(pid)), { recursive: true });
    writeFileSync(join(proc, String(pid), file), text);
  };
  beforeEach(() => {
    proc = mkdtempSync(join(tmpdir(), 'potion-proc-'));
  });
  afterEach(() => rmSync(proc, { recursive: true, force: true }));

  it('is read with 500 processes in a moment', () => {
    for (let pid = 1; pid <= 500; pid++) put(pid, 'stat', stat(pid, `p${pid}`));
    put(501, 'comm', 'hidden');
    readProcesses(proc);
    const started = performance.now();
    assert.equal(readProcesses(proc).size, 500);
    const took = performance.now() - started;
    assert.ok(took < 250, `${took} ms`);
  });

  it('masks what looks like a secret, and lets no name break the line', () => {
    const line = parseStat(stat(7, 'evil\n\u202ename')) as ProcStatLine;
    put(7, 'status', 'Name:\tx\nTgid:\t7\nUid:\t0\t0\t0\t0\nVmRSS:\t12 kB\n');
    put(7, 'cmdline', 'db\0--password=hunter2\0--token\0abc\0--api-key:k1\0a\nb\0');
    put(7, 'cgroup', '0::/system.slice/web.service\n');
    const info = describeProcess(line, { used: new Map(), seconds: 0 }, Date.now(), proc);
    assert.equal(info.name, 'evil name');
    assert.equal(info.command, 'db --password=••• --token ••• --api-key:••• a b');
    assert.equal(info.unit, 'web.service');
    assert.equal(info.user, 'root');
  });
});

describe('what a machine lives on', () => {
  let folder = '';
  const put = (name: string, files: Record<string, string>) => {
    mkdirSync(join(folder, name));
    for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, name, file), `${text}\n`);
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'potion-supply-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is its battery and the mains, not the battery of a mouse', () => {
    put('AC', { type: 'Mains', online: '0' });
    put('BAT0', { type: 'Battery', capacity: '54', status: 'Discharging' });
    put('hidpp_battery_0', { type: 'Battery', scope: 'Device', capacity: '90' });
    assert.deepEqual(readPowerSupply(folder), { battery: 0.54, mains: false });
  });

  it('is not known where nothing says so', () => {
    assert.deepEqual(readPowerSupply(folder), { battery: null, mains: null });
    assert.deepEqual(readPowerSupply(join(folder, 'none')), { battery: null, mains: null });
  });
});

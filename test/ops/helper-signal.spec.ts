import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { type ProcStatLine, readProcess } from '../../nodes/host/process-table.js';
import { checkedArgs, Refusal, wholeNumber } from '../../ops/helper/request.js';
import { judge, SIGNAL_EXIT, type Subject } from '../../ops/helper/signal.js';
import { verbNamed } from '../../ops/helper/verbs.js';
import { HOME } from '../support/node-red.ts';

const line = (more: Partial<ProcStatLine> = {}): ProcStatLine => ({
  pid: 700,
  name: 'ffmpeg',
  state: 'R',
  parent: 1,
  kernel: false,
  ticks: 1,
  threads: 1,
  start: 55,
  pages: 1,
  ...more,
});

const SESSION = '0::/user.slice/user-1000.slice/session-2.scope\n';

const subject = (more: Partial<Subject> = {}, of: Partial<ProcStatLine> = {}): Subject => ({
  pid: 700,
  line: line(of),
  owner: { group: 700, uids: [1000, 1000, 1000, 1000], memory: 0 },
  cgroup: SESSION,
  ...more,
});

const owned = (...uids: number[]) => subject({ owner: { group: 700, uids, memory: 0 } });
const inside = (path: string) => subject({ cgroup: `0::${path}\n` });

describe('what the helper may end', () => {
  it('is what a person has started, in a login or in the desktop', () => {
    assert.equal(judge(subject(), 55), 'may');
    for (const path of [
      '/user.slice/user-1000.slice/session-c1.scope',
      '/user.slice/user-1000.slice/user@1000.service/app.slice/app-firefox-1.scope',
      '/user.slice/user-1000.slice/user@1000.service/background.slice/x.service',
    ])
      assert.equal(judge(inside(path), 55), 'may', path);
    const hybrid = '12:pids:/x\n1:name=systemd:/user.slice/user-1000.slice/session-2.scope\n';
    assert.equal(judge(subject({ cgroup: hybrid }), 55), 'may');
  });

  it('is nothing of the system, of services, of containers, of the desktop itself, of another user', () => {
    for (const path of [
      '/',
      '/init.scope',
      '/system.slice/ssh.service',
      '/system.slice/docker-abc.scope',
      '/machine.slice/x.scope',
      '/user.slice',
      '/user.slice/user-1000.slice',
      '/user.slice/user-1000.slice/other.scope',
      '/user.slice/user-1001.slice/session-2.scope',
      '/user.slice/user-1000.slice/user@1000.service/init.scope',
      '/user.slice/user-1000.slice/user@1000.service/session.slice/dbus.service',
      '/user.slice/user-1000.slice/user@1001.service/app.slice/x.scope',
      '/x/user.slice/user-1000.slice/session-2.scope',
      '/user.slice/user-1000.slice/../../system.slice/session-2.scope',
      '/user.slice/user-1000.slice/session-2.scope.d',
    ])
      assert.equal(judge(inside(path), 55), 'guarded', path);
    assert.equal(judge(subject({ cgroup: '' }), 55), 'guarded');
  });

  it('is nobody’s but a person’s: not root’s, not the system’s users’, not one that becomes another user', () => {
    for (const uids of [
      [0, 0, 0, 0],
      [33, 33, 33, 33],
      [999, 999, 999, 999],
      [65_534, 65_534, 65_534, 65_534],
      [100_000, 100_000, 100_000, 100_000],
      [1000, 0, 0, 0],
      [1000, 1000, 0, 1000],
      [0, 1000, 1000, 1000],
    ])
      assert.equal(judge(owned(...uids), 55), 'guarded', uids.join());
  });

  it('is not what a login hangs on, whatever else fits', () => {
    for (const name of ['systemd', '(sd-pam)', 'sshd', 'sshd-session', 'dbus-daemon', 'login', 'plasmashell'])
      assert.equal(judge(subject({}, { name }), 55), 'guarded', name);
  });

  it('is the one that was shown, and no thread', () => {
    assert.equal(judge(subject(), 56), 'gone');
    assert.equal(judge(subject({ line: undefined }), 55), 'gone');
    assert.equal(judge(subject({ owner: undefined }), 55), 'gone');
    assert.equal(
      judge(subject({ owner: { group: 699, uids: [1000, 1000, 1000, 1000], memory: 0 } }), 55),
      'gone',
    );
    assert.equal(judge(subject({}, { kernel: true }), 55), 'guarded');
  });

  it('keeps to that whatever a process looks like', () => {
    const any = fc.record({
      pid: fc.integer({ min: 1, max: 3 }),
      of: fc.integer({ min: 1, max: 3 }),
      start: fc.integer({ min: 0, max: 2 }),
      name: fc.constantFrom('ffmpeg', 'sshd', 'systemd', 'bash'),
      kernel: fc.boolean(),
      uids: fc.tuple(...[0, 1, 2, 3].map(() => fc.constantFrom(0, 33, 1000, 1000, 1000, 100_000))),
      cgroup: fc.constantFrom(
        SESSION,
        '0::/system.slice/a.service\n',
        '0::/\n',
        '',
        '0::/user.slice/user-0.slice/session-1.scope\n',
      ),
    });
    fc.assert(
      fc.property(
        any,
        fc.integer({ min: 0, max: 2 }),
        ({ pid, of, start, name, kernel, uids, cgroup }, asked) => {
          const verdict = judge(
            { pid, line: line({ pid, start, name, kernel }), owner: { group: of, uids, memory: 0 }, cgroup },
            asked,
          );
          if (verdict !== 'may') return;
          assert.ok(pid > 1 && pid === of && start === asked && !kernel);
          assert.deepEqual(uids, [1000, 1000, 1000, 1000]);
          assert.equal(cgroup, SESSION);
          assert.ok(['ffmpeg', 'bash'].includes(name));
        },
      ),
      { numRuns: 5000 },
    );
  });
});

describe('a request to end a process', () => {
  const verb = verbNamed('process.signal', 'processes');
  const refused = (args: Record<string, unknown>) => {
    try {
      checkedArgs(args, verb.args);
    } catch (thrown) {
      assert.ok(thrown instanceof Refusal, String(thrown));
      return thrown.reason;
    }
    return 'let through';
  };

  it('has a process, its start and one of three words', () => {
    assert.deepEqual(checkedArgs({ pid: 7, start: 0, signal: 'TERM' }, verb.args), ['7', '0', 'TERM']);
    const good = { pid: 7, start: 5, signal: 'KILL' };
    for (const wrong of [
      ...[0, 1, -1, -7, 1.5, '7', '7 1', null, [7], 4_194_305, Number.NaN].map((pid) => ({ ...good, pid })),
      ...[-1, 1.5, '5', null, 1e15, Number.POSITIVE_INFINITY].map((start) => ({ ...good, start })),
      ...['HUP', 'STOP', 'term', 'SIGKILL', 9, '', null, ['TERM']].map((signal) => ({ ...good, signal })),
    ])
      assert.equal(refused(wrong), 'request', JSON.stringify(wrong));
    fc.assert(
      fc.property(fc.anything(), (pid) => Number.isInteger(pid) || refused({ ...good, pid }) === 'request'),
    );
    assert.throws(() => wholeNumber(1, 2)(3), Refusal);
  });

  it('is served by its own service alone', () => {
    for (const group of ['devices', 'packages'] as const)
      assert.throws(() => verbNamed('process.signal', group), Refusal);
    for (const name of ['smartctl.read', 'apt.upgrade'] as const)
      assert.throws(() => verbNamed(name, 'processes'), Refusal);
  });
});

describe('the program that signals', () => {
  const children: ChildProcess[] = [];
  after(() => {
    for (const child of children) child.kill('SIGKILL');
  });
  const sleeper = () => {
    const child = spawn('sleep', ['60'], { stdio: 'ignore' });
    children.push(child);
    const pid = child.pid ?? 0;
    return { child, pid, start: readProcess(pid)?.start ?? 0 };
  };
  const signal = (...args: (string | number)[]) =>
    spawnSync(process.execPath, ['--jitless', join(HOME, 'ops/helper/signal.js'), ...args.map(String)])
      .status;

  it('leaves alone what is not in a session of a person', () => {
    const { child, pid, start } = sleeper();
    for (const word of ['CHECK', 'TERM', 'KILL']) assert.equal(signal(pid, start, word), SIGNAL_EXIT.guarded);
    assert.equal(child.signalCode, null);
    assert.ok(readProcess(pid));
  });

  it('does nothing about another process, a thread, or what makes no sense', () => {
    const { pid, start } = sleeper();
    assert.equal(signal(pid, start + 1, 'TERM'), SIGNAL_EXIT.gone);
    assert.equal(signal(4_194_303, 5, 'KILL'), SIGNAL_EXIT.gone);
    const thread =
      readdirSync('/proc/self/task')
        .map(Number)
        .find((id) => id !== process.pid) ?? 0;
    assert.equal(signal(thread, readProcess(thread)?.start ?? 0, 'TERM'), SIGNAL_EXIT.gone);
    for (const args of [
      [],
      [pid],
      [pid, start],
      [pid, start, 'HUP'],
      [`-${pid}`, start, 'TERM'],
      [pid, 'x', 'TERM'],
      ['', '', 'TERM'],
    ])
      assert.equal(signal(...args), SIGNAL_EXIT.malformed, args.join());
    assert.ok(readProcess(pid));
  });
});

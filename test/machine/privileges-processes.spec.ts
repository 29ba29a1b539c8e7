import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { needs } from '../support/needs.ts';
import { HOME } from '../support/node-red.ts';
import { Driver, InsideError, until } from './driver.ts';
import type { Machine } from './machine.ts';
import { bootPrivileged } from './privileged.ts';

const SOCKET = '/run/potion-processes.sock';
const UID = 1234;
const SLICE = `user-${UID}.slice`;

/** What a helper that somebody has taken over might try; each must fail. */
const PROBES = [
  'cat /etc/shadow',
  'cat /etc/potion/potion.env',
  'ls /var/lib/potion',
  'ls /root',
  'touch /etc/evil',
  'touch /opt/potion/evil',
  'mount -t tmpfs tmpfs /mnt',
  'unshare --mount true',
  'setpriv --reuid 1 true',
  'cat /proc/1/environ',
  'cat /proc/meminfo',
  'perl -MSocket -e "socket(S, PF_INET, SOCK_STREAM, 0) or die"',
  'busctl call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager Reload',
];

/** The helper's own unit, with these attempts in the helper's place. */
function probe(): string {
  const unit = readFileSync(join(HOME, 'ops/install/files/systemd/potion-processes@.service'), 'utf8');
  return unit
    .replace(/^ExecStart=.*$/m, 'ExecStart=/bin/sh /srv/probe.sh')
    .replace('StandardInput=socket', 'Type=oneshot')
    .replace('RuntimeDirectory=potion-processes/%i', 'RuntimeDirectory=potion-probe')
    .replace(/^RuntimeMaxSec=.*$/m, '');
}

const TRY_ALL = `PATH=/usr/sbin:/usr/bin
${PROBES.map((line) => `if said=$(${line} 2>&1 </dev/null); then echo 'let through: ${line}'; echo "$said"; fi`).join('\n')}
echo finished
`;

describe("Potion's helper for processes, on a booted machine", function () {
  this.timeout(60_000);
  let machine: Machine;
  let potion: Driver;

  before(async function () {
    needs(this, 'root', 'systemd-nspawn');
    machine = await bootPrivileged([], {
      units: {
        'probe.service': probe(),
        'db.service': `[Service]\nUser=${UID}\nExecStart=/bin/sleep infinity\n`,
      },
      files: { '/etc/potion/potion.env': 'HELPER_VERBS=""\n', '/srv/probe.sh': TRY_ALL },
    });
    await machine.run(['useradd', '--uid', String(UID), '--create-home', 'dre']);
    potion = new Driver(machine, 'rights', { user: 'potion' });
  });

  after(async () => {
    potion?.stop();
    await machine?.stop();
  });

  let scopes = 0;
  /** Starts a program in a scope, as systemd does for a login; its process id and start. */
  const start = async (script: string, { uid = UID, slice = SLICE, scope = 'session-t' } = {}) => {
    const unit = `${scope}${++scopes}.scope`;
    const file = `/tmp/${unit}.pid`;
    // Not through machine.run: a scope lives as long as the program in it.
    machine.spawn([
      ...['systemd-run', '--quiet', '--scope', `--slice=${slice}`, `--unit=${unit}`],
      ...['sh', '-c', `echo $$ > ${file}; exec setpriv --reuid ${uid} --clear-groups ${script}`],
    ]);
    const pid = await until(async () => {
      const found = Number((await machine.exec(['cat', file])).stdout);
      const { stdout } = await machine.exec(['cat', `/proc/${found}/status`]);
      return found > 0 && new RegExp(`^Name:\\s+(?!sh|setpriv)[\\s\\S]*^Uid:\\s+${uid}\\s`, 'm').test(stdout)
        ? found
        : undefined;
    });
    return { pid, start: await startOf(pid) };
  };
  const startOf = async (pid: number) =>
    Number((await machine.run(['cat', `/proc/${pid}/stat`])).replace(/^.*\) /, '').split(' ')[19]);
  const alive = async (pid: number) => (await machine.exec(['test', '-d', `/proc/${pid}`])).code === 0;
  const signal = (args: object, driver = potion) => driver.ask('helper', 'process.signal', args);
  const failure = async (args: object, driver = potion) => {
    const thrown = await signal(args, driver).catch((error: InsideError) => error);
    assert.ok(thrown instanceof InsideError, `${JSON.stringify(args)} was carried out`);
    return thrown;
  };

  it('ends what a person has started, and looks first when asked to', async () => {
    const one = await start('sleep 5551');
    await signal({ ...one, signal: 'CHECK' });
    assert.ok(await alive(one.pid));
    await signal({ ...one, signal: 'TERM' });
    await until(async () => ((await alive(one.pid)) ? undefined : true));
    assert.equal((await failure({ ...one, signal: 'TERM' })).code, 'NOT_FOUND');
    const stubborn = await start(`sh -c 'trap "" TERM; exec sleep 5552'`.replace('sh -c', 'env -- sh -c'));
    await signal({ ...stubborn, signal: 'TERM' });
    await signal({ ...stubborn, signal: 'KILL' });
    await until(async () => ((await alive(stubborn.pid)) ? undefined : true));
  });

  it('leaves everything else alone', async () => {
    await machine.run(['systemctl', 'start', 'db.service']);
    const db = Number(await machine.run(['systemctl', 'show', '-P', 'MainPID', 'db']));
    const journald = Number(await machine.run(['systemctl', 'show', '-P', 'MainPID', 'systemd-journald']));
    const subjects: [string, { pid: number; start: number }][] = [
      ['a service that runs as a person', { pid: db, start: await startOf(db) }],
      ['a part of the system', { pid: journald, start: await startOf(journald) }],
      ['root in a session', await start('sleep 5553', { uid: 0 })],
      ['a user of the system in a session', await start('sleep 5554', { uid: 33 })],
      ['a user of a container in a session', await start('sleep 5555', { uid: 100_033 })],
      ['a person in the slice of another', await start('sleep 5556', { slice: 'user-4321.slice' })],
      ['a person outside of sessions', await start('sleep 5557', { slice: 'system.slice', scope: 'job' })],
    ];
    for (const [what, one] of subjects)
      for (const word of ['CHECK', 'TERM', 'KILL']) {
        const { code, message } = await failure({ ...one, signal: word });
        assert.equal(code, 'DENIED', `${what}: ${message}`);
        assert.ok(await alive(one.pid), what);
      }
  });

  it('takes no other process for the one that was meant, and no thread', async () => {
    const one = await start('sleep 5558');
    assert.equal((await failure({ pid: one.pid, start: one.start - 1, signal: 'KILL' })).code, 'NOT_FOUND');
    assert.equal((await failure({ pid: 4_000_000, start: 1, signal: 'KILL' })).code, 'NOT_FOUND');
    assert.ok(await alive(one.pid));
  });

  it('answers what makes no sense with a refusal', async () => {
    for (const args of [
      { pid: 1, start: 0, signal: 'KILL' },
      { pid: -1, start: 0, signal: 'KILL' },
      { pid: 0, start: 0, signal: 'KILL' },
      { pid: '700 1', start: 0, signal: 'KILL' },
      { pid: 700, start: 0, signal: 'HUP' },
      { pid: 700, start: 0, signal: 'KILL', all: true },
      { pid: 700, start: 0 },
      {},
    ])
      assert.equal((await failure(args)).code, 'INVALID', JSON.stringify(args));
    for (const text of ['hello\n', '{"verb":"apt.upgrade","args":{}}\n', `${'x'.repeat(5000)}\n`]) {
      const answer = await potion.ask<string>('raw', SOCKET, Buffer.from(text).toString('base64'));
      assert.match(answer.split('\n')[0] ?? '', /"reason":"request"/);
    }
  });

  it('is for Potion alone', async () => {
    const other = new Driver(machine, 'rights', { user: 'other' });
    try {
      assert.equal(await other.ask('raw', SOCKET, Buffer.from('{}\n').toString('base64')), 'EACCES');
      assert.equal((await failure({ pid: 700, start: 0, signal: 'KILL' }, other)).code, 'DENIED');
    } finally {
      other.stop();
    }
  });

  it('keeps a line of every request and its end', async () => {
    const one = await start('sleep 5559');
    await signal({ ...one, signal: 'TERM' });
    const log = await until(async () => {
      const said = await machine.run(['journalctl', '--output=cat', '-t', 'potion-processes']);
      return said.includes(`\\"pid\\":${one.pid},`) ? said : undefined;
    });
    assert.match(log, /request \{"line":"\{\\"verb\\":\\"process\.signal\\"/);
  });

  it('does it only while the administrator lets it', async () => {
    const one = await start('sleep 5560');
    await machine.writeFile('/etc/potion/potion.env', 'HELPER_VERBS="apt.list"\n', '600');
    const { code, hint } = await failure({ ...one, signal: 'TERM' });
    assert.equal(code, 'DENIED');
    assert.match(hint, /process\.signal into HELPER_VERBS/);
    assert.ok(await alive(one.pid));
  });

  it('could do nothing else, were it taken over', async () => {
    await machine.run(['systemctl', 'start', 'probe.service']);
    const log = await machine.run(['journalctl', '--output=cat', '--unit=probe', '-t', 'potion-processes']);
    assert.deepEqual(log.split('\n'), ['finished']);
  });

  it('is fenced in: little that root may do is left to it', async function () {
    const said = await machine.exec([
      'systemd-analyze',
      'security',
      '--no-pager',
      'potion-processes@.service',
    ]);
    const level = Number(/exposure level for \S+: ([\d.]+)/.exec(said.stdout)?.[1]);
    assert.ok(level < 2, said.stdout.slice(-200));
    if (this.test) this.test.title += ` (exposure ${level})`;
  });
});

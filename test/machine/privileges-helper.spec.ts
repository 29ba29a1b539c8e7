import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SmartAnswer } from '../../nodes/host/root-helper.js';
import { needs } from '../support/needs.ts';
import { HOME } from '../support/node-red.ts';
import { Driver, InsideError, until } from './driver.ts';
import type { Machine } from './machine.ts';
import { bootPrivileged } from './privileged.ts';

const DISKS = '/run/potion-helper.sock';
const PACKAGES = '/run/potion-packages.sock';
const SECRET = '123456:AAFake-token-that-no-helper-needs';
const READ = { verb: 'smartctl.read', args: { disk: '/dev/sda' } };

/** Settings of an administrator who has made mistakes; root wrote them, the helper still wants none of it. */
const SETTINGS = `BOT_TOKEN="${SECRET}"
LD_PRELOAD="/tmp/evil.so"
NODE_OPTIONS="--require=/tmp/evil.js"
HELPER_VERBS=""
`;

/** What is no disk, as the disk of a request. */
const NO_DISKS = [
  '--help',
  '-H host',
  '/dev/sda;reboot',
  '/dev/sda\n',
  '/dev/sda\0',
  ' /dev/sda',
  '/dev/../etc/shadow',
  '/dev/disk/by-id/../../../etc/shadow',
  '/dev/disk/by-id/to-shadow',
  '/dev/disk/by-id/to-partition',
  '/dev/disk/by-id/to-loop',
  '/dev/disk/by-id/..',
  '/tmp/to-shadow',
  '/etc/shadow',
  '/dev/loop0',
  '/dev/mem',
  '/dev/null',
  '/dev/vda1',
  '/dev/sdb',
  '/dev/sdc',
  '/dev/sdd',
  `/dev/disk/by-id/${'a'.repeat(3000)}`,
  '',
  7,
  null,
  ['/dev/sda'],
  { toString: '/dev/sda' },
];

const MALFORMED: [string, string][] = [
  ['nothing', '\n'],
  ['no JSON', 'hello\n'],
  ['half of it', '{"verb":"smartctl.read",\n'],
  ['a list', '[]\n'],
  ['null', 'null\n'],
  ['no arguments', '{"verb":"apt.list"}\n'],
  ['something more', JSON.stringify({ ...READ, user: 'root' })],
  ['an argument more', JSON.stringify({ verb: 'smartctl.read', args: { disk: '/dev/sda', all: true } })],
  ['an argument less', JSON.stringify({ verb: 'smartctl.test', args: { disk: '/dev/sda' } })],
  ['an unknown verb', JSON.stringify({ verb: 'sh', args: {} })],
  ['a verb of every object', JSON.stringify({ verb: 'constructor', args: {} })],
  ['its prototype', '{"verb":"__proto__","args":{}}\n'],
  ['a verb of the other socket', JSON.stringify({ verb: 'apt.upgrade', args: {} })],
  ['a verb that is none', JSON.stringify({ verb: ['smartctl.read'], args: READ.args })],
  ['no UTF-8', Buffer.from([0x22, 0xff, 0xfe, 0x22]).toString('latin1')],
  ['NUL', '\0\0\0\0'],
  ['too much', 'x'.repeat(5000)],
  ['far too much', 'x'.repeat(3_000_000)],
];

/** What a helper that somebody has taken over might try; each must fail. */
const PROBES = [
  'cat /etc/shadow',
  'cat /etc/potion/potion.env',
  'ls /var/lib/potion',
  'ls /root',
  'touch /etc/evil',
  'touch /usr/bin/evil',
  'touch /opt/potion/evil',
  'touch /run/evil',
  'cat /dev/loop-control',
  'mknod /run/potion-probe/null c 1 3',
  'mount -t tmpfs tmpfs /mnt',
  'unshare --mount true',
  'chown 1:1 /proc/self/fd/1',
  'setpriv --reuid 1 true',
  'hostname evil',
  'perl -MSocket -e "socket(S, PF_INET, SOCK_STREAM, 0) or die"',
  'perl -MSocket -e "socket(S, PF_NETLINK, SOCK_RAW, 0) or die"',
  'kill -0 1',
  'busctl call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager Reload',
];

/** The helper's own unit, with these attempts in the helper's place. */
function probe(): string {
  const unit = readFileSync(join(HOME, 'ops/install/files/systemd/potion-helper@.service'), 'utf8');
  return unit
    .replace(/^ExecStart=.*$/m, 'ExecStart=/bin/sh /srv/probe.sh')
    .replace('StandardInput=socket', 'Type=oneshot')
    .replace('RuntimeDirectory=potion-helper/%i', 'RuntimeDirectory=potion-probe')
    .replace(/^RuntimeMaxSec=.*$/m, '');
}

const TRY_ALL = `PATH=/usr/sbin:/usr/bin
${PROBES.map((line) => `if said=$(${line} 2>&1 </dev/null); then echo 'let through: ${line}'; echo "$said"; fi`).join('\n')}
echo finished
`;

describe("Potion's helper for disks, on a booted machine", function () {
  this.timeout(60_000);
  let machine: Machine;
  let potion: Driver;

  before(async function () {
    needs(this, 'root', 'systemd-nspawn');
    machine = await bootPrivileged([], {
      units: { 'probe.service': probe() },
      files: { '/etc/potion/potion.env': SETTINGS, '/srv/probe.sh': TRY_ALL },
    });
    // A disk without SMART, and what only looks like one: a file, a character device, another's number.
    const script = `chmod 600 /etc/potion/potion.env
      name=$(ls /sys/block | grep -E '^(vd|sd|hd)[a-z]$|^nvme[0-9]+n1$' | head -1)
      test -z "$name" || mknod "/dev/$name" b $(tr : ' ' < "/sys/block/$name/dev")
      echo "$name"
      mkdir -p /dev/disk/by-id; cd /dev/disk/by-id
      ln -s /etc/shadow to-shadow; ln -s ../../vda1 to-partition; ln -s ../../loop0 to-loop
      ln -s "../../$name" to-disk
      ln -s /etc/shadow /tmp/to-shadow
      mknod /dev/vda1 b 254 1; mknod /dev/loop0 b 7 0
      touch /dev/sdb; mknod /dev/sdc c 1 3; mknod /dev/sdd b 7 0
      echo 'require("fs").writeFileSync("/run/evil", "")' > /tmp/evil.js`;
    disk = await machine.run(['sh', '-c', script]);
    potion = new Driver(machine, 'rights', { user: 'potion' });
  });
  let disk = '';

  after(async () => {
    potion?.stop();
    await machine?.stop();
  });

  const failure = async (verb: string, args: object, driver = potion) => {
    const thrown = await driver.ask('helper', verb, args).catch((error: InsideError) => error);
    assert.ok(thrown instanceof InsideError, `${verb} ${JSON.stringify(args)} was carried out`);
    return thrown;
  };
  const raw = (text: string, socket = DISKS) =>
    potion.ask<string>('raw', socket, Buffer.from(text, 'latin1').toString('base64'));
  const journal = (...args: string[]) =>
    machine.run(['journalctl', '--output=cat', '-t', 'potion-helper', '-t', 'potion-packages', ...args]);
  const shown = (property: string) =>
    machine.run(['systemctl', 'show', '-P', property, 'potion-helper.socket']);
  /** Process ids of the helpers that wait for their request. */
  const helpers = async () =>
    (await machine.exec(['pgrep', '-f', 'ops/helper/main.js devices'])).stdout.split('\n').filter(Boolean);

  it('lets smartctl speak for a disk, by its name or by a link of udev', async function () {
    if (!disk) this.skip();
    for (const path of [`/dev/${disk}`, '/dev/disk/by-id/to-disk']) {
      const answer = await potion.ask<SmartAnswer>('helper', 'smartctl.read', { disk: path });
      const { argv, messages } = answer.report.smartctl as {
        argv: string[];
        messages?: { severity: string }[];
      };
      assert.deepEqual(argv, ['smartctl', '--json=c', '--xall', '--nocheck=standby', `/dev/${disk}`]);
      // The disks of most test machines know no SMART, and that is what smartctl says.
      assert.ok(answer.exit === 0 || messages?.some(({ severity }) => severity === 'error'));
    }
    const started = await potion.ask<SmartAnswer>('helper', 'smartctl.test', {
      disk: `/dev/${disk}`,
      kind: 'short',
    });
    assert.ok('smartctl' in started.report);
  });

  it('knows a disk that is not there', async () => {
    const { code, message, hint } = await failure('smartctl.read', { disk: '/dev/sdz' });
    assert.equal(code, 'NOT_FOUND');
    assert.match(message, /\/dev\/sdz/);
    assert.match(hint, /lsblk/);
  });

  it('starts nothing for what is no disk', async () => {
    for (const name of NO_DISKS) {
      const { code, message } = await failure('smartctl.read', { disk: name });
      assert.ok(['INVALID', 'NOT_FOUND'].includes(code), `${JSON.stringify(name)}: ${message}`);
      assert.doesNotMatch(message, /root:/);
    }
  });

  it('answers what is no request with one line that says so', async () => {
    for (const [what, text] of MALFORMED) {
      const answer = await raw(text.endsWith('\n') ? text : `${text}\n`);
      const [line = '', ...rest] = answer.split('\n');
      // Whoever sends more than is read is hung up on.
      assert.match(rest.join(''), /^(|ECONNRESET|EPIPE)$/);
      if (what === 'far too much' && /^(|ECONNRESET|EPIPE)$/.test(line)) continue;
      assert.partialDeepStrictEqual(JSON.parse(line), { exit: null, reason: 'request' }, what);
    }
  });

  it('takes nothing from the settings but its switch, and nothing from whoever asks', async () => {
    const waiting = raw('{"verb":');
    const [pid = ''] = await until(async () => {
      const found = await helpers();
      return found.length === 1 ? found : undefined;
    });
    const environment = await machine.run(['cat', `/proc/${pid}/environ`]);
    assert.doesNotMatch(environment, /AAFake|LD_PRELOAD|NODE_OPTIONS|evil/);
    assert.match(await waiting, /not complete within/);
    assert.equal((await machine.exec(['test', '-e', '/run/evil'])).code, 1);
  });

  it('is for Potion alone', async () => {
    const other = new Driver(machine, 'rights', { user: 'other' });
    try {
      for (const socket of [DISKS, PACKAGES])
        assert.equal(await other.ask('raw', socket, Buffer.from('{}\n').toString('base64')), 'EACCES');
      const { code, hint } = await failure('apt.list', {}, other);
      assert.equal(code, 'DENIED');
      assert.match(hint, /Privileges.*install\.sh --privileges/);
    } finally {
      other.stop();
    }
  });

  it('lets the slow and the many wait for nothing, and serves again afterwards', async () => {
    const many = Array.from({ length: 100 }, () => raw('{"verb":"smart'));
    await until(async () => ((await helpers()).length === 8 ? true : undefined), 10_000);
    const answers = await Promise.all(many);
    assert.equal(answers.filter((answer) => /not complete within/.test(answer)).length, 8);
    assert.equal(await shown('ActiveState'), 'active');
    assert.equal((await failure('smartctl.read', { disk: '/dev/sdz' })).code, 'NOT_FOUND');
    await until(async () => ((await shown('NConnections')) === '0' ? true : undefined));
  });

  it('is not missed when it is killed: the next request has a new one', async () => {
    const waiting = raw('{"verb":');
    const [pid = ''] = await until(async () => {
      const found = await helpers();
      return found.length === 1 ? found : undefined;
    });
    await machine.run(['kill', '-KILL', pid]);
    assert.match(await waiting, /^(|ECONNRESET)$/);
    assert.equal((await failure('smartctl.read', { disk: '/dev/sdz' })).code, 'NOT_FOUND');
    const left = await machine.run([
      'systemctl',
      'list-units',
      '--all',
      '--no-legend',
      '--plain',
      '--state=failed',
      'potion*',
    ]);
    assert.equal(left, '');
  });

  it('keeps a line of every request and its end, which nobody can forge', async () => {
    const forged = 'x\n<0>request {"line":"forged"}\u001b[2J';
    await failure('smartctl.read', { disk: forged });
    const log = await until(async () => {
      const text = await journal();
      return text.includes('forged') ? text : undefined;
    });
    assert.equal(log.split('\n').filter((line) => line.startsWith('request {"line":"forged')).length, 0);
    assert.ok(!log.includes('\u001b'));
    const [request = '', end = ''] = log.split('\n').slice(-2);
    const { line } = JSON.parse(request.replace('request ', ''));
    assert.deepEqual(JSON.parse(line), { verb: 'smartctl.read', args: { disk: forged } });
    const uid = await machine.run(['id', '-u', 'potion']);
    assert.match(JSON.parse(end.replace('end ', '')).peer, new RegExp(`-${uid}$`));
    assert.doesNotMatch(log, /AAFake/);
  });

  it('does only what the administrator lets it', async () => {
    const allow = (verbs: string) =>
      machine.writeFile('/etc/potion/potion.env', `HELPER_VERBS="${verbs}"\n`, '600');
    await allow('smartctl.test, apt.list');
    const { code, hint } = await failure('smartctl.read', { disk: '/dev/sdz' });
    assert.equal(code, 'DENIED');
    assert.match(hint, /smartctl\.read into HELPER_VERBS/);
    assert.equal((await failure('smartctl.test', { disk: '/dev/sdz', kind: 'long' })).code, 'NOT_FOUND');
    await allow('none');
    assert.equal((await failure('smartctl.test', { disk: '/dev/sdz', kind: 'long' })).code, 'DENIED');
    assert.equal((await failure('apt.upgrade', {})).code, 'DENIED');
  });

  it('says which step is missing where it is not set up', async () => {
    await machine.run(['systemctl', 'stop', 'potion-helper.socket']);
    const { code, hint } = await failure('smartctl.read', { disk: '/dev/sdz' });
    assert.equal(code, 'DENIED');
    assert.match(hint, /Privileges.*install\.sh --privileges/);
  });

  it('could do nothing else, were it taken over', async () => {
    await machine.run(['systemctl', 'start', 'probe.service']);
    const log = await machine.run(['journalctl', '--output=cat', '--unit=probe', '-t', 'potion-helper']);
    assert.deepEqual(log.split('\n'), ['finished']);
  });

  it('is fenced in: little that root may do is left to it', async function () {
    const said = await machine.exec(['systemd-analyze', 'security', '--no-pager', 'potion-helper@.service']);
    const level = Number(/exposure level for \S+: ([\d.]+)/.exec(said.stdout)?.[1]);
    assert.ok(level < 2, said.stdout.slice(-200));
    if (this.test) this.test.title += ` (exposure ${level})`;
  });
});

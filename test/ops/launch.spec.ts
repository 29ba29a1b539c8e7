import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { serviceManager } from '../../ops/runtime/systemd-socket.js';
import { HOME } from '../support/node-red.ts';

const LAUNCH = join(HOME, 'ops', 'runtime', 'launch');
/** Prints each datagram that comes as one line, with the process that sent it, as systemd sees it. */
const RECEIVER = `
use strict; use Socket; $| = 1;
my $path = shift; $path =~ s/^@/\\0/;
socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die; bind($s, pack_sockaddr_un($path)) or die $!;
print "ready\\n";
while (defined recv($s, my $text, 65536, 0)) { $text =~ s/\\n/|/g; print "$text\\n"; }
`;

describe('the way to systemd', () => {
  let folder: string;
  let receiver: ChildProcess | undefined;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'potion-launch-'));
  });
  afterEach(() => {
    receiver?.kill('SIGKILL');
    receiver = undefined;
    rmSync(folder, { recursive: true });
  });

  /** A datagram socket at this path, and what it has received. */
  async function listen(path: string): Promise<string[]> {
    receiver = spawn('perl', ['-e', RECEIVER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    const heard: string[] = [];
    const lines = createInterface({ input: receiver.stdout as NodeJS.ReadableStream });
    lines.on('line', (line) => heard.push(line));
    await once(lines, 'line');
    heard.length = 0;
    return heard;
  }

  const launch = (script: string, env: Record<string, string>) =>
    spawnSync(LAUNCH, [process.execPath, '-e', script], {
      encoding: 'utf8',
      cwd: HOME,
      env: { PATH: process.env.PATH, ...env },
    });
  const TELL = `
    const { serviceManager } = require('./ops/runtime/systemd-socket.js');
    const manager = serviceManager(process.env);
    manager.tell(['READY=1', 'STATUS=well']);
    console.log(manager.watchdog, process.env.NOTIFY_SOCKET, process.env.NOTIFY_FD, process.env.WATCHDOG_USEC);
  `;
  const until = async (heard: string[], count: number) => {
    while (heard.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
    return heard;
  };

  for (const [kind, path] of [
    ['a path', () => join(folder, 'notify')],
    ['an abstract name', () => `@potion-test-${process.pid}`],
  ] as const)
    it(`is a socket with ${kind}, which the started program keeps, alone`, async () => {
      const heard = await listen(path());
      const { status, stdout, stderr } = launch(TELL, { NOTIFY_SOCKET: path(), WATCHDOG_USEC: '9000000' });
      assert.deepEqual([status, stderr], [0, '']);
      assert.equal(stdout, '9000 undefined undefined undefined\n');
      assert.deepEqual(await until(heard, 1), ['READY=1|STATUS=well']);
    });

  it('takes the place of the launcher, so that systemd takes its word', () => {
    const { stdout } = launch("console.log(require('fs').readFileSync('/proc/self/comm', 'utf8'))", {});
    assert.doesNotMatch(stdout, /launch|perl/);
  });

  it('is told nothing, and nothing breaks, when systemd has gone', async () => {
    const path = join(folder, 'notify');
    await listen(path);
    const script = `process.kill(${receiver?.pid}, 'SIGKILL');
      setTimeout(() => { ${TELL} }, 200);`;
    const { status, stderr } = launch(script, { NOTIFY_SOCKET: path });
    assert.deepEqual([status, stderr], [0, '']);
  });

  it('makes nobody wait when systemd is too busy to listen', async () => {
    const path = join(folder, 'notify');
    await listen(path);
    receiver?.kill('SIGSTOP');
    const script = `
      const manager = require('./ops/runtime/systemd-socket.js').serviceManager(process.env);
      for (let i = 0; i < 2000; i++) manager.tell(['STATUS=' + i]);`;
    const { status } = launch(script, { NOTIFY_SOCKET: path });
    assert.equal(status, 0);
  });

  it('is not there without systemd: the program starts all the same', () => {
    const { status, stdout } = launch('console.log(process.env.NOTIFY_FD)', {});
    assert.deepEqual([status, stdout], [0, 'undefined\n']);
    const wrong = launch('console.log(process.env.NOTIFY_FD)', { NOTIFY_SOCKET: join(folder, 'nobody') });
    assert.deepEqual([wrong.status, wrong.stdout], [0, 'undefined\n']);
    assert.match(wrong.stderr, /systemd can't be told anything/);
    assert.equal(serviceManager({}), undefined);
    assert.equal(serviceManager({ NOTIFY_FD: 'three' }), undefined);
  });

  it('names a program that can’t be started', () => {
    const { status, stderr } = spawnSync(LAUNCH, ['/nowhere/node'], { encoding: 'utf8', env: {} });
    assert.notEqual(status, 0);
    assert.match(stderr, /\/nowhere\/node can't be started/);
  });

  it('keeps a record of the starts of this release, of the last five minutes', () => {
    const file = join(folder, 'starts');
    const uptime = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
    launch('', { RUNTIME_DIRECTORY: folder });
    const [line = ''] = readFileSync(file, 'utf8').split('\n');
    const [release] = line.split(' ');
    assert.match(line, /^\d+ [\d.]+$/);
    writeFileSync(file, `${release} ${uptime - 301}\n1 ${uptime}\nnonsense\n${release} ${uptime - 10}\n`);
    launch('', { RUNTIME_DIRECTORY: folder });
    const kept = readFileSync(file, 'utf8').trim().split('\n');
    assert.equal(kept.length, 2, kept.join('\n'));
    assert.equal(kept[0], `${release} ${uptime - 10}`);
  });

  it('starts without a record where none can be kept', () => {
    const { status } = launch('', { RUNTIME_DIRECTORY: join(folder, 'gone') });
    assert.equal(status, 0);
    assert.equal(existsSync(join(folder, 'gone')), false);
  });
});

import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { HelperLine } from '../../nodes/host/helper-protocol.js';
import { judgeApt, parseStatus } from '../../ops/helper/apt.js';
import { wholeDisk } from '../../ops/helper/disk.js';
import { execute } from '../../ops/helper/execute.js';
import { checkedArgs, oneOf, parseRequest, Refusal } from '../../ops/helper/request.js';
import { type Verb, verbNamed } from '../../ops/helper/verbs.js';
import { until } from '../machine/driver.ts';

const refused = (work: () => unknown): string => {
  try {
    work();
  } catch (thrown) {
    assert.ok(thrown instanceof Refusal, String(thrown));
    return thrown.reason;
  }
  return 'let through';
};

describe('a request to the root helper', () => {
  it('has a verb and arguments and nothing else', () => {
    const line = Buffer.from('{"verb":"smartctl.read","args":{"disk":"/dev/sda"}}');
    assert.deepEqual(parseRequest(line), { verb: 'smartctl.read', args: { disk: '/dev/sda' } });
    for (const text of [
      '',
      '{}',
      '[]',
      '7',
      'null',
      '{"verb":1,"args":{}}',
      '{"verb":"x","args":[]}',
      '{"verb":"x","args":{},"x":1}',
    ])
      assert.equal(
        refused(() => parseRequest(Buffer.from(text))),
        'request',
        text,
      );
  });

  it('is refused whatever it is made of, and never fails in another way', () => {
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 5000 }).map((bytes) => Buffer.from(bytes)),
      fc.json().map((text) => Buffer.from(text)),
      fc
        .record({ verb: fc.anything(), args: fc.anything() })
        .map((value) => Buffer.from(JSON.stringify(value) ?? '')),
    );
    fc.assert(
      fc.property(anything, (line) => {
        try {
          const { verb, args } = parseRequest(line);
          assert.equal(typeof verb, 'string');
          assert.ok(typeof args === 'object' && args !== null && !Array.isArray(args));
        } catch (thrown) {
          assert.ok(thrown instanceof Refusal, String(thrown));
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('has exactly the arguments that its verb takes', () => {
    const checks = { size: oneOf('short', 'long'), again: oneOf('yes') };
    assert.deepEqual(checkedArgs({ again: 'yes', size: 'long' }, checks), ['long', 'yes']);
    for (const args of [
      {},
      { size: 'long' },
      { size: 'long', again: 'yes', more: 1 },
      { size: 'wide', again: 'yes' },
    ])
      assert.equal(
        refused(() => checkedArgs(args, checks)),
        'request',
      );
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.anything()), (args) => {
        assert.equal(
          refused(() => checkedArgs(args, checks)),
          'request',
        );
      }),
    );
  });
});

describe('the verbs of the root helper', () => {
  it('are those of their own service, as far as the administrator lets them', () => {
    assert.equal(verbNamed('apt.list', 'packages').group, 'packages');
    assert.equal(
      refused(() => verbNamed('apt.list', 'devices')),
      'request',
    );
    for (const name of ['', 'sh', 'constructor', '__proto__', 'hasOwnProperty', 'APT.LIST'])
      assert.equal(
        refused(() => verbNamed(name, 'packages')),
        'request',
      );
    assert.ok(verbNamed('apt.list', 'packages', 'apt.refresh, apt.list'));
    for (const allowed of ['none', 'apt.refresh', 'apt.lis', 'apt.list2'])
      assert.equal(
        refused(() => verbNamed('apt.list', 'packages', allowed)),
        'switched-off',
      );
  });

  it('never remove a package and never end an upgrade', () => {
    const upgrade = verbNamed('apt.upgrade', 'packages');
    assert.ok(upgrade.argv().includes('--no-remove'));
    assert.equal(upgrade.argv().at(-1), 'upgrade');
    assert.equal(upgrade.limit, undefined);
  });
});

describe('a disk', () => {
  let root = '';
  before(() => {
    root = mkdtempSync(join(tmpdir(), 'potion-disks-'));
    for (const folder of ['dev/disk/by-id', 'sys/block/sda', 'etc'])
      mkdirSync(join(root, folder), { recursive: true });
    writeFileSync(join(root, 'sys/block/sda/dev'), '8:0\n');
    writeFileSync(join(root, 'dev/sda'), 'a file, no device');
    symlinkSync('../../sda', join(root, 'dev/disk/by-id/a'));
    symlinkSync('../../../etc', join(root, 'dev/disk/by-id/b'));
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  it('is no file, no folder, no link to one and no name that only begins like one', () => {
    for (const name of [
      '/dev/sda',
      '/dev/disk/by-id/a',
      '/dev/disk/by-id/b',
      '/dev/disk/by-id/..',
      '/dev/sda1',
      '/dev/loop0',
      '--all',
      '/dev/sda --all',
    ])
      assert.equal(
        refused(() => wholeDisk(name, root)),
        'request',
        name,
      );
    assert.equal(
      refused(() => wholeDisk('/dev/sdb', root)),
      'no-disk',
    );
  });

  it('is nothing that anybody could make up', () => {
    const text = fc.oneof(
      fc.anything(),
      fc.string().map((end) => `/dev/sda${end}`),
      fc.string().map((end) => `/dev/disk/by-id/${end}`),
    );
    fc.assert(
      fc.property(text, (value) =>
        assert.ok(['request', 'no-disk'].includes(refused(() => wholeDisk(value, root)))),
      ),
    );
  });
});

describe('what apt says', () => {
  it('is read as progress', () => {
    assert.deepEqual(parseStatus('pmstatus:libc6:42.5000:Unpacking libc6:amd64 (2.36)'), {
      phase: 'install',
      ratio: 0.425,
      text: 'Unpacking libc6:amd64 (2.36)',
    });
    assert.deepEqual(parseStatus('dlstatus:1:100:Retrieving file 1 of 1'), {
      phase: 'download',
      ratio: 1,
      text: 'Retrieving file 1 of 1',
    });
    for (const line of [
      '',
      'pmerror:/x.deb:50:broken',
      'pmstatus:x:NaN:y',
      'pmstatus:x:200:y',
      'media-change: x',
    ])
      assert.equal(parseStatus(line), undefined);
  });

  it('is understood by its errors, not by its exit code alone', () => {
    const lock =
      'E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 71 (unattended-upgr)';
    assert.equal(judgeApt(100, [lock]), 'apt-lock');
    assert.equal(
      judgeApt(100, [
        "E: dpkg was interrupted, you must manually run 'dpkg --configure -a' to correct the problem. ",
      ]),
      'dpkg-interrupted',
    );
    assert.equal(
      judgeApt(100, ["E: You don't have enough free space in /var/cache/apt/archives/."]),
      'no-space',
    );
    assert.equal(
      judgeApt(0, [
        'W: Failed to fetch http://x/InRelease  Temporary failure resolving',
        'W: Some index files failed to download.',
      ]),
      'no-network',
    );
    assert.equal(judgeApt(100, ['E: Sub-process /usr/bin/dpkg returned an error code (1)']), 'apt-failed');
    assert.equal(judgeApt(null, []), 'apt-failed');
    assert.equal(judgeApt(0, ['W: Target Packages is configured multiple times']), undefined);
  });
});

describe('a program that the root helper runs', () => {
  let folder = '';
  let requests = 0;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'potion-execute-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const shell = (script: string, more: Partial<Verb> = {}): Verb => ({
    group: 'devices',
    args: {},
    argv: () => ['/bin/sh', '-c', script],
    ...more,
  });
  async function run(verb: Verb) {
    const own = join(folder, String(++requests));
    mkdirSync(own);
    const told: HelperLine[] = [];
    const end = await execute(verb, [], { folder: own, locks: folder }, (line) => told.push(line));
    const lines = (key: string) => told.flatMap((line) => (key in line ? [line[key as never]] : []));
    return { end, out: lines('out'), err: lines('err'), progress: lines('progress') };
  }

  it('tells all its lines, the last without an end too, and its exit code', async () => {
    const { end, out, err } = await run(
      shell('for i in $(seq 2000); do echo $i; done; echo oops >&2; printf last; exit 3'),
    );
    assert.deepEqual(end, { exit: 3 });
    assert.equal(out.length, 2001);
    assert.equal(out.at(-1), 'last');
    assert.deepEqual(err, ['oops']);
  });

  it('has an environment that comes from nobody else', async () => {
    process.env.LD_SOMETHING = 'from outside';
    const { out } = await run(shell('exec /usr/bin/env', { environment: { OWN: 'yes' } }));
    delete process.env.LD_SOMETHING;
    const names = out
      .map((line) => String(line).split('=')[0])
      .filter((name) => !['PWD', '_', 'SHLVL'].includes(name ?? ''));
    assert.deepEqual(names.sort(), ['HOME', 'LC_ALL', 'OWN', 'PATH']);
  });

  it('is ended with all that it has started when it takes too long', async () => {
    const { end, out } = await run(shell('sleep 600 & echo $!; wait', { limit: 0.3 }));
    assert.partialDeepStrictEqual(end, { reason: 'limit' });
    // Gone, or dead and only not yet missed by its parent.
    const state = () => /^State:\s+(\w)/m.exec(readFileSync(`/proc/${out[0]}/status`, 'utf8'))?.[1];
    await until(() => (!existsSync(`/proc/${out[0]}`) || state() === 'Z' ? true : undefined));
  });

  it('runs once at a time, where that matters', async () => {
    const gate = join(folder, 'gate');
    const lock = { lock: 'one' };
    const running = join(folder, 'running');
    const first = run(shell(`touch ${running}; while [ ! -e ${gate} ]; do sleep 0.02; done`, lock));
    await until(() => (existsSync(running) ? true : undefined));
    assert.deepEqual((await run(shell('true', lock))).end, { exit: null, reason: 'busy' });
    writeFileSync(gate, '');
    assert.deepEqual((await first).end, { exit: 0 });
    assert.deepEqual((await run(shell('true', lock))).end, { exit: 0 });
  });

  it('tells its progress on a channel of its own', async () => {
    const { progress } = await run(shell('echo pmstatus:x:50:half >&3; echo noise >&3', { statusFd: 3 }));
    assert.deepEqual(progress, [{ phase: 'install', ratio: 0.5, text: 'half' }]);
  });

  it('fills no memory with a line that never ends', async () => {
    const { out } = await run(shell('head -c 3000000 /dev/zero | tr "\\0" x'));
    assert.equal(out.length, 1);
    assert.ok(String(out[0]).length <= 200_000);
  });

  it('is missing where it is not installed', async () => {
    await assert.rejects(run(shell('', { argv: () => ['/nowhere/smartctl'] })), { reason: 'no-program' });
  });
});

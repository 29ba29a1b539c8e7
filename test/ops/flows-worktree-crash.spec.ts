import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Git } from '../../ops/install/flows/git.js';
import { conflictsOf, show } from '../../ops/install/flows/state.js';
import { init, rollback, upgrade } from '../../ops/install/flows/worktree.js';
import { readSettled } from '../../ops/runtime/flows/commit.js';
import { needs } from '../support/needs.ts';
import { flowsOf, useWorkTree } from './flows-worktree-fixture.ts';

const run = promisify(execFile);
const HOME = join(import.meta.dirname, '..', '..');
const CRASH = join(HOME, 'test', 'support', 'crash-upgrade.ts');
const CLI = join(HOME, 'ops', 'install', 'flows', 'upgrade-cli.js');

const V1 = flowsOf({ a: 'one', b: 'one', c: 'one' }, ['gone']);
const V2 = flowsOf({ a: 'two', b: 'two', c: 'one', d: 'two' }, ['new']);
const OWN = flowsOf({ a: 'mine', b: 'one', c: 'mine' }, ['gone', 'own']);

describe('the flows work tree after a crash', function () {
  this.timeout(120_000);
  const tree = useWorkTree();

  /** Runs a command in a process that SIGKILL ends after that many steps; its steps when it came to its end. */
  const crashAfter = (step: number, ...command: string[]): Promise<string[] | undefined> =>
    run(process.execPath, [CRASH, tree.dir, String(step), ...command]).then(
      ({ stdout }) => JSON.parse(stdout) as string[],
      (thrown) => {
        if (thrown.signal !== 'SIGKILL') throw thrown;
        return undefined;
      },
    );
  const onDisk = async () => Object.fromEntries((await readSettled(tree.dir)).files);
  /** Repeats until a run comes to its end; what was found after each crash. */
  const crashEverywhere = async (command: string[], check: (step: number) => Promise<void>) => {
    for (let step = 1; ; step++) {
      tree.restore();
      const steps = await crashAfter(step, ...command);
      if (steps) return steps;
      await check(step);
    }
  };

  it('in an upgrade is finished by the next one: old flows or new ones at any step', async () => {
    await init(tree.dir, tree.release('1', V1));
    tree.save(OWN);
    const { dir, version } = tree.release('2', V2);
    tree.keep();
    const old = tree.read();
    await upgrade(tree.dir, { dir, version });
    const wanted = tree.read();
    const seen = new Set<string>();
    const steps = await crashEverywhere(['upgrade', dir, version], async (step) => {
      const now = JSON.stringify(await onDisk());
      assert.ok(
        [old, wanted].some((files) => JSON.stringify(files) === now),
        `half changed after step ${step}`,
      );
      seen.add(now);
      const { after, conflicts, before } = await upgrade(tree.dir, { dir, version });
      assert.deepEqual(tree.read(), wanted, `after step ${step}`);
      assert.equal(tree.git('status', '--porcelain'), '', `after step ${step}`);
      assert.equal(tree.git('rev-parse', 'mine'), after);
      assert.deepEqual(tree.git('log', '--first-parent', '--format=%s', 'mine').split('\n'), [
        'Merge the flows of Potion 2',
        'Own flows, before an upgrade',
        'Flows as Potion 1 ships them',
      ]);
      assert.equal(tree.git('rev-parse', 'mine^1'), before ?? after);
      // Once it is all done there is nothing left to tell but what the merge itself says.
      const told = conflicts.length > 0 ? conflicts : await conflictsOf(await repository(), after);
      assert.deepEqual(
        told.map(({ id }) => id),
        ['a'],
      );
      assert.equal((await upgrade(tree.dir, { dir, version })).how, 'unchanged');
    });
    assert.equal(seen.size, 2, 'some crashes hit before the change, some after');
    assert.ok(steps.length > 15, steps.join(', '));
  });

  const repository = async () => (await Git.open(tree.dir)) as Git;

  it('is finished before anyone is told where the work tree stands', async () => {
    await init(tree.dir, tree.release('1', V1));
    const { dir, version } = tree.release('2', V2);
    tree.keep();
    const steps = (await crashAfter(0, 'upgrade', dir, version)) as string[];
    tree.restore();
    await crashAfter(steps.indexOf('work tree') + 1, 'upgrade', dir, version);
    assert.equal(tree.git('rev-list', '--merges', '--count', 'mine'), '0');
    const { merge, head, uncommitted } = await show(tree.dir);
    assert.deepEqual([merge, uncommitted], [head, []]);
    await rollback(tree.dir, `${merge}^1`);
    assert.equal(tree.texts().a, 'one');
  });

  it('in setting up is finished by the next run', async () => {
    const { dir, version } = tree.release('1', flowsOf({ a: 'one' }));
    mkdirSync(tree.dir);
    tree.keep();
    await crashEverywhere(['upgrade', dir, version], async (step) => {
      await upgrade(tree.dir, { dir, version });
      assert.deepEqual(tree.read(), tree.read(dir), `after step ${step}`);
      assert.equal(tree.git('rev-list', '--all', '--count'), '1');
      assert.equal(tree.git('status', '--porcelain'), '');
    });
  });

  it('in going back leaves both states on branches', async () => {
    await init(tree.dir, tree.release('1', flowsOf({ a: 'one' })));
    const { before, after } = await upgrade(tree.dir, tree.release('2', flowsOf({ a: 'two' })));
    tree.save(flowsOf({ a: 'mine' }));
    tree.keep();
    const old = JSON.stringify(tree.read());
    await rollback(tree.dir, String(before));
    const wanted = JSON.stringify(tree.read());
    await crashEverywhere(['rollback', String(before)], async (step) => {
      assert.ok([old, wanted].includes(JSON.stringify(await onDisk())), `half changed after step ${step}`);
      await rollback(tree.dir, String(before));
      assert.equal(JSON.stringify(tree.read()), wanted);
      assert.equal(tree.git('rev-parse', 'mine'), before);
      assert.match(tree.git('branch', '--contains', String(after)), /rescue\//);
      assert.equal(tree.git('status', '--porcelain'), '');
    });
  });

  it('at any moment, with the git that is just running: nothing is lost and the next run finishes', async () => {
    await init(tree.dir, tree.release('1', V1));
    tree.save(OWN);
    const { dir, version } = tree.release('2', V2);
    tree.keep();
    const old = JSON.stringify(tree.read());
    const started = performance.now();
    await run(process.execPath, [
      CLI,
      'upgrade',
      '--flows',
      tree.dir,
      '--shipped',
      dir,
      '--version',
      version,
    ]);
    const whole = performance.now() - started;
    const wanted = JSON.stringify(tree.read());
    for (let part = 0.2; part < 1; part += 0.08) {
      tree.restore();
      const args = [CLI, 'upgrade', '--flows', tree.dir, '--shipped', dir, '--version', version];
      const child = spawn(process.execPath, args, { detached: true, stdio: 'ignore' });
      const ended = new Promise((resolve) => child.on('exit', resolve));
      await sleep(whole * part);
      try {
        process.kill(-Number(child.pid), 'SIGKILL');
      } catch {
        // It was faster this time.
      }
      await ended;
      assert.ok([old, wanted].includes(JSON.stringify(await onDisk())), `half changed after ${part} of it`);
      await upgrade(tree.dir, { dir, version });
      assert.equal(JSON.stringify(tree.read()), wanted);
      assert.equal(tree.git('status', '--porcelain'), '');
      tree.git('fsck', '--strict');
    }
  });

  it('finds lock files that a killed git has left, and goes on', async () => {
    await init(tree.dir, tree.release('1', V1));
    for (const name of ['index.lock', 'HEAD.lock', 'refs/heads/mine.lock', 'packed-refs.lock'])
      writeFileSync(join(tree.dir, '.git', name), '');
    writeFileSync(join(tree.dir, '.git', 'potion-lock'), '4194305 1');
    assert.equal((await upgrade(tree.dir, tree.release('2', V2))).how, 'merged');
    assert.equal(existsSync(join(tree.dir, '.git', 'index.lock')), false);
  });

  it('refuses while another upgrade or git is at work', async () => {
    await init(tree.dir, tree.release('1', V1));
    const release = tree.release('2', V2);
    const results = await Promise.allSettled([upgrade(tree.dir, release), upgrade(tree.dir, release)]);
    const refused = results.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
    assert.equal(refused.length, 1);
    assert.match(String(refused[0]?.reason), /another upgrade or rollback is at work \(process \d+\)/);
    const git = spawn('git', ['cat-file', '--batch'], { cwd: tree.dir, stdio: ['pipe', 'ignore', 'ignore'] });
    try {
      await new Promise((resolve) => git.once('spawn', resolve));
      writeFileSync(join(tree.dir, '.git', 'index.lock'), '');
      await assert.rejects(upgrade(tree.dir, release), /git is at work in .* \(process \d+\)/);
    } finally {
      git.kill('SIGKILL');
    }
  });

  it('with the disk full: it fails, all is as before, and goes on when there is room', async function () {
    needs(this, 'root');
    await init(tree.dir, tree.release('1', V1));
    tree.save(OWN);
    const long = 'x'.repeat(400_000);
    const { dir, version } = tree.release('2', flowsOf({ a: 'two', b: long, d: 'two' }));
    const small = join(tree.top, 'small');
    mkdirSync(small);
    await run('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'potion-test', small]);
    try {
      await run('cp', ['-a', tree.dir, small]);
      const flowsDir = join(small, 'flows');
      const before = tree.read(flowsDir);
      const filler = join(small, 'filler');
      const failed = new Set<string>();
      // From no room at all up to enough for all of it.
      for (const room of [0, 12, 40, 200, 500, 900]) {
        await run('rm', ['-f', filler]);
        await run('sh', ['-c', `dd if=/dev/zero of=${filler} bs=4k 2>/dev/null || true`]);
        await run('truncate', ['-s', `-${room}K`, filler]);
        const outcome = await upgrade(flowsDir, { dir, version }).catch((thrown: Error) => thrown.message);
        if (typeof outcome !== 'string') break;
        failed.add(outcome);
        const { files } = await readSettled(flowsDir);
        assert.deepEqual(Object.fromEntries(files), before, `with room for ${room} KiB: ${outcome}`);
      }
      assert.ok(
        failed.size > 0 && [...failed].every((words) => /space|ENOSPC/i.test(words)),
        [...failed].join('\n'),
      );
      await run('rm', ['-f', filler]);
      await upgrade(flowsDir, { dir, version });
      assert.notDeepEqual(tree.read(flowsDir), before);
      await run('git', ['-c', 'safe.directory=*', '-C', flowsDir, 'fsck', '--strict']);
    } finally {
      await run('umount', [small]);
    }
  });
});

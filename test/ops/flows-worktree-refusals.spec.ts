import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { init, rollback, upgrade } from '../../ops/install/flows/worktree.js';
import { needs } from '../support/needs.ts';
import { flowsOf, useWorkTree } from './flows-worktree-fixture.ts';

const run = promisify(execFile);
const HOME = join(import.meta.dirname, '..', '..');
const CLI = join(HOME, 'ops', 'install', 'flows', 'upgrade-cli.js');

const V1 = flowsOf({ a: 'one', b: 'one' });
const V2 = flowsOf({ a: 'two', b: 'two' });
const OWN = flowsOf({ a: 'mine', b: 'one' });

describe('the flows work tree refuses, and touches nothing,', function () {
  this.timeout(60_000);
  const tree = useWorkTree();
  beforeEach(async () => {
    await init(tree.dir, tree.release('1', V1));
    tree.save(OWN);
  });

  /** Everything that git and the folder hold. */
  const all = () => [
    tree.git('for-each-ref'),
    tree.git('status', '--porcelain'),
    JSON.stringify(tree.read()),
  ];
  const refuses = async (
    words: RegExp,
    what: () => Promise<unknown> = () => upgrade(tree.dir, tree.release('2', V2)),
  ) => {
    const before = all();
    await assert.rejects(what(), (thrown: Error) => {
      assert.equal(thrown.name, 'FlowsError');
      assert.match(thrown.message, words);
      return true;
    });
    assert.deepEqual(all(), before);
  };

  it('broken files of the person, with file and line', async () => {
    writeFileSync(join(tree.dir, 'alerts.tab.json'), '[\n  { "id": "tab", "type": "tab" \n');
    await refuses(/alerts\.tab\.json:2:3: not JSON: the \{ is never closed/);
  });

  it('a token in a file: git is not to see it', async () => {
    tree.save(flowsOf({ a: '123456:ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghi' }));
    await refuses(/alerts\.tab\.json:\d+:\d+: .*holds a bot token/);
  });

  it('flows that have all vanished', async () => {
    for (const name of Object.keys(tree.read())) rmSync(join(tree.dir, name));
    await refuses(/its last commit has 1 tabs and subflows/);
  });

  it('a link in the place of a flow file', async () => {
    rmSync(join(tree.dir, 'order.txt'));
    symlinkSync('/etc/hostname', join(tree.dir, 'order.txt'));
    await refuses(/order\.txt: this is a symbolic link/);
  });

  it('broken shipped flows', async () => {
    const { dir } = tree.release('2', V2);
    writeFileSync(join(dir, 'alerts.tab.json'), '[');
    await refuses(
      /The shipped flows in .* can't be used:\n {2}alerts\.tab\.json:2:1|alerts\.tab\.json:1:/,
      () => upgrade(tree.dir, { dir, version: '2' }),
    );
    rmSync(dir, { recursive: true });
    await refuses(/There are no shipped flows/, () => upgrade(tree.dir, { dir, version: '2' }));
  });

  it('a version that is none', async () => {
    const { dir } = tree.release('2', V2);
    await refuses(/is no version/, () => upgrade(tree.dir, { dir, version: '2\n\nPotion-Shipped: 3' }));
  });

  it('a merge that the person has begun', async () => {
    tree.git('commit', '-qam', 'mine');
    tree.git('switch', '-qc', 'other', 'HEAD~1');
    tree.save(flowsOf({ a: 'other', b: 'one' }));
    tree.git('commit', '-qam', 'other');
    assert.throws(() => tree.git('merge', '-q', 'mine'));
    await refuses(/a merge \(git merge\) was begun and not ended/);
    tree.git('merge', '--abort');
    assert.equal((await upgrade(tree.dir, tree.release('2', V2))).branch, 'other');
  });

  it('to go back to what is no commit, or one without fit flows', async () => {
    await refuses(/there is no commit --help/, () => rollback(tree.dir, '--help'));
    await refuses(/there is no commit nowhere/, () => rollback(tree.dir, 'nowhere'));
    writeFileSync(join(tree.dir, 'alerts.tab.json'), '[');
    tree.git('commit', '-qam', 'broken');
    tree.save(V1);
    tree.git('commit', '-qam', 'mended');
    await refuses(/The flows of HEAD~1 can't be brought back/, () => rollback(tree.dir, 'HEAD~1'));
  });

  it("the flows folder of Potion's own checkout", async () => {
    const checkout = join(tree.top, 'checkout');
    cpSync(tree.dir, checkout, { recursive: true });
    mkdirSync(join(checkout, 'flows'));
    await refuses(/it belongs to the checkout .*checkout/, () =>
      upgrade(join(checkout, 'flows'), tree.release('2', V2)),
    );
  });

  it('a folder of another user, whose files it would take away', async function () {
    needs(this, 'root');
    await run('chown', ['-R', '65534:65534', tree.dir]);
    await refuses(/belongs to another user/);
  });
});

describe('the flows work tree runs nothing of what the repository or the machine is set to', function () {
  this.timeout(60_000);
  const tree = useWorkTree();

  it('no hook, no filter, no signing, no file system monitor, no odd template', async () => {
    const trap = join(tree.top, 'trap.sh');
    const sprung = join(tree.top, 'sprung');
    writeFileSync(trap, `#!/bin/sh\necho "$0" >> ${sprung}\nexit 1\n`, { mode: 0o755 });
    await init(tree.dir, tree.release('1', V1));
    mkdirSync(join(tree.dir, '.git', 'hooks'));
    for (const hook of ['reference-transaction', 'post-index-change', 'pre-commit', 'post-checkout'])
      cpSync(trap, join(tree.dir, '.git', 'hooks', hook));
    for (const [name, value] of [
      ['core.fsmonitor', trap],
      ['filter.trap.clean', trap],
      ['commit.gpgSign', 'true'],
      ['gpg.program', trap],
      ['core.editor', trap],
      ['core.pager', trap],
    ] as const)
      tree.git('config', name, value);
    writeFileSync(join(tree.dir, '.gitattributes'), '*.json filter=trap text eol=crlf\n');
    rmSync(sprung, { force: true });
    const { before } = await upgrade(tree.dir, tree.release('2', V2));
    await rollback(tree.dir, String(before));
    assert.equal(existsSync(sprung) && readFileSync(sprung, 'utf8'), false);
    assert.deepEqual(tree.read(), tree.read(join(tree.top, 'release-1')));
  });
});

describe('ops/install/flows/upgrade-cli', function () {
  this.timeout(60_000);
  const tree = useWorkTree();
  const cli = (args: string[], env: Record<string, string> = {}) =>
    run(process.execPath, [CLI, ...args, '--flows', tree.dir], {
      env: { PATH: process.env.PATH, POTION_LANG: 'en-US', ...env },
    }).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      ({ code, stdout, stderr }) => ({
        code: code as number,
        stdout: stdout as string,
        stderr: stderr as string,
      }),
    );
  const shipped = (version: string, nodes: typeof V1) => {
    const { dir } = tree.release(version, nodes);
    return ['--shipped', dir, '--version', version];
  };

  it('sets up, upgrades, shows and goes back, with a result to read by people', async () => {
    assert.match(
      (await cli(['upgrade', ...shipped('1', V1)])).stdout,
      /^Potion's flows are in your folder now\./,
    );
    tree.save(OWN);
    const upgraded = await cli(['upgrade', ...shipped('2', V2)]);
    assert.equal(upgraded.code, 0);
    assert.match(upgraded.stdout, /were merged with yours .*\n.*Alerts: \+0 ~1 -0 node/);
    assert.match(upgraded.stdout, /Alerts › “a” \(potion-say, a\)\n.*yours stays.*\n +text: "mine" → "two"/);
    assert.match(
      (await cli(['show'], { POTION_LANG: 'id' })).stdout,
      /^Branch mine di \w{10}; .*: 2\n.*punyamu tetap/s,
    );
    const before = /rollback (\w+)/.exec(upgraded.stdout)?.[1] as string;
    assert.match((await cli(['rollback', before])).stdout, /are back at .* kept on the branch rescue\//);
    assert.equal(tree.texts().b, 'one');
  });

  it('answers in JSON, also what went wrong', async () => {
    await cli(['init', ...shipped('1', V1)]);
    tree.save(OWN);
    const { stdout } = await cli(['upgrade', '--json', ...shipped('2', V2)]);
    const outcome = JSON.parse(stdout);
    assert.deepEqual([outcome.how, outcome.changed, outcome.branch], ['merged', true, 'mine']);
    assert.equal(outcome.after, tree.git('rev-parse', 'mine'));
    assert.equal(outcome.conflicts[0].kind, 'changed-by-both');
    writeFileSync(join(tree.dir, 'order.txt'), 'missing.json\n');
    const broken = await cli(['upgrade', '--json', ...shipped('3', V1)]);
    const { error } = JSON.parse(broken.stdout);
    assert.deepEqual(
      [broken.code, error.code, error.problems[0].file, error.problems[0].line],
      [3, 'REFUSED', 'order.txt', 1],
    );
  });

  it('says by its exit code what is the matter', async () => {
    assert.equal((await cli([])).code, 2);
    assert.equal((await cli(['toString'])).code, 2);
    assert.equal((await cli(['upgrade', '--nonsense'])).code, 2);
    assert.equal((await cli(['upgrade', 'what'])).code, 2);
    assert.equal((await cli(['rollback'])).code, 2);
    assert.equal((await cli(['show'])).code, 3);
  });

  it('takes the flows of the Potion it belongs to where none are named', async () => {
    assert.equal((await cli(['upgrade'])).code, 0);
    assert.deepEqual(tree.read(), tree.read(join(HOME, 'flows')));
  });
});

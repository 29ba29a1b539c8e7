import assert from 'node:assert/strict';
import { PotionError } from '../../nodes/kit/errors.js';
import { run } from '../../nodes/kit/run.js';

/** Whether a rejected value is a PotionError of this code. */
const failsWith = (code: string) => (thrown: unknown) =>
  thrown instanceof PotionError && thrown.code === code;

describe('run()', () => {
  it('gives exit code and output; a failing program is a result, not an error', async () => {
    const { exitCode, stdout, stderr } = await run('sh', ['-c', 'echo out; echo err >&2; exit 3']);
    assert.deepEqual({ exitCode, stdout, stderr }, { exitCode: 3, stdout: 'out', stderr: 'err' });
  });

  it('hands arguments over as they are, never through a shell', async () => {
    const { stdout } = await run('printf', ['%s|', '$HOME', '; echo no', '`id`', 'a\nb']);
    assert.equal(stdout, '$HOME|; echo no|`id`|a\nb|');
  });

  it('gives the program a small environment of its own', async () => {
    process.env.POTION_TEST_SECRET = 'hidden';
    const { stdout } = await run('env', [], { env: { EXTRA: '1' } });
    delete process.env.POTION_TEST_SECRET;
    assert.match(stdout, /^LC_ALL=C$/m);
    assert.match(stdout, /^EXTRA=1$/m);
    assert.doesNotMatch(stdout, /hidden/);
  });

  for (const [what, script] of [
    ['started', 'sleep 60 & wait'],
    ['started and that turn a deaf ear', 'trap "" TERM; sleep 60 & wait; sleep 60'],
    ['started and that left its group', 'setsid sleep 7 & wait'],
  ] as const)
    it(`in a group, ends with a program what it has ${what}`, async () => {
      const before = performance.now();
      await assert.rejects(run('sh', ['-c', script], { timeout: 100, group: true }), failsWith('TIMEOUT'));
      assert.ok(performance.now() - before < 6000);
    }).timeout(10_000);

  it('ends a program that takes too long', async () => {
    await assert.rejects(run('sleep', ['60'], { timeout: 50 }), failsWith('TIMEOUT'));
  });

  it('ends a program whose node closes', async () => {
    const closing = new AbortController();
    const running = run('sleep', ['60'], { signal: closing.signal });
    closing.abort();
    await assert.rejects(running, failsWith('CANCELLED'));
  });

  it('says which program is missing', async () => {
    await assert.rejects(run('no-such-program-here', []), (thrown) => {
      assert.ok(failsWith('UNAVAILABLE')(thrown));
      assert.match((thrown as Error).message, /no-such-program-here is not installed/);
      return true;
    });
  });

  it('cuts output that is too long and says so', async () => {
    const result = await run('sh', ['-c', 'yes | head -c 100000'], { maxOutput: 1000 });
    assert.equal(result.truncated, true);
    assert.ok(result.stdout.length <= 1000);
  });

  it('hands over each line as it comes', async () => {
    const lines: string[] = [];
    await run('printf', ['a\nb\n'], { onLine: (line) => lines.push(line) });
    assert.deepEqual(lines, ['a', 'b']);
  });

  it('gives a program its input', async () => {
    assert.equal((await run('cat', [], { input: 'halo' })).stdout, 'halo');
  });

  it('lets the program go before Potion when memory runs out', async () => {
    const look = 'until grep -qx 500 /proc/self/oom_score_adj; do :; done';
    assert.equal((await run('sh', ['-c', look], { timeout: 10_000 })).exitCode, 0);
  });
});

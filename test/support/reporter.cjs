// Mocha's own report, then skipped tests by name with their reason, and one plain line that sums up.
const { writeFileSync } = require('node:fs');
const { reporters, Runner } = require('mocha');

const fileOf = (test) => test.file ?? (test.parent ? fileOf(test.parent) : undefined);

module.exports = class PotionReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const skipped = [];
    const failed = [];
    runner.on(Runner.constants.EVENT_TEST_FAIL, (test, error) =>
      failed.push({
        title: test.fullTitle(),
        file: fileOf(test),
        found: /^Property failed/.test(error.message),
      }),
    );
    runner.on(Runner.constants.EVENT_TEST_PENDING, (test) => skipped.push(test.fullTitle()));
    runner.once(Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures } = this.stats;
      if (process.env.CI) failed.push(...skipped.map((title) => ({ title, found: true })));
      if (process.env.FAILED_LIST) writeFileSync(process.env.FAILED_LIST, JSON.stringify(failed));
      for (const title of skipped) process.stdout.write(`skipped: ${title}\n`);
      // A skipped test proves nothing, so where everything must be had it counts as a failure.
      const inCi = Boolean(process.env.CI);
      if (inCi && skipped.length > 0) process.exitCode = 1;
      const bad = failures + (inCi ? skipped.length : 0);
      process.stdout.write(`\n${passes} passed, ${bad} failed, ${inCi ? 0 : skipped.length} skipped\n`);
      // What a failed test leaves open must not hold up the machine that runs it; exit() itself can hang.
      setTimeout(() => {
        process.stdout.write('a test has left something running\n');
        process.kill(process.pid, 'SIGKILL');
      }, 20_000).unref();
      if (bad > failures) process.on('exit', () => (process.exitCode = 1));
    });
  }
};

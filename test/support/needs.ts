import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Context, Suite, Test } from 'mocha';

/** Where Debian's Chromium is. */
export const CHROMIUM = '/usr/bin/chromium';

/** Prometheus' checker, unpacked by the set-up of the tests. */
export const PROMTOOL = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '.potion/tools/promtool');

/** What a test may need of the machine: a check, and what to say where it fails. */
const NEEDS = {
  root: { there: () => process.getuid?.() === 0, else: 'must run as root' },
  chromium: { there: () => existsSync(CHROMIUM), else: 'apt-get install chromium' },
  'systemd-nspawn': {
    there: () => existsSync('/usr/bin/systemd-nspawn'),
    else: 'apt-get install systemd-container',
  },
  iproute2: { there: () => existsSync('/usr/bin/ip'), else: 'apt-get install iproute2' },
  ping: { there: () => existsSync('/usr/bin/ping'), else: 'apt-get install iputils-ping' },
  logrotate: { there: () => existsSync('/usr/sbin/logrotate'), else: 'apt-get install logrotate' },
  loop: { there: () => existsSync('/dev/loop-control'), else: 'modprobe loop' },
  shellcheck: { there: () => existsSync('/usr/bin/shellcheck'), else: 'apt-get install shellcheck' },
  fuse: { there: () => existsSync('/dev/fuse'), else: 'modprobe fuse' },
  promtool: { there: () => existsSync(PROMTOOL), else: 'run "npm test" once, which fetches it' },
};

export type Need = keyof typeof NEEDS;

/**
 * Skips the test, or in a `before` hook all tests of its `describe`, when the machine lacks something, and
 * writes the reason behind each skipped title. In CI nothing may be skipped: there it fails instead.
 *
 *     before(function () { needs(this, 'root', 'systemd-nspawn'); });
 */
export function needs(context: Context, ...wanted: Need[]): void {
  const missing = wanted.filter((need) => !NEEDS[need].there());
  if (missing.length === 0) return;
  const reason = missing.map((need) => `${need} (${NEEDS[need].else})`).join(', ');
  if (process.env.CI) throw new Error(`nothing may be skipped in CI, and this needs ${reason}`);
  for (const test of concerned(context)) test.title += ` [skipped, needs ${reason}]`;
  context.skip();
}

function concerned({ test: here, currentTest }: Context): Test[] {
  if (!here) return [];
  if (here.parent?.tests.includes(here as Test)) return [here as Test];
  // mocha names the hooks so; in "before all" currentTest is only the first of them.
  return here.title.startsWith('"before each"') && currentTest ? [currentTest] : below(here.parent);
}

function below(suite: Suite | undefined): Test[] {
  return suite ? [...suite.tests, ...suite.suites.flatMap(below)] : [];
}

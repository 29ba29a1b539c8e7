// Upgrades (or goes back) and ends without a goodbye after a step:
// `crash-upgrade.ts <flows> <step> upgrade <shipped> <version>` or `… <step> rollback <commit>`.
// Without a crash it writes the names of the steps.
import { rollback, upgrade } from '../../ops/install/flows/worktree.js';

const [flowsDir = '', crashAfter, what, source = '', version = ''] = process.argv.slice(2);
const steps: string[] = [];
const step = (done: string) => {
  steps.push(done);
  if (String(steps.length) === crashAfter) process.kill(process.pid, 'SIGKILL');
};
if (what === 'rollback') await rollback(flowsDir, source, { step });
else await upgrade(flowsDir, { dir: source, version }, { step });
process.stdout.write(JSON.stringify(steps));

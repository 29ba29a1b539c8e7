// Saves flow files and ends without a goodbye after the given step: `crash-save.ts <dir> <step> <files as JSON>`.
import { update } from '../../ops/runtime/flows/commit.js';

const [dir = '', crashAfter, files = '{}'] = process.argv.slice(2);
let step = 0;
await update(
  dir,
  () => new Map(Object.entries(JSON.parse(files))),
  () => {
    step++;
    if (String(step) === crashAfter) process.kill(process.pid, 'SIGKILL');
  },
);
process.stdout.write(String(step));

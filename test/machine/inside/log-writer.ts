// Writes numbered lines to Potion's logs as Potion itself does, until it is told to end.
import { setTimeout as sleep } from 'node:timers/promises';
import { readConfig, setConfig } from '../../../nodes/kit/config.js';
import { auditLine } from '../../../nodes/state/audit.js';
import { runtimeLog } from '../../../ops/runtime/log.js';

const LOGS = '/var/log/potion';
/** Lines of runtime.log for each one of actions.log. */
const RARER = 10;

setConfig(readConfig({ LOG_DIR: LOGS }, '/'));
process.stdout.write = () => true;
const log = runtimeLog(LOGS, [])();
// As Node-RED does, after Potion: it would end the process.
process.on('SIGHUP', () => process.exit(99));
// Between two lines, not within them.
process.on('SIGTERM', () => process.exit(0));
await sleep(0);

for (let line = 0; ; ) {
  for (let some = 0; some < 500; some++, line++) {
    log({ level: 40, msg: `line=${line}.`, timestamp: Date.now() });
    if (line % RARER === 0)
      auditLine({ at: Date.now(), user: 42, event: 'request', action: `line-${line / RARER}.` });
  }
  // Signals come in here.
  await sleep(5);
}

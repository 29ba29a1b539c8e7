import { join } from 'node:path';
import { PotionError } from '../../nodes/kit/errors.js';
import { LogFile } from '../../nodes/kit/log-file.js';
import { redact } from '../../nodes/kit/redact.js';

/** A log entry as Node-RED's log handlers get it. */
interface Entry {
  level: number;
  msg?: unknown;
  type?: string;
  name?: string;
  id?: string;
  timestamp: number;
}

const LEVELS: Record<number, string> = {
  10: 'fatal',
  20: 'error',
  30: 'warn',
  40: 'info',
  50: 'debug',
  60: 'trace',
};

/** One entry as one line (more when it carries a stack), local time first. */
export function format(entry: Entry): string {
  const date = new Date(entry.timestamp);
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString();
  const who = entry.type ? ` [${entry.type}:${entry.name || entry.id}]` : '';
  return `${local.slice(0, 10)} ${local.slice(11, 23)} ${LEVELS[entry.level] ?? 'info'}${who} ${words(entry.msg)}`;
}

function words(msg: unknown): string {
  if (msg instanceof PotionError) return msg.hint ? `${msg.message} → ${msg.hint}` : msg.message;
  if (msg instanceof Error) return msg.stack ?? msg.message;
  if (typeof msg === 'string') return msg;
  if (msg && typeof msg === 'object' && 'message' in msg) return String(msg.message);
  return JSON.stringify(msg);
}

// Flow files hold `${NAME}` alone where a secret belongs, so this warning of Node-RED would only worry people.
const NOT_SO_HERE = 'Using unencrypted credentials';

/**
 * Node-RED's log handler that writes to the console and to `runtime.log` at once, unbuffered, so that the
 * last line before a crash is there. A full disk or a missing folder costs the file, never Potion; the file
 * comes back by itself when it can.
 */
export function runtimeLog(logDir: string, secrets: readonly string[]): () => (entry: Entry) => void {
  const file = new LogFile(join(logDir, 'runtime.log'), {
    onTrouble: (thrown) =>
      process.stderr.write(
        `potion: ${logDir}/runtime.log can't be written: ${thrown}\npotion: mend LOG_DIR or its permissions, or make room; until then the log is here alone\n`,
      ),
  });
  // A service has no terminal that could hang up: logrotate says that it has moved the file away.
  if (isService()) reopenOnHangUp(() => file.reopen());
  const said = new WeakSet<object>();
  return () => (entry) => {
    if (entry.msg === NOT_SO_HERE) return;
    // A failure that no Catch node takes is logged by Node-RED, and by the node itself.
    if (entry.msg instanceof PotionError) {
      if (said.has(entry.msg)) return;
      said.add(entry.msg);
    }
    const line = redact(format(entry), secrets);
    process.stdout.write(`${line}\n`);
    file.write(line);
  };
}

/**
 * Takes secrets out of whatever is written to the console, by whichever library or function node: a service's
 * console is the journal.
 */
export function cleanConsole(secrets: readonly string[]): void {
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write.bind(stream) as (chunk: unknown, ...rest: unknown[]) => boolean;
    stream.write = (chunk: unknown, ...rest: unknown[]) =>
      write(typeof chunk === 'string' ? redact(chunk, secrets) : chunk, ...rest);
  }
}

/**
 * Whether systemd started this very process as a service. A terminal may have inherited the variables of its own
 * service, hence the process id; closing a terminal must end Potion.
 */
function isService(): boolean {
  return process.env.SYSTEMD_EXEC_PID === String(process.pid);
}

/** Takes SIGHUP for itself: Node-RED, which starts later, would end on it. */
function reopenOnHangUp(reopen: () => void): void {
  process.on('SIGHUP', reopen);
  process.on('newListener', (event, listener) => {
    if (event === 'SIGHUP') process.nextTick(() => process.removeListener('SIGHUP', listener));
  });
}

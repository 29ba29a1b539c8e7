import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { PotionError } from '../../nodes/kit/errors.js';
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
 * last line before a crash is there. A full disk or a missing folder costs the file, never Potion.
 */
export function runtimeLog(logDir: string, secrets: readonly string[]): () => (entry: Entry) => void {
  let file: number | undefined;
  try {
    mkdirSync(logDir, { recursive: true, mode: 0o750 });
    file = openSync(join(logDir, 'runtime.log'), 'a', 0o640);
    process.once('exit', () => file !== undefined && closeSync(file));
  } catch (thrown) {
    process.stderr.write(
      `potion: ${logDir}/runtime.log can't be written: ${thrown}\npotion: mend LOG_DIR in .env or its permissions; until then the log is here alone\n`,
    );
  }
  const said = new WeakSet<object>();
  return () => (entry) => {
    if (entry.msg === NOT_SO_HERE) return;
    // A failure that no Catch node takes is logged by Node-RED, and by the node itself.
    if (entry.msg instanceof PotionError) {
      if (said.has(entry.msg)) return;
      said.add(entry.msg);
    }
    const line = `${redact(format(entry), secrets)}\n`;
    process.stdout.write(line);
    try {
      if (file !== undefined) writeSync(file, line);
    } catch {
      // The console has the line; disk space is watched by an alert of its own.
    }
  };
}

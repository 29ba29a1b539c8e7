import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, watch } from 'node:fs';
import { join } from 'node:path';
import type { HelperEnd, HelperLine } from '../../nodes/host/helper-protocol.js';
import { parseStatus } from './apt.js';
import { Refusal } from './request.js';
import { Tail } from './tail.js';
import type { Verb } from './verbs.js';

const FLOCK = '/usr/bin/flock';
const LOCKED = 75;
const MOST_ERRORS = 40;
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Where the helper works: folders in memory that are root's. */
export interface Place {
  /** For what the program prints; of this request alone. */
  folder: string;
  /** For locks; shared by all requests, and nobody else may write there. */
  locks: string;
}

/**
 * Runs the program of a verb to its end. What it prints goes through files: were it a pipe, the program would
 * die half-way when the helper does.
 * @param tell takes each line of the answer but the last
 * @throws Refusal
 */
export async function execute(
  verb: Verb,
  args: readonly string[],
  place: Place,
  tell: (line: HelperLine) => void,
): Promise<HelperEnd> {
  const [program, ...rest] = verb.argv(...args);
  if (!existsSync(program)) throw new Refusal('no-program', program);
  const { folder, locks } = place;
  const errors: string[] = [];
  const child = start(verb, program, rest, folder, locks);
  const files = [
    new Tail(join(folder, 'out'), (out) => tell({ out })),
    new Tail(join(folder, 'err'), (err) => {
      tell({ err });
      errors.push(err);
      if (errors.length > MOST_ERRORS) errors.shift();
    }),
    new Tail(join(folder, 'status'), (line) => {
      const progress = parseStatus(line);
      if (progress) tell({ progress });
    }),
  ];
  const watcher = watch(folder, () => {
    for (const file of files) file.read();
  });
  try {
    const { exit, late } = await ended(child, verb.limit);
    for (const file of files) file.end();
    if (late) return { exit, reason: 'limit', detail: `${verb.limit} s` };
    if (verb.lock && exit === LOCKED) return { exit: null, reason: 'busy' };
    const reason = verb.judge?.(exit, errors);
    return reason ? { exit, reason, detail: detailOf(errors) } : { exit };
  } finally {
    watcher.close();
  }
}

function start(verb: Verb, program: string, args: string[], folder: string, locks: string): ChildProcess {
  const names = verb.statusFd === undefined ? ['out', 'err'] : ['out', 'err', 'status'];
  for (const name of ['out', 'err', 'status']) closeSync(openSync(join(folder, name), 'w', 0o600));
  const files = names.map((name) => openSync(join(folder, name), 'a'));
  // flock waits beside the program and holds the lock as long as that runs, whatever becomes of the helper.
  const lock = verb.lock
    ? [FLOCK, '--nonblock', '--close', `--conflict-exit-code=${LOCKED}`, join(locks, verb.lock)]
    : [];
  const [first = program, ...rest] = [...lock, program, ...args];
  try {
    return spawn(first, rest, {
      cwd: '/',
      env: { PATH, LC_ALL: 'C', HOME: '/root', ...verb.environment },
      stdio: ['ignore', ...files],
      // A session of its own: nothing that is meant for the helper reaches it.
      detached: true,
    });
  } finally {
    for (const file of files) closeSync(file);
  }
}

async function ended(child: ChildProcess, limit?: number): Promise<{ exit: number | null; late: boolean }> {
  let late = false;
  const timer =
    limit &&
    setTimeout(() => {
      late = true;
      if (child.pid) process.kill(-child.pid, 'SIGKILL');
    }, limit * 1000);
  try {
    const exit = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', resolve);
    });
    return { exit, late };
  } finally {
    clearTimeout(timer);
  }
}

/** The errors that a program names as such, or the last thing that it said. */
function detailOf(errors: readonly string[]): string {
  const named = errors.filter((line) => /^[EW]:/.test(line));
  return (named.length > 0 ? named : errors.slice(-1)).join(' ').slice(0, 1000);
}

import { writeFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { PotionError } from './errors.js';

export interface RunOptions {
  /** Milliseconds until the program is ended. Default 30 s. */
  timeout?: number;
  /** Ends the program when the node that started it closes. */
  signal?: AbortSignal;
  cwd?: string;
  /** Added to a small fixed environment; nothing else is inherited. */
  env?: Record<string, string>;
  input?: string;
  /** Characters of stdout and stderr kept, each. Default 10 million. */
  maxOutput?: number;
  /** Called with stdout and stderr piece by piece, as they come; neither is kept, nor waited for to end a line. */
  onText?: (text: string) => void;
  /** It may start programs of its own, which end with it. They go on after a crash of Potion unless systemd ends them. */
  group?: boolean;
  /** Called with each line of stdout as it comes. */
  onLine?: (line: string) => void;
  /** As `onLine`, but stdout is not kept, however long it gets. */
  drain?: (line: string) => void;
}

export interface RunResult {
  exitCode: number;
  stdout: string;
  stderr: string;
  /** stdout or stderr was longer than `maxOutput` and was cut. */
  truncated: boolean;
  /** Milliseconds. */
  took: number;
}

/** Milliseconds between the polite and the other way to end a program. */
const GRACE = 2000;
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * Runs an outside program: an argument array, never a shell, a small environment, a time limit, an output cap.
 *
 * A non-zero exit is a result, not an error, because many programs exit 0 on failure and non-zero on success;
 * the caller judges by what was produced.
 * @throws PotionError UNAVAILABLE when the program is not installed, TIMEOUT, CANCELLED
 */
export async function run(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  // Loaded with the first program: it is large, and Potion's start needs none.
  const { execa } = await import('execa');
  const started = performance.now();
  const timeout = options.timeout ?? 30_000;
  const child = execa(program, [...args], {
    timeout,
    cancelSignal: options.signal,
    cwd: options.cwd,
    extendEnv: false,
    env: { PATH, LC_ALL: 'C', HOME: process.env.HOME ?? '/', ...options.env },
    stdin: options.input === undefined ? 'ignore' : 'pipe',
    input: options.input,
    maxBuffer: options.maxOutput ?? 10_000_000,
    reject: false,
    stripFinalNewline: true,
    killSignal: 'SIGTERM',
    forceKillAfterDelay: GRACE,
    detached: options.group ?? false,
    ...(options.onLine ? { stdout: lines(options.onLine) } : {}),
    ...(options.drain ? { stdout: drained(options.drain) } : {}),
    ...(options.onText ? { stdout: pieces(options.onText), stderr: pieces(options.onText) } : {}),
  });
  if (child.pid !== undefined) setBack(child.pid);
  const release = options.group ? endTogether(child, timeout, options.signal) : undefined;
  const result = await child;
  release?.();
  if (result.timedOut)
    throw new PotionError('TIMEOUT', 'errors.program-timeout', { program, seconds: timeout / 1000 });
  if (result.isCanceled) throw new PotionError('CANCELLED', 'errors.program-cancelled', { program });
  if (result.exitCode === undefined && !result.isMaxBuffer && !result.isTerminated)
    throw new PotionError(
      'UNAVAILABLE',
      'errors.program-missing',
      { program },
      result.cause ?? result.shortMessage,
    );
  return {
    exitCode: result.exitCode ?? -1,
    stdout: String(result.stdout ?? ''),
    stderr: String(result.stderr ?? ''),
    truncated: result.isMaxBuffer,
    took: performance.now() - started,
  };
}

interface Child {
  pid?: number;
  stdout: Readable | null;
  stderr: Readable | null;
}

/**
 * Ends a whole process group where execa ends its first process alone: what that has started would keep its
 * output open, and would be waited for. What has left the group is not waited for.
 * @returns what ends the watch
 */
function endTogether({ pid, stdout, stderr }: Child, timeout: number, signal?: AbortSignal): () => void {
  const kill = (how: NodeJS.Signals) => {
    try {
      if (pid !== undefined) process.kill(-pid, how);
    } catch {
      // They have all ended.
    }
  };
  const timers: NodeJS.Timeout[] = [];
  let ended = false;
  const end = () => {
    ended = true;
    kill('SIGTERM');
    timers.push(setTimeout(() => kill('SIGKILL'), GRACE));
    timers.push(setTimeout(() => [stdout, stderr].map((open) => open?.destroy()), GRACE + 200));
  };
  timers.push(setTimeout(end, timeout));
  signal?.addEventListener('abort', end, { once: true });
  return () => {
    for (const timer of timers) clearTimeout(timer);
    signal?.removeEventListener('abort', end);
    // Those that were asked in vain; after an end of its own it may leave behind what it likes.
    if (ended) kill('SIGKILL');
  };
}

/** When memory runs out, the program that takes it ends, not Potion, which has to tell of it. Never throws. */
function setBack(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, '500');
  } catch {
    // It has ended already, or this is no Linux.
  }
}

function lines(onLine: (line: string) => void) {
  return function* (line: unknown) {
    onLine(String(line));
    yield line as string;
  };
}

function drained(drain: (line: string) => void) {
  return function* (line: unknown): Generator<string> {
    drain(String(line));
    yield* [];
  };
}

function pieces(onText: (text: string) => void) {
  const decoder = new TextDecoder();
  return {
    binary: true,
    *transform(piece: unknown): Generator<Uint8Array> {
      onText(decoder.decode(piece as Uint8Array, { stream: true }));
      yield* [];
    },
  };
}

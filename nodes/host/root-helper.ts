import { connect } from 'node:net';
import { systemClock } from '../kit/clock.js';
import { describe, type ErrorCode, PotionError } from '../kit/errors.js';
import { type AptPlan, type AptSummary, aptPlan, aptSummary } from './apt-output.js';
import {
  HELPER_REASONS,
  HELPER_SOCKETS,
  type HelperArgs,
  type HelperEnd,
  type HelperLine,
  type HelperProgress,
  type HelperReason,
  type HelperVerb,
} from './helper-protocol.js';
import { type PotionNews, potionNews } from './potion-news.js';

export type { HelperArgs, HelperProgress, HelperVerb } from './helper-protocol.js';

/** What each verb brings. */
export interface HelperResult {
  'smartctl.read': SmartAnswer;
  'smartctl.test': SmartAnswer;
  'process.signal': Record<string, never>;
  'apt.refresh': Record<string, never>;
  'apt.list': AptPlan;
  'apt.upgrade': AptSummary;
  'potion.incoming': PotionNews;
  'potion.upgrade': Record<string, never>;
}

/** smartctl's JSON as it is. Its exit code is a set of bits and says little by itself, see smartctl(8). */
export interface SmartAnswer {
  exit: number | null;
  report: Record<string, unknown>;
}

export interface AskOptions {
  /** Ends the wait. What must not be interrupted, an upgrade, goes on. */
  signal?: AbortSignal;
  /** Milliseconds until the wait ends. Default: longer than the helper lets the verb take. */
  timeout?: number;
  /** Each line that the program prints, as it comes. */
  onLine?: (line: string) => void;
  onProgress?: (progress: HelperProgress) => void;
  /** Address of the socket, for tests. */
  socket?: string;
}

interface Reply {
  end: HelperEnd;
  out: string[];
}

const LIMITS: Record<HelperVerb, number> = {
  'smartctl.read': 90_000,
  'smartctl.test': 90_000,
  'process.signal': 20_000,
  'apt.refresh': 660_000,
  'apt.list': 180_000,
  'apt.upgrade': 7_200_000,
  'potion.incoming': 330_000,
  'potion.upgrade': 60_000,
};

const SERVED_BY: Record<string, keyof typeof HELPER_SOCKETS> = { smartctl: 'smartctl', process: 'process' };

const CODES: Record<HelperReason, ErrorCode> = {
  request: 'INVALID',
  'switched-off': 'DENIED',
  'no-disk': 'NOT_FOUND',
  'no-process': 'NOT_FOUND',
  guarded: 'DENIED',
  'no-program': 'UNAVAILABLE',
  busy: 'BUSY',
  'apt-lock': 'BUSY',
  'dpkg-interrupted': 'FAILED',
  'no-space': 'FAILED',
  'no-network': 'UNAVAILABLE',
  'apt-failed': 'FAILED',
  limit: 'TIMEOUT',
  broken: 'FAILED',
};

const READ: { [V in HelperVerb]: (reply: Reply) => HelperResult[V] } = {
  'smartctl.read': smartAnswer,
  'smartctl.test': smartAnswer,
  'process.signal': () => ({}),
  'apt.refresh': () => ({}),
  'apt.list': ({ out }) => aptPlan(out),
  'apt.upgrade': ({ out }) => aptSummary(out),
  'potion.incoming': ({ out }) => potionNews(out),
  'potion.upgrade': () => ({}),
};

const MOST_KEPT = 20_000_000;

/**
 * Asks Potion's root helper to do something that only root may do.
 * @throws PotionError DENIED when the helper is not set up or the administrator has switched the verb off,
 *   INVALID, NOT_FOUND (disk), UNAVAILABLE (program, network, helper), BUSY, TIMEOUT, CANCELLED, FAILED
 */
export async function askHelper<V extends HelperVerb>(
  verb: V,
  args: HelperArgs[V],
  options: AskOptions = {},
): Promise<HelperResult[V]> {
  const reply = await talk(verb, args, options);
  const { reason, detail } = reply.end;
  if (reason !== undefined) {
    const known = HELPER_REASONS.includes(reason) ? reason : 'broken';
    throw new PotionError(CODES[known], `errors.helper-${known}`, { verb, detail });
  }
  return READ[verb](reply);
}

function talk(verb: HelperVerb, args: object, options: AskOptions): Promise<Reply> {
  const { signal, timeout = LIMITS[verb] } = options;
  const path = options.socket ?? HELPER_SOCKETS[SERVED_BY[verb.split('.')[0] ?? ''] ?? 'apt'];
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    const reader = new Reader(options);
    const settle = (result: Reply | PotionError) => {
      cancel();
      signal?.removeEventListener('abort', leave);
      socket.destroy();
      if (result instanceof PotionError) reject(result);
      else resolve(result);
    };
    const fail = (code: ErrorCode, text: string, data = {}) =>
      settle(new PotionError(code, text, { verb, ...data }));
    const leave = () => fail('CANCELLED', 'errors.helper-left');
    const cancel = systemClock.after(timeout, () =>
      fail('TIMEOUT', 'errors.helper-timeout', { seconds: timeout / 1000 }),
    );
    signal?.addEventListener('abort', leave);
    socket.setEncoding('utf8');
    socket.on('connect', () => socket.write(`${JSON.stringify({ verb, args })}\n`));
    socket.on('data', (text: string) => {
      const end = reader.take(text);
      if (end) settle({ end, out: reader.out });
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (isMissing(error)) fail('DENIED', 'errors.helper-missing', { detail: describe(error) });
    });
    // Without a word: systemd had too many connections, or the helper could not start.
    socket.on('close', () =>
      reader.heard ? fail('FAILED', 'errors.helper-lost') : fail('UNAVAILABLE', 'errors.helper-silent'),
    );
    if (signal?.aborted) leave();
  });
}

/** Takes the answer apart. */
class Reader {
  readonly out: string[] = [];
  heard = false;
  readonly #options: AskOptions;
  #rest = '';
  #kept = 0;

  constructor(options: AskOptions) {
    this.#options = options;
  }

  /** @returns the end, once it has come */
  take(text: string): HelperEnd | undefined {
    this.heard = true;
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const end = this.#line(line);
      if (end) return end;
    }
    return undefined;
  }

  #line(line: string): HelperEnd | undefined {
    const told = parsed(line) as unknown as HelperLine;
    if ('out' in told) {
      this.#kept += told.out.length;
      if (this.#kept <= MOST_KEPT) this.out.push(told.out);
      this.#options.onLine?.(told.out);
    } else if ('err' in told) this.#options.onLine?.(told.err);
    else if ('progress' in told) this.#options.onProgress?.(told.progress);
    else return told;
    return undefined;
  }
}

/** A line that is no answer ends it, as a failure of the helper. */
function parsed(line: string): Record<string, unknown> {
  try {
    const value = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Said below.
  }
  return { exit: null, reason: 'broken', detail: line.slice(0, 200) };
}

function smartAnswer({ end, out }: Reply): SmartAnswer {
  try {
    return { exit: end.exit, report: JSON.parse(out.join('\n')) };
  } catch {
    const detail = out.join(' ').slice(0, 200);
    throw new PotionError('FAILED', 'errors.helper-broken', { verb: 'smartctl', detail });
  }
}

/** There is no socket, or it is not ours: the step of the guide has not been done. */
function isMissing({ code }: NodeJS.ErrnoException): boolean {
  return ['ENOENT', 'EACCES', 'EPERM', 'ECONNREFUSED', 'ENOTDIR'].includes(code ?? '');
}

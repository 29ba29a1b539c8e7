import { PotionError } from '../kit/errors.js';
import { hostName } from '../kit/host-name.js';
import { run } from '../kit/run.js';

/** What came back of the echo requests to one host. Times in seconds. */
export interface PingResult {
  /** As it was asked for. */
  host: string;
  /** The address that was asked; undefined when there was none. */
  address?: string;
  sent: number;
  received: number;
  /** Answers beyond one for each request. */
  duplicates: number;
  /** Ratio of requests without an answer, 0..1. */
  loss: number;
  /** Shortest, average and longest round trip; undefined without an answer. */
  min?: number;
  avg?: number;
  max?: number;
  /** Mean deviation of the round trips. */
  jitter?: number;
  /** Why nothing came back, as far as somebody said so. */
  problem?: PingProblem;
}

export type PingProblem =
  /** No such name. */
  | 'unknown-host'
  /** The name servers don't answer. */
  | 'no-dns'
  /** This machine has no way there. */
  | 'no-route'
  /** A router, or nobody on the link, could deliver it. */
  | 'unreachable'
  /** A firewall on the way says no. */
  | 'filtered';

const COUNT = 4;
/** Seconds. */
const DEADLINE = 8;

/**
 * Asks a host for echoes with the program `ping`: four of them, in at most eight seconds.
 * @param host an address or a name; nothing else reaches the program
 * @throws PotionError INVALID for what is no host, UNAVAILABLE without the program, DENIED when it may not open
 *   a socket here, FAILED for what it says that nobody understands, TIMEOUT, CANCELLED
 */
export async function ping(host: string, signal?: AbortSignal): Promise<PingResult> {
  const name = hostName(host);
  if (name === undefined) throw new PotionError('INVALID', 'errors.ping-host', { host: host.slice(0, 100) });
  const args = ['-n', '-c', String(COUNT), '-w', String(DEADLINE), '--', name];
  // Names may take their time beside that.
  const limits = { timeout: (DEADLINE + 12) * 1000, maxOutput: 100_000, signal };
  const { stdout, stderr } = await run('ping', args, limits).catch((thrown: unknown) => {
    throw explained(thrown);
  });
  const result = parsePing(host, stdout, stderr);
  if (result) return result;
  if (/operation not permitted|permission denied|cap_net_raw/i.test(stderr))
    throw new PotionError('DENIED', 'errors.ping-right', { detail: firstLine(stderr) });
  throw new PotionError('FAILED', 'errors.ping-failed', { detail: firstLine(stderr || stdout) });
}

function explained(thrown: unknown): unknown {
  if (!(thrown instanceof PotionError) || thrown.code !== 'UNAVAILABLE') return thrown;
  const detail = String(thrown.cause.data.detail ?? '');
  // A sandbox that forbids what the program's file asks for does not even start it.
  if (/EPERM|EACCES/.test(detail)) return new PotionError('DENIED', 'errors.ping-right', { detail });
  return new PotionError('UNAVAILABLE', 'errors.ping-missing');
}

const TOTALS =
  /^(\d+) packets transmitted, (\d+) received,(?: \+(\d+) duplicates,)?(?: \+\d+ corrupted,)?(?: \+\d+ errors,)? .*packet loss/m;
// The times that `ping` prints are milliseconds.
const TIMES =
  /^(?:rtt|round-trip) min\/avg\/max\/(?:mdev|stddev) = ([\d.]+)\/([\d.]+)\/([\d.]+)\/([\d.]+) ms/m;

const PROBLEMS: readonly [PingProblem, RegExp][] = [
  ['unknown-host', /name or service not known|no address associated|unknown host|not found/i],
  ['no-dns', /temporary failure in name resolution|non-recoverable failure/i],
  ['no-route', /network is unreachable|no route to host|cannot assign requested address|invalid argument/i],
  ['filtered', /prohibited|filtered/i],
  ['unreachable', /unreachable|time to live exceeded|no route/i],
];

/**
 * Reads what iputils' ping prints in the C locale.
 * @returns undefined when it says neither what came back nor why nothing could
 */
export function parsePing(host: string, stdout: string, stderr: string): PingResult | undefined {
  const nothing = { host, sent: 0, received: 0, duplicates: 0, loss: 1 };
  const [, sent, received, duplicates] = TOTALS.exec(stdout) ?? [];
  if (sent === undefined) {
    const problem = problemIn(stderr);
    return problem && { ...nothing, problem };
  }
  const counts = { sent: Number(sent), received: Number(received), duplicates: Number(duplicates ?? 0) };
  // With duplicates about, `ping` may count more answers than requests.
  const loss = counts.sent > 0 ? Math.max(0, 1 - counts.received / counts.sent) : 1;
  const [, min, avg, max, jitter] = TIMES.exec(stdout) ?? [];
  const times =
    min === undefined
      ? {}
      : { min: seconds(min), avg: seconds(avg), max: seconds(max), jitter: seconds(jitter) };
  const problem = counts.received === 0 ? problemIn(`${stderr}\n${complaints(stdout)}`) : undefined;
  const address = /^PING \S+? ?\(([0-9a-fA-F.:]+(?:%[\w.-]+)?)\)/m.exec(stdout)?.[1];
  return {
    ...nothing,
    ...(address ? { address } : {}),
    ...counts,
    loss,
    ...times,
    ...(problem ? { problem } : {}),
  };
}

/** What routers on the way have said: `From 192.0.2.1 icmp_seq=1 Destination Host Unreachable`. */
function complaints(stdout: string): string {
  return [...stdout.matchAll(/^From .*$/gm)].map(([line]) => line).join('\n');
}

function problemIn(text: string): PingProblem | undefined {
  return PROBLEMS.find(([, words]) => words.test(text))?.[0];
}

function seconds(milliseconds: string | undefined): number {
  return Number((Number(milliseconds) / 1000).toFixed(6));
}

function firstLine(text: string): string {
  return (text.trim().split('\n')[0] ?? '').slice(0, 200);
}

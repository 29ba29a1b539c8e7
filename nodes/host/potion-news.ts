import { PotionError } from '../kit/errors.js';

/** A commit of Potion, with the version that its package.json names. */
export interface PotionCommit {
  commit: string;
  version: string;
}

/** What a newer Potion brings, as ops/install/source-clone.mjs tells. */
export interface PotionNews {
  /** `diverged`: what is installed is no part of the branch that news come from. */
  state: 'current' | 'incoming' | 'diverged';
  from: PotionCommit;
  to: PotionCommit;
  /** Where it comes from, without a password. */
  url: string;
  branch: string;
  /** How many commits. */
  count: number;
  /** The newest of them; `at` in epoch ms. */
  commits: { commit: string; at: number; by: string; subject: string }[];
  /** How many files change. */
  files: number;
  /** Lines that CHANGELOG.md gains. */
  news: string[];
}

/**
 * Reads what pull.mjs says.
 * @throws PotionError NOT_FOUND when Potion was not installed from a clone with a remote, UNAVAILABLE when that
 *   can't be fetched, DENIED when it is not root's alone, FAILED
 */
export function potionNews(lines: readonly string[]): PotionNews {
  const said = parsed(lines.join('\n'));
  const failure = said.error as { reason?: unknown; detail?: unknown } | undefined;
  if (failure) throw sourceError(String(failure.reason), String(failure.detail ?? ''));
  return said as unknown as PotionNews;
}

const CODES = {
  'no-source': 'NOT_FOUND',
  'bad-source': 'INVALID',
  'not-installed': 'NOT_FOUND',
  foreign: 'DENIED',
  'fetch-failed': 'UNAVAILABLE',
  'not-potion': 'INVALID',
  'not-on-branch': 'INVALID',
  'not-forward': 'INVALID',
  'git-failed': 'FAILED',
} as const;

/** A word of ops/install/source.mjs as an error. */
export function sourceError(reason: string, detail: string): PotionError {
  const known = Object.hasOwn(CODES, reason) ? (reason as keyof typeof CODES) : 'git-failed';
  return new PotionError(CODES[known], `errors.source-${known}`, { detail });
}

function parsed(text: string): Record<string, unknown> {
  try {
    const value = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Said below.
  }
  throw new PotionError('FAILED', 'errors.helper-broken', {
    verb: 'potion.incoming',
    detail: text.slice(0, 200),
  });
}

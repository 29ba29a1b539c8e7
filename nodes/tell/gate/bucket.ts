/** How many updates one person may send. */
export interface Allowance {
  /** At once. */
  burst: number;
  /** Per second, after that. */
  perSecond: number;
  /** Milliseconds of quiet after which someone who sent too much is heard again. */
  calm: number;
}

/** 20 in 10 s: more than a hurried person types, less than a stuck client or a script sends. */
export const ADMIN_ALLOWANCE: Allowance = { burst: 20, perSecond: 2, calm: 5000 };

/** What is left of someone's allowance. Times are monotonic ms. */
export interface Bucket {
  tokens: number;
  at: number;
  /** Since then there were too many. */
  silenced: boolean;
}

/** `first`: over the limit just now, worth one word; `still`: nothing more to say until it is calm. */
export type Pass = 'free' | 'first' | 'still';

/** Takes one update out of someone's bucket. A token bucket that, once empty, stays shut until it is calm. */
export function take(
  bucket: Bucket | undefined,
  now: number,
  allowance: Allowance = ADMIN_ALLOWANCE,
): { bucket: Bucket; pass: Pass } {
  const { burst, perSecond, calm } = allowance;
  const quiet = bucket ? Math.max(0, now - bucket.at) : 0;
  if (bucket?.silenced && quiet < calm) return { bucket: { ...bucket, at: now }, pass: 'still' };
  const before = bucket && !bucket.silenced ? bucket.tokens : burst;
  const tokens = Math.min(burst, before + (quiet / 1000) * perSecond);
  if (tokens >= 1) return { bucket: { tokens: tokens - 1, at: now, silenced: false }, pass: 'free' };
  return { bucket: { tokens, at: now, silenced: true }, pass: 'first' };
}

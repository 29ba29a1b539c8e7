/**
 * What of Potion a restart can mend. Telegram away, a full disk or a missing node type are no part of it: there a
 * restart would only take away the one that can tell of it.
 */
export const CORE_PARTS = ['flows', 'database', 'sampler', 'outbox'] as const;

export type CorePart = (typeof CORE_PARTS)[number];

/** How a part stands that may be stuck; a part with nothing to complain about has none. */
export interface Stand {
  /** Changes with each sign of life. What stays the same for longer than `patience` is stuck. */
  mark: string;
  /** What is wrong then, in plain English. */
  why: string;
  /** Milliseconds. */
  patience: number;
}

export type Stands = Partial<Record<CorePart, Stand>>;

/** What was seen of the core so far. */
export interface CoreWatch {
  /** Milliseconds that were watched. */
  readonly watched: number;
  /** Monotonic ms of the last look. */
  readonly looked: number | undefined;
  /** How each part stands, and at which `watched` it came to stand so. */
  readonly since: Partial<Record<CorePart, { mark: string; at: number }>>;
}

export const UNWATCHED: CoreWatch = { watched: 0, looked: undefined, since: {} };

/**
 * Takes a look into account. Time that nobody watched (the process or the machine stood still) counts as `longest`
 * ms at most, because the parts stood still as well; the wall clock may jump as it likes.
 * @param now monotonic ms
 */
export function watchCore(watch: CoreWatch, stands: Stands, now: number, longest: number): CoreWatch {
  const passed = watch.looked === undefined ? 0 : Math.min(Math.max(0, now - watch.looked), longest);
  const watched = watch.watched + passed;
  const since: CoreWatch['since'] = {};
  for (const part of CORE_PARTS) {
    const mark = stands[part]?.mark;
    if (mark === undefined) continue;
    const before = watch.since[part];
    since[part] = before?.mark === mark ? before : { mark, at: watched };
  }
  return { watched, looked: now, since };
}

/** The parts that have stood the same for longer than their patience, with what is wrong. */
export function stuckParts(watch: CoreWatch, stands: Stands): { part: CorePart; why: string }[] {
  return CORE_PARTS.flatMap((part) => {
    const stand = stands[part];
    const since = watch.since[part];
    const isStuck = stand && since?.mark === stand.mark && watch.watched - since.at >= stand.patience;
    return isStuck ? [{ part, why: stand.why }] : [];
  });
}

import type { AptRun, HistoryMark } from '../../host/apt-history.js';
import type { Request } from '../../kit/messages.js';
import type { Database } from '../../state/database.js';
import { removeSetting, storedSettings, writeSetting } from '../../state/settings.js';

/** An upgrade that is under way: all that is needed to tell of it after a restart. */
export interface AptJob {
  /** Who asked; absent: the schedule. */
  request?: Request;
  /** Epoch ms. */
  startedAt: number;
  /** Where apt's history ended before it. */
  mark: HistoryMark;
}

/** What became of an upgrade that nobody has watched to its end. */
export type AptFate =
  /** It did what it was to do; `upgraded` are names of packages. */
  | { kind: 'done'; upgraded: string[]; installed: string[]; took: number }
  /** apt itself says that it failed. */
  | { kind: 'failed'; upgraded: string[]; installed: string[]; error: string }
  /** It was cut off while it was installing: power, or somebody has killed it. */
  | { kind: 'cut-off'; upgraded: string[] }
  /** apt has no entry: it ended before it installed anything, or there was nothing to do. */
  | { kind: 'nothing' };

const key = (node: string) => `update:apt:${node}`;

/** Keeps it, before it takes effect. */
export function keepJob(db: Database, node: string, job: AptJob): Promise<void> {
  return writeSetting(db, key(node), job, { user: job.request?.user ?? null, at: job.startedAt });
}

export async function keptJob(db: Database, node: string): Promise<AptJob | undefined> {
  return (await storedSettings(db, key(node))).get(key(node)) as AptJob | undefined;
}

export async function forgetJob(db: Database, node: string): Promise<void> {
  await removeSetting(db, key(node));
}

/** Reads it from what apt has written down since, of its runs that the root helper has started. */
export function fateOf(runs: readonly AptRun[]): AptFate {
  const last = runs.at(-1);
  if (!last) return { kind: 'nothing' };
  const { upgraded, installed, error, startedAt, endedAt } = last;
  if (error !== undefined) return { kind: 'failed', upgraded, installed, error };
  if (endedAt === undefined) return { kind: 'cut-off', upgraded };
  return { kind: 'done', upgraded, installed, took: (endedAt - startedAt) / 1000 };
}

import type { Stands } from '../../nodes/kit/core-health.js';
import type { Part, Pulse } from '../../nodes/kit/pulse.js';

/** What the core is judged by, as one look finds it. */
export interface CoreFacts {
  /** `excused`: they don't run for a reason that only a person can end, e.g. a missing node type. */
  flows: 'running' | 'stopped' | 'excused';
  pulseOf(part: Part): Pulse | undefined;
  /** Bytes that Potion's user can still write where the database is; undefined: not known. */
  free: number | undefined;
  /** The database is known to be damaged: the next start looks into it. */
  damaged: boolean;
  /** What waits longest in the outbox although it is due; changes with each attempt. */
  overdue: string | undefined;
}

const MINUTE = 60_000;
/** Less free space than this counts as a full disk: SQLite needs some for its log beside the data. */
const FULL = 8e6;
/** Time for the person to be told what is wrong, before the restart that ends in a refusal. */
const DAMAGE_TOLD = MINUTE / 4;

/**
 * How the parts stand. The waits are long against everything that passes by itself: five minutes without a
 * database or flows, ten without a sample (of which there is one every few seconds), half an hour for a message,
 * because Telegram may tell a bot to be silent for about as long.
 */
export function coreStands({ flows, pulseOf, free, damaged, overdue }: CoreFacts): Stands {
  const stands: Stands = {};
  if (flows === 'stopped')
    stands.flows = { mark: 'stopped', why: 'the flows have stopped without a reason', patience: 5 * MINUTE };
  const database = pulseOf('database');
  if (damaged) stands.database = { mark: 'damaged', why: 'the database is damaged', patience: DAMAGE_TOLD };
  else if (!(free !== undefined && free < FULL))
    stands.database = {
      mark: String(database?.at),
      why: `the database can't be written: ${database?.ailing ?? 'no answer'}`,
      patience: 5 * MINUTE,
    };
  // One that never sampled is not there; one that finds nothing to read samples all the same.
  const sampler = pulseOf('sampler');
  if (flows === 'running' && sampler && sampler.ailing === undefined)
    stands.sampler = {
      mark: String(sampler.at),
      why: 'the metrics node has stopped sampling',
      patience: Math.max(10 * MINUTE, 3 * sampler.within),
    };
  if (flows === 'running' && overdue !== undefined)
    stands.outbox = { mark: overdue, why: 'a message that is due is not sent', patience: 30 * MINUTE };
  return stands;
}

import type { UpgradeRecord } from '../../host/upgrade-record.js';
import type { Request } from '../../kit/messages.js';
import type { Database } from '../../state/database.js';
import { removeSetting, storedSettings, writeSetting } from '../../state/settings.js';

/** An upgrade of Potion that was asked for: all that is needed to tell of it after the restart. */
export interface PullJob {
  request?: Request;
  commit: string;
  /** Epoch ms. */
  startedAt: number;
}

/** What became of it; `lost`: the machine went down in between, or it did not begin. */
export type PullFate = { kind: 'waiting'; step: string } | { kind: 'over'; record: UpgradeRecord } | Lost;

type Lost = { kind: 'lost'; begun: boolean };

/** systemd may take so long to start what was asked for, milliseconds. */
const BEGINS_WITHIN = 20_000;
/** The record of this very upgrade can't be older; both times are of one clock. */
const SLACK = 2000;

const key = (node: string) => `update:pull:${node}`;

/** Keeps it, before it takes effect. */
export function keepPull(db: Database, node: string, job: PullJob): Promise<void> {
  return writeSetting(db, key(node), job, { user: job.request?.user ?? null, at: job.startedAt });
}

export async function keptPull(db: Database, node: string): Promise<PullJob | undefined> {
  return (await storedSettings(db, key(node))).get(key(node)) as PullJob | undefined;
}

export async function forgetPull(db: Database, node: string): Promise<void> {
  await removeSetting(db, key(node));
}

/**
 * Where an upgrade stands.
 * @param active whether its unit is at work
 * @param waited milliseconds since it was looked for first
 */
export function fateOfPull(
  job: PullJob,
  record: UpgradeRecord | undefined,
  active: boolean,
  waited: number,
): PullFate {
  const own = record?.commit === job.commit && record.startedAt >= job.startedAt - SLACK ? record : undefined;
  if (own && own.state !== 'running') return { kind: 'over', record: own };
  // Its unit is over a moment after its last word.
  if (active || waited < BEGINS_WITHIN) return { kind: 'waiting', step: own?.step ?? '' };
  return { kind: 'lost', begun: own !== undefined };
}

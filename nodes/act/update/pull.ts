import { askHelper } from '../../host/root-helper.js';
import { isUpgradingTo, onUpgradeRecord, upgradeRecord } from '../../host/upgrade-record.js';
import type { NodeContext } from '../../kit/define-node.js';
import { PotionError } from '../../kit/errors.js';
import type { Request } from '../../kit/messages.js';
import { audit } from '../../state/audit.js';
import { type Database, database } from '../../state/database.js';
import { fateOfPull, forgetPull, keepPull, keptPull, type PullFate, type PullJob } from './pull-job.js';

type Around = Pick<NodeContext<object>, 'clock' | 'id' | 'signal'>;

/** The end of an upgrade. */
export type PullEnd = Exclude<PullFate, { kind: 'waiting' }>;

/** A look without a word from the record, milliseconds. */
const LOOK_EVERY = 5000;
/** What is shown of its steps, at most so often. */
const TELL_EVERY = 3000;
/** As long as the unit may take, and a little more. */
const LOOK_FOR = 65 * 60_000;

/** The id of a commit in a request. @throws PotionError INVALID */
export function commitOf(payload: unknown): string {
  const { commit } = (payload ?? {}) as { commit?: unknown };
  if (typeof commit === 'string' && /^[0-9a-f]{40}$/.test(commit)) return commit;
  throw new PotionError('INVALID', 'update.errors.commit', { given: String(commit).slice(0, 60) });
}

/**
 * Has root bring Potion to a commit. Returns when that has begun; Potion is restarted on the way.
 * @throws PotionError as askHelper does, BUSY
 */
export async function beginPull(
  { clock, id, signal }: Around,
  commit: string,
  request: Request | undefined,
): Promise<PullJob> {
  const db = await database();
  const running = await upgradeRecord();
  if (running?.state === 'running' && (await isUpgradingTo(running.commit, signal)))
    throw new PotionError('BUSY', 'update.errors.pulling', { commit: running.commit.slice(0, 7) });
  const job: PullJob = { commit, startedAt: clock.now(), ...(request ? { request } : {}) };
  await keepPull(db, id, job);
  try {
    await askHelper('potion.upgrade', { commit }, { signal });
    return job;
  } catch (thrown) {
    if (!signal.aborted) await forgetPull(db, id);
    throw thrown;
  }
}

/** The upgrade that an earlier Potion has begun, if this one has to tell of it. */
export async function pullLeft(db: Database, { id }: Around): Promise<PullJob | undefined> {
  return keptPull(db, id);
}

/**
 * Waits for the end of an upgrade.
 * @param tell takes what is being done, now and then
 * @throws the reason of the signal, when Potion is stopped on the way
 */
export async function followPull(
  { clock, signal }: Around,
  job: PullJob,
  tell: (step: string) => void,
): Promise<PullEnd> {
  const began = clock.monotonic();
  let told = Number.NEGATIVE_INFINITY;
  let last = '';
  for (;;) {
    const active = await isUpgradingTo(job.commit, signal);
    const waited = clock.monotonic() - began;
    const fate = fateOfPull(job, await upgradeRecord(), active && waited < LOOK_FOR, waited);
    if (fate.kind !== 'waiting') return fate;
    if (fate.step !== last && clock.monotonic() - told >= TELL_EVERY) {
      told = clock.monotonic();
      last = fate.step;
      tell(fate.step);
    }
    await news(clock, signal);
  }
}

/** Until the record changes, or a while has passed. */
function news(clock: NodeContext<object>['clock'], signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = () => {
      end();
      cancel();
      signal.removeEventListener('abort', settle);
      if (signal.aborted) reject(signal.reason);
      else resolve();
    };
    const end = onUpgradeRecord(settle);
    const cancel = clock.after(LOOK_EVERY, settle);
    signal.addEventListener('abort', settle);
    if (signal.aborted) settle();
  });
}

/** Keeps what came of it in the audit log. */
export async function auditPull(db: Database, job: PullJob, end: PullEnd, at: number): Promise<void> {
  const result = end.kind === 'over' ? end.record.state : 'lost';
  const target = job.commit.slice(0, 12);
  await audit(db, {
    at,
    user: job.request?.user ?? null,
    event: 'result',
    action: 'git_apply',
    target,
    result,
  });
}

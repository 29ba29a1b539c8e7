import { historyMark, historySince, isUpgrading, UPGRADE_MARK } from '../../host/apt-history.js';
import { type RebootNeed, rebootNeed } from '../../host/reboot-required.js';
import { askHelper, type HelperProgress } from '../../host/root-helper.js';
import type { NodeContext } from '../../kit/define-node.js';
import { toPotionError } from '../../kit/errors.js';
import type { Message, Request } from '../../kit/messages.js';
import { type Database, database } from '../../state/database.js';
import { type AptFate, type AptJob, fateOf, forgetJob, keepJob, keptJob } from './apt-job.js';

type Around = Pick<NodeContext<object>, 'clock' | 'id' | 'signal'>;

/** What came of an upgrade. */
export interface AptResult {
  upgraded: number;
  installed: number;
  /** Left as they are, for now. */
  kept: number;
  /** Seconds. */
  took: number;
  reboot: RebootNeed;
}

/** What came of one that was not watched to its end. */
export interface AptAftermath {
  fate: AptFate;
  startedAt: number;
  reboot: RebootNeed;
}

/** Tells how far it is; at most so often, milliseconds. */
const TELL_EVERY = 3000;
/** Between two looks whether an upgrade that nobody tells about is still at work, milliseconds. */
const LOOK_EVERY = 2000;
/** So long it is looked after, milliseconds. */
const LOOK_FOR = 4 * 3_600_000;

/** What askHelper says when the upgrade goes on without anybody to tell of it. */
const UNWATCHED = ['errors.helper-lost', 'errors.helper-timeout'];

/**
 * Upgrades the packages. The wish is kept before it takes effect, so that a Potion that ends in between can
 * tell afterwards what came of it; whoever tells of it forgets it then (forgetJob).
 * @param tell takes how far it is, now and then
 * @throws PotionError as askHelper does
 */
export async function aptUpgrade(
  { clock, id, signal }: Around,
  request: Request | undefined,
  tell: (progress: HelperProgress) => void,
): Promise<AptResult | AptAftermath> {
  const db = await database();
  const job: AptJob = { startedAt: clock.now(), mark: await historyMark(), ...(request ? { request } : {}) };
  const before = await keptJob(db, id);
  await keepJob(db, id, job);
  const started = clock.monotonic();
  let told = Number.NEGATIVE_INFINITY;
  const onProgress = (progress: HelperProgress) => {
    if (clock.monotonic() - told < TELL_EVERY) return;
    told = clock.monotonic();
    tell(progress);
  };
  try {
    const summary = await askHelper('apt.upgrade', {}, { signal, onProgress });
    const took = (clock.monotonic() - started) / 1000;
    return { ...summary, took, reboot: await rebootNeed() };
  } catch (thrown) {
    const { cause, code } = toPotionError(thrown);
    if (UNWATCHED.includes(cause.text)) return watchJob({ clock, signal }, job);
    // The node closes and apt goes on: who comes after it looks.
    if (signal.aborted) throw thrown;
    // Another one that is still at work belongs to whoever asked before.
    if (code === 'BUSY' && before) await keepJob(db, id, before);
    else await forgetJob(db, id);
    throw thrown;
  }
}

/**
 * What became of the upgrade that an earlier process, or this node before a deploy, has left.
 * @returns undefined when there was none
 */
export async function aftermath(around: Around, db: Database): Promise<Message | undefined> {
  const job = await keptJob(db, around.id);
  if (!job) return undefined;
  const payload = await watchJob(around, job);
  return { payload, ...(job.request ? { request: job.request } : {}) };
}

/** Waits until apt is no longer at work, and looks up what it has done. */
async function watchJob({ clock, signal }: Omit<Around, 'id'>, job: AptJob): Promise<AptAftermath> {
  const began = clock.monotonic();
  while ((await isUpgrading()) && clock.monotonic() - began < LOOK_FOR)
    await pause(clock, LOOK_EVERY, signal);
  const runs = await historySince(job.mark);
  const fate = fateOf(runs.filter(({ command }) => command.includes(UPGRADE_MARK)));
  return { fate, startedAt: job.startedAt, reboot: await rebootNeed() };
}

/** @throws the reason of the signal */
function pause(clock: NodeContext<object>['clock'], ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = () => {
      cancel();
      reject(signal.reason);
    };
    const cancel = clock.after(ms, () => {
      signal.removeEventListener('abort', leave);
      resolve();
    });
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
  });
}

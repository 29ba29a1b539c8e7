import type { Clock } from '../kit/clock.js';
import { toPotionError } from '../kit/errors.js';
import { type Database, database } from './database.js';

/** Milliseconds between two attempts: space on a disk comes back when a person has made some. */
const EVERY = 5000;

/**
 * Begins a node's work that needs the database. When that can't be used right now (no space, no right), the
 * failure is thrown for the person to see, and the work is begun again and again until it succeeds or the node
 * closes: nobody has to restart anything.
 * @param begin what is done from its beginning each time, so it may leave nothing behind when it fails
 */
export async function withDatabase(
  { clock, signal }: { clock: Clock; signal: AbortSignal },
  begin: (db: Database) => Promise<void>,
): Promise<void> {
  const attempt = async () => begin(await database());
  const later = () => {
    if (signal.aborted) return;
    const cancel = clock.after(EVERY, () => {
      signal.removeEventListener('abort', cancel);
      // The failure is known already; only its end is news.
      attempt().catch(later);
    });
    signal.addEventListener('abort', cancel);
  };
  try {
    await attempt();
  } catch (thrown) {
    if (toPotionError(thrown).code === 'UNAVAILABLE') later();
    throw thrown;
  }
}

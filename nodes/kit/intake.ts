/**
 * What was received and is not yet kept. Telegram forgets an update as soon as the next poll asks for what comes
 * after it, so that poll waits for this; a crash in between then costs nothing.
 */
const open = new Set<Promise<unknown>>();

/** Updates are held for so long at most, ms: a gate that stands still must not make Potion deaf. */
const LONGEST = 10_000;

/** Something received is being kept until `work` has settled. */
export function keeping(work: Promise<unknown>): void {
  const settled = work.catch(() => {}).finally(() => open.delete(settled));
  open.add(settled);
}

/** Resolves once everything received is kept, when `signal` aborts, or after 10 s. */
export async function allKept(signal: AbortSignal): Promise<void> {
  if (open.size === 0) return;
  const limit = AbortSignal.any([signal, AbortSignal.timeout(LONGEST)]);
  const over = new Promise<void>((resolve) => {
    if (limit.aborted) resolve();
    else limit.addEventListener('abort', () => resolve(), { once: true });
  });
  while (open.size > 0 && !limit.aborted) await Promise.race([Promise.all(open), over]);
}

import { type AptChange, downloadBytes } from '../../host/apt-output.js';
import { type RebootNeed, rebootNeed } from '../../host/reboot-required.js';
import { askHelper } from '../../host/root-helper.js';
import { type Failure, toPotionError } from '../../kit/errors.js';
import { run } from '../../kit/run.js';

/** What an upgrade would bring now. */
export interface AptOffer {
  /** Security updates first, then by name. */
  packages: AptChange[];
  /** How many of them are security updates. */
  security: number;
  /** There is something newer, but it stays for now. */
  kept: string[];
  /** Still to be fetched; absent when that can't be told. */
  bytes?: number;
  reboot: RebootNeed;
  /** Why the lists could not be fetched: what is offered is what was known before. */
  stale?: Failure;
}

// The same as the root helper's apt.list and apt.upgrade; nothing is fetched and no right is needed.
const URIS = ['--quiet', '--print-uris', '--with-new-pkgs', '--no-remove', 'upgrade'];

/**
 * Fetches the lists of packages, and what is new in them.
 * @param strict fail when the lists can't be fetched, instead of offering what was known before
 * @throws PotionError as askHelper does
 */
export async function aptOffer(signal: AbortSignal, strict: boolean): Promise<AptOffer> {
  const stale = await refresh(signal, strict);
  const { changes, kept } = await askHelper('apt.list', {}, { signal });
  const [bytes, reboot] = await Promise.all([downloadOf(signal), rebootNeed()]);
  const packages = changes.toSorted(
    (a, b) => Number(b.security) - Number(a.security) || a.name.localeCompare(b.name),
  );
  return {
    packages,
    security: packages.filter(({ security }) => security).length,
    kept,
    ...(bytes === undefined ? {} : { bytes }),
    reboot,
    ...(stale ? { stale } : {}),
  };
}

async function refresh(signal: AbortSignal, strict: boolean): Promise<Failure | undefined> {
  try {
    await askHelper('apt.refresh', {}, { signal });
    return undefined;
  } catch (thrown) {
    const { code, cause } = toPotionError(thrown);
    // Without the right, or while apt is at work, there is nothing to be offered either.
    if (strict || code === 'DENIED' || code === 'BUSY' || code === 'CANCELLED') throw thrown;
    return cause;
  }
}

async function downloadOf(signal: AbortSignal): Promise<number | undefined> {
  const { exitCode, stdout } = await run('apt-get', URIS, { signal, timeout: 60_000 });
  return exitCode === 0 ? downloadBytes(stdout.split('\n')) : undefined;
}

import { isIP } from 'node:net';
import { describe, PotionError } from '../../kit/errors.js';

/** The address that others see, and who said so. */
export interface PublicAddress {
  address: string;
  /** Host of the service that was asked. */
  source: string;
}

/** Milliseconds for each service. */
const LIMIT = 5000;
/** More than any address; a page of HTML is no answer. */
const LONGEST = 100;

/**
 * Asks the services in turn until one answers with an address.
 * @throws PotionError INVALID when none is configured, UNAVAILABLE when none answers, CANCELLED
 */
export async function publicAddress(
  urls: readonly string[],
  signal: AbortSignal,
  limit = LIMIT,
): Promise<PublicAddress> {
  if (urls.length === 0) throw new PotionError('INVALID', 'network.errors.no-service');
  const failures: string[] = [];
  for (const url of urls) {
    const source = new URL(url).host;
    try {
      return {
        address: await addressFrom(url, AbortSignal.any([signal, AbortSignal.timeout(limit)])),
        source,
      };
    } catch (thrown) {
      if (signal.aborted) throw new PotionError('CANCELLED', 'network.errors.no-public', { sources: source });
      failures.push(`${source} (${why(thrown)})`);
    }
  }
  throw new PotionError('UNAVAILABLE', 'network.errors.no-public', { sources: failures.join(', ') });
}

async function addressFrom(url: string, signal: AbortSignal): Promise<string> {
  const answer = await fetch(url, { signal, headers: { accept: 'text/plain', 'user-agent': 'potion' } });
  if (!answer.ok) {
    await answer.body?.cancel();
    throw new Error(`HTTP ${answer.status}`);
  }
  const text = (await firstBytes(answer)).trim();
  if (!isIP(text)) throw new Error('no address');
  return text;
}

async function firstBytes(answer: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of answer.body ?? []) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > LONGEST) throw new Error('no address');
  }
  return Buffer.concat(chunks).toString('latin1');
}

// undici says "fetch failed" and keeps the reason inside.
function why(thrown: unknown): string {
  const { name, cause } = thrown as { name?: string; cause?: { code?: string } };
  return name === 'TimeoutError' ? 'timeout' : (cause?.code ?? describe(thrown));
}

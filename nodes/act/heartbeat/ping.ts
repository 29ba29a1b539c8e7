/** How a ping went; `why` names no address, because the address is a secret. */
export type PingResult = { ok: true } | { ok: false; why: string };

const LIMIT = 10_000;

/** The address that says "I am ailing", as healthchecks.io has it: `/fail` behind the path. */
export function failAddress(address: string): string {
  const url = new URL(address);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/fail`;
  return url.href;
}

/** Asks for an address and expects a 2xx; a redirect is not followed. Never throws. */
export async function ping(address: string, signal: AbortSignal, limit = LIMIT): Promise<PingResult> {
  try {
    const response = await fetch(address, {
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(limit)]),
    });
    // What it answers does not matter; unread it would keep the connection.
    await response.body?.cancel();
    return response.ok ? { ok: true } : { ok: false, why: `HTTP ${response.status}` };
  } catch (thrown) {
    return { ok: false, why: reasonOf(thrown, limit) };
  }
}

// Messages of fetch may hold the address, codes never do.
function reasonOf(thrown: unknown, limit: number): string {
  if (!(thrown instanceof Error)) return 'fetch failed';
  if (thrown.name === 'TimeoutError') return `no answer within ${limit / 1000} s`;
  const { cause } = thrown;
  if (cause instanceof AggregateError) return codeOf(cause.errors[0]) ?? 'fetch failed';
  return codeOf(cause) ?? (thrown.name === 'AbortError' ? 'cancelled' : 'fetch failed');
}

function codeOf(thrown: unknown): string | undefined {
  const code = thrown instanceof Error ? (thrown as NodeJS.ErrnoException).code : undefined;
  return typeof code === 'string' && /^[A-Z0-9_]+$/.test(code) ? code : undefined;
}

import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Config } from '../../nodes/kit/config.js';
import type { HealthFinding } from './findings.js';
import { describe, limited } from './limit.js';

const PATH = '/potion/health';

/** Tailscale gives out addresses of these ranges alone: 100.64.0.0/10 and fd7a:115c:a1e0::/48. */
const TAILSCALE = /^(100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|fd7a:115c:a1e0:)/;

/**
 * Where Potion may listen, likeliest first. Which address it has chosen is its own knowledge, so all that
 * come into question are asked.
 */
export function addressesOf(editorBind: string, own: readonly string[] = ownAddresses()): string[] {
  if (isIP(editorBind) && !['0.0.0.0', '::'].includes(editorBind)) return [editorBind];
  return ['127.0.0.1', ...(editorBind === '::' ? ['::1'] : []), ...own.filter((ip) => TAILSCALE.test(ip))];
}

function ownAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flat()
    .flatMap((address) => (address ? [address.address] : []));
}

/** Asks the running Potion how it is. Never throws. */
export async function lookAtHealth({ editorBind, port }: Config, ms: number): Promise<HealthFinding> {
  const addresses = addressesOf(editorBind);
  const found = await Promise.all(addresses.map((address) => ask(urlOf(address, port), ms)));
  return (
    found.find(({ answer }) => answer === 'ok') ??
    found.find(({ answer }) => answer === 'ailing') ??
    found.find((finding) => finding.answer === 'none' && finding.why !== 'refused') ??
    (found[0] as HealthFinding)
  );
}

function urlOf(address: string, port: number): string {
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}${PATH}`;
}

async function ask(url: string, ms: number): Promise<HealthFinding> {
  try {
    const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(ms) });
    return judge(response.status, await limited(response, 100_000));
  } catch (thrown) {
    const detail = describe(thrown);
    if ((thrown as Error).name === 'TimeoutError')
      return { answer: 'none', why: 'timeout', detail: `no answer within ${ms / 1000} s` };
    return { answer: 'none', why: /ECONNREFUSED/.test(detail) ? 'refused' : 'failed', detail };
  }
}

/** Another program may have the port; only Potion names its parts. */
function judge(status: number, text: string): HealthFinding {
  const foreign = (detail: string): HealthFinding => ({ answer: 'none', why: 'foreign', detail });
  let body: { parts?: Record<string, { ok?: unknown; reason?: unknown } | null> } | null;
  try {
    body = JSON.parse(text);
  } catch {
    return foreign(`HTTP ${status}, and not Potion's answer`);
  }
  if (!body?.parts || typeof body.parts !== 'object')
    return foreign(`HTTP ${status}, and not Potion's answer`);
  if (status === 200) return { answer: 'ok' };
  const parts = Object.entries(body.parts)
    .filter(([, part]) => part?.ok === false)
    .map(([name, part]) => [name.slice(0, 40), String(part?.reason ?? '').slice(0, 200)]);
  return { answer: 'ailing', parts: Object.fromEntries(parts) };
}

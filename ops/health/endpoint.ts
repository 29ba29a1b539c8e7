import type { Config } from '../../nodes/kit/config.js';
import type { HealthFinding } from './findings.js';
import { describe, limited } from './limit.js';

const PATH = '/potion/health';

/** Asks the running Potion how it is, at its address on this machine itself. Never throws. */
export function lookAtHealth({ editorBind, port }: Config, ms: number): Promise<HealthFinding> {
  const host = { '0.0.0.0': '127.0.0.1', '::': '[::1]', '::1': '[::1]' }[editorBind] ?? editorBind;
  return ask(`http://${host}:${port}${PATH}`, ms);
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

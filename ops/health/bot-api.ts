import { readFile } from 'node:fs/promises';
import { classify } from '../../nodes/host/telegram-errors.js';
import type { ApiFinding } from './findings.js';
import { describe, limited } from './limit.js';
import type { Way } from './settings.js';

/** Of these only one that has no way out at all can be the reason. */
const NO_WAY = /ENETUNREACH|EHOSTUNREACH|ENETDOWN|EAI_AGAIN|ENOTFOUND|no answer within|aborted|timeout/i;

/** What a Bot API method has answered; `status` is its error code. */
export type Answered = { ok: true } | { ok: false; error: string };

/**
 * Calls a method of the Bot API. A refusal is a result, worded as `classify` reads it.
 * @throws what fetch throws when there is no answer
 */
export async function callApi(
  api: string,
  token: string,
  method: string,
  params: object,
  signal: AbortSignal,
): Promise<Answered> {
  const response = await fetch(`${api}/bot${token}/${method}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(params),
    redirect: 'error',
    signal,
  });
  const text = await limited(response, 100_000);
  try {
    const { ok, error_code: code, description, parameters } = JSON.parse(text);
    if (ok === true) return { ok: true };
    if (typeof code === 'number') {
      const wait = parameters?.retry_after;
      return {
        ok: false,
        error: `ETELEGRAM: ${code} ${wait === undefined ? description : `Too Many Requests: retry after ${wait}`}`,
      };
    }
  } catch {
    // Not Telegram but something before it has answered.
  }
  return { ok: false, error: `EPARSE: HTTP ${response.status}, not an answer of the Bot API` };
}

/** Whether Telegram can be reached and knows the bot. Never throws. */
export async function lookAtApi(api: string, { bot, token }: Way, ms: number): Promise<ApiFinding> {
  try {
    const answered = await callApi(api, token, 'getMe', {}, AbortSignal.timeout(ms));
    if (answered.ok) return { bot, answer: 'ok' };
    const { kind, reason } = classify(answered.error);
    return { bot, answer: kind === 'token' ? 'refused' : 'trouble', detail: reason };
  } catch (thrown) {
    const detail = describe(thrown);
    const offline = NO_WAY.test(detail) && !(await hasDefaultRoute());
    return { bot, answer: offline ? 'offline' : 'unreachable', detail };
  }
}

/** Whether the kernel knows a way to anywhere, see proc(5) on /proc/net/route. */
async function hasDefaultRoute(): Promise<boolean> {
  const read = (name: string) => readFile(`/proc/net/${name}`, 'utf8').catch(() => '');
  const four = await read('route');
  const six = await read('ipv6_route');
  return (
    /^\S+\t00000000\t/m.test(four) ||
    six.split('\n').some((line) => /^0{32} 00 /.test(line) && !/ lo$/.test(line))
  );
}

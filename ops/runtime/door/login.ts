import type { IncomingMessage, ServerResponse } from 'node:http';
import { config } from '../../../nodes/kit/config.js';
import { render } from '../../../nodes/kit/locale.js';
import { plain } from './addresses.js';
import type { Door } from './door.js';
import { LASTS } from './sessions.js';

const MOST_BYTES = 10_000;

/** The two requests of the editor that a login by password consists of, in place of Node-RED's own. */
export const LOGIN_PATHS: ReadonlyMap<string, typeof logIn> = new Map([
  ['/auth/token', logIn],
  ['/auth/revoke', logOut],
]);

/**
 * `POST /auth/token` as Node-RED's editor and its admin tool ask (OAuth 2 with a password). Node-RED's own would
 * shut everybody out for ten minutes after five wrong passwords from anywhere.
 */
async function logIn(door: Door, request: IncomingMessage, response: ServerResponse): Promise<void> {
  // A page from elsewhere could not read the answer, but use up somebody's tries.
  if (request.headers['sec-fetch-site'] === 'cross-site') return refuse(response, 403, 'foreign');
  const { grant_type, username, password, scope } = await formOf(request);
  if (grant_type !== 'password' || !username || !password) return refuse(response, 400, 'wrong');
  const peer = plain(request.socket.remoteAddress);
  const outcome = await door.passwords.check(username, password, peer, performance.now());
  if (outcome === 'wrong') return refuse(response, 403, 'wrong');
  if (outcome !== 'right') return wait(response, outcome.wait);
  const user = { username, permissions: scope?.split(' ').filter(Boolean) ?? [] };
  if (user.permissions.length === 0) user.permissions.push('*');
  const token = door.sessions.open(user, Date.now());
  answer(response, 200, { access_token: token, expires_in: LASTS, token_type: 'Bearer' });
}

async function logOut(door: Door, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { token } = await formOf(request);
  if (token) door.sessions.close(token);
  answer(response, 200, {});
}

function wait(response: ServerResponse, ms: number): void {
  const seconds = Math.ceil(ms / 1000);
  response.setHeader('retry-after', seconds);
  refuse(response, 429, 'wait', { seconds });
}

function refuse(response: ServerResponse, status: number, reason: string, data: object = {}): void {
  const text = render(config().lang, `door.${reason}`, data, 'plain');
  answer(response, status, { error: 'invalid_grant', error_description: text });
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}

/** A small form or JSON object of texts; what is none is empty. */
async function formOf(request: IncomingMessage): Promise<Partial<Record<string, string>>> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > MOST_BYTES) return {};
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks).toString();
  if (!request.headers['content-type']?.includes('json'))
    return Object.fromEntries(new URLSearchParams(body));
  try {
    const fields = Object.entries(JSON.parse(body) ?? {});
    return Object.fromEntries(
      fields.filter((field): field is [string, string] => typeof field[1] === 'string'),
    );
  } catch {
    return {};
  }
}

import { readFileSync } from 'node:fs';
import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { config } from '../../../nodes/kit/config.js';
import { describe } from '../../../nodes/kit/errors.js';
import { render } from '../../../nodes/kit/locale.js';
import type { Door, Verdict } from './door.js';
import { LOGIN_PATHS } from './login.js';
import { pathOf } from './public.js';

type Refusal = Extract<Verdict, { status: number }>;

/** What the editor's page needs to know of the door; Node-RED offers it as a script of the theme. */
export const PAGE_SCRIPT = join(__dirname, 'page', 'door-page.mjs');
const SCRIPT_PATH = '/theme/scripts/door-page.mjs';

const passed = new WeakSet<IncomingMessage>();

/**
 * Puts the door before everything that this server answers. Node-RED's own middleware is not enough: a node
 * may take requests and web sockets from the server itself, as Socket.IO does. So both events are held back
 * until the door has judged, and nobody sees one that was refused.
 */
export function guard(server: Server, door: Door, warn: (text: string) => void): void {
  const emit = server.emit.bind(server) as (event: string, ...args: unknown[]) => boolean;
  const go = { request: admitRequest, upgrade: admitUpgrade };
  server.emit = (event: string, ...args: unknown[]) => {
    if (event !== 'request' && event !== 'upgrade') return emit(event, ...args);
    const [request, other] = args as [IncomingMessage, ServerResponse & Socket];
    go[event](door, request, other, () => emit(event, ...args)).catch((thrown: unknown) => {
      warn(`The editor's door failed, and stayed shut: ${describe(thrown)}`);
      request.socket.destroy();
    });
    return true;
  };
}

/** Middleware: lets pass what came through the door alone, should the door be missing from the server. */
export function onlyThroughDoor(request: IncomingMessage, response: ServerResponse, next: () => void): void {
  if (passed.has(request)) next();
  else response.writeHead(503).end();
}

async function admitRequest(
  door: Door,
  request: IncomingMessage,
  response: ServerResponse,
  pass: () => void,
): Promise<void> {
  // The editor inside another page's frame would take clicks meant for that page.
  response.setHeader('x-frame-options', 'SAMEORIGIN');
  response.setHeader('cross-origin-resource-policy', 'same-origin');
  const path = pathOf(request.url);
  const login = request.method === 'POST' && door.passwords.set ? LOGIN_PATHS.get(path) : undefined;
  if (login) return login(door, request, response);
  const verdict = await door.judge(request);
  if ('status' in verdict) return refuse(request, response, verdict);
  if (path === SCRIPT_PATH) return sendScript(response, await door.isVouched(request));
  if (request.socket.destroyed) return;
  if ('user' in verdict) {
    if (verdict.cookie) response.setHeader('set-cookie', verdict.cookie);
    response.once('close', door.announce(request, verdict));
  }
  passed.add(request);
  pass();
}

async function admitUpgrade(
  door: Door,
  request: IncomingMessage,
  socket: Socket,
  pass: () => void,
): Promise<void> {
  // It may break while the door thinks, when nobody else listens to it yet.
  socket.on('error', ignore);
  const verdict = await door.judge(request, true);
  if ('status' in verdict) {
    socket.end(`HTTP/1.1 ${verdict.status} ${STATUS_CODES[verdict.status]}\r\nConnection: close\r\n\r\n`);
    socket.destroySoon();
    return;
  }
  if (socket.destroyed) return;
  if ('user' in verdict) socket.once('close', door.announce(request, verdict));
  socket.off('error', ignore);
  pass();
}

function refuse(
  { method, headers }: IncomingMessage,
  response: ServerResponse,
  { status, reason, data }: Refusal,
): void {
  // A person at a page that has no form of its own: the browser asks for the password.
  const page = method === 'GET' && headers.accept?.includes('text/html');
  if (status === 401 && page) response.setHeader('www-authenticate', 'Basic realm="Potion", charset="UTF-8"');
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' });
  response.end(`${render(config().lang, `door.${reason}`, data, 'plain')}\n`);
}

/** Whoever needs no token must not send one of an earlier time: on the web socket it would count first. */
function sendScript(response: ServerResponse, vouched: boolean): void {
  const forget = vouched ? "localStorage.removeItem('auth-tokens');\n" : '';
  response.writeHead(200, { 'content-type': 'text/javascript; charset=utf-8', 'cache-control': 'no-store' });
  response.end(forget + readFileSync(PAGE_SCRIPT, 'utf8'));
}

function ignore(): void {}

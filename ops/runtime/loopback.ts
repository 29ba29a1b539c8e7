import type { IncomingMessage, ServerResponse } from 'node:http';
import { isLoopback } from '../../nodes/kit/config.js';

/**
 * Refuses requests whose Host is not this machine, or whose Origin is another page. Without a login the
 * loopback address is the only door, and a web page elsewhere could otherwise reach it through the person's own
 * browser (DNS rebinding, cross-site requests).
 */
export function onlyLoopbackHosts(
  request: IncomingMessage,
  response: ServerResponse,
  next: () => void,
): void {
  if (isFromHere(request)) {
    next();
    return;
  }
  response.statusCode = 403;
  response.setHeader('content-type', 'text/plain; charset=utf-8');
  response.end('Potion answers on this machine only. Set EDITOR_BIND and EDITOR_PASSWORD_HASH to open it.\n');
}

/** Whether a request is made to this machine by name, and by no page but Potion's own. */
export function isFromHere({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  const { host, origin } = headers;
  if (host !== undefined && !isLoopback(nameOf(host))) return false;
  return origin === undefined || (URL.canParse(origin) && new URL(origin).host === host);
}

function nameOf(host: string): string {
  return host.startsWith('[') ? host.slice(1, host.indexOf(']')) : host.replace(/:\d+$/, '');
}

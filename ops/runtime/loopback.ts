import type { IncomingMessage, ServerResponse } from 'node:http';
import { isLoopback } from '../../nodes/kit/config.js';

/**
 * Refuses requests whose Host or Origin is not this machine. Without a login the loopback address is the only
 * door, and a web page elsewhere could otherwise reach it through the person's own browser (DNS rebinding,
 * cross-site requests).
 */
export function onlyLoopbackHosts(
  request: IncomingMessage,
  response: ServerResponse,
  next: () => void,
): void {
  const hosts = [request.headers.host, originHost(request.headers.origin)].filter(
    (host) => host !== undefined,
  );
  if (hosts.every((host) => isLoopback(nameOf(host)))) {
    next();
    return;
  }
  response.statusCode = 403;
  response.setHeader('content-type', 'text/plain; charset=utf-8');
  response.end('Potion answers on this machine only. Set EDITOR_BIND and EDITOR_PASSWORD_HASH to open it.\n');
}

function originHost(origin: string | undefined): string | undefined {
  if (origin === undefined) return undefined;
  return URL.canParse(origin) ? new URL(origin).host : 'null';
}

function nameOf(host: string): string {
  return host.startsWith('[') ? host.slice(1, host.indexOf(']')) : host.replace(/:\d+$/, '');
}

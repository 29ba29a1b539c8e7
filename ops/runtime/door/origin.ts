import type { IncomingHttpHeaders } from 'node:http';

/**
 * Whether a browser asks for one of Potion's own pages, or it is no browser. Where the network says who asks,
 * no token stands in the way of a page from elsewhere that lets the person's own browser ask (cross-site
 * requests), so its origin must.
 */
export function fromOwnPage({ host, origin, ...headers }: IncomingHttpHeaders): boolean {
  if (origin !== undefined && !(URL.canParse(origin) && new URL(origin).host === host)) return false;
  const site = headers['sec-fetch-site'];
  // A link from elsewhere may lead here: what it shows, the page it is on can't read.
  const link = headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
  return site === undefined || site === 'same-origin' || site === 'none' || link;
}

/**
 * The name under which the server was asked, in lower case and without the port; undefined without one. A name
 * that somebody else makes point here (DNS rebinding) is the one thing that tells such a page's requests.
 */
export function hostName(headers: IncomingHttpHeaders): string | undefined {
  const host = headers.host?.toLowerCase();
  if (host === undefined) return undefined;
  return host.startsWith('[') ? host.slice(1, host.indexOf(']')) : host.replace(/:\d+$/, '');
}

/** Whether a proxy passed the request on, so that its address says nothing of who asks. */
export function isForwarded(headers: IncomingHttpHeaders): boolean {
  const marks = [
    'forwarded',
    'x-forwarded-for',
    'x-real-ip',
    'cf-connecting-ip',
    'tailscale-user-login',
    'via',
  ];
  return marks.some((mark) => headers[mark] !== undefined);
}

import { posix } from 'node:path';

/** Files of the program itself, the same in every Potion: nothing in them is anybody's secret. */
const EDITOR = /^\/((red|vendor|types|theme|locales|icons|resources)\/.+|theme|favicon\.ico)?$/;
const CHAT_PAGE = /^\/potion\/chat(\/about|\/readme|\/[a-z-]+\.(css|mjs|svg))?$/;
const LOGIN = '/auth/login';

/** What the health program and a monitor outside may ask for without any login. */
export function isHealth(method: string | undefined, path: string): boolean {
  return isRead(method) && path === '/potion/health';
}

/** What a browser needs before it can ask for a password. Everything else is behind the door. */
export function isForLogin(method: string | undefined, path: string): boolean {
  return isRead(method) && (EDITOR.test(path) || CHAT_PAGE.test(path) || path === LOGIN);
}

/** The path of a request as it was written; '' for one that could be read in two ways, as `/red/%2e%2e/flows`. */
export function pathOf(url = '/'): string {
  const path = url.replace(/[?#].*$/s, '');
  try {
    const meant = decodeURIComponent(path);
    return meant === posix.normalize(meant) && !/[\\\0]/.test(meant) ? path : '';
  } catch {
    return '';
  }
}

/** Whether a request only asks for something to show. */
export function isRead(method: string | undefined): boolean {
  return method === 'GET' || method === 'HEAD';
}

// The line to Potion: requests and the stream of events, with the editor's login where one is set.

const at = (path) => new URL(`chat/${path}`, location.href.replace(/[?#].*$/, ''));

/** The editor keeps its token under a name that depends on its own path. */
function login() {
  const root = location.pathname.replace(/potion\/chat\/?$/, '');
  const stored = localStorage.getItem(`auth-tokens${root.slice(0, -1).replace(/\//g, '-')}`);
  try {
    const token = JSON.parse(stored)?.access_token;
    return token ? { authorization: `Bearer ${token}` } : {};
  } catch {
    return {};
  }
}

export class LoginNeeded extends Error {}

async function request(path, init = {}) {
  const response = await fetch(at(path), { ...init, headers: { ...init.headers, ...login() } });
  if (response.status === 401) throw new LoginNeeded();
  if (!response.ok)
    throw new Error((await response.json().catch(() => ({}))).message ?? String(response.status));
  return response;
}

/** What anybody may know: whether there is a sandbox, the language, the server's name. */
export async function about() {
  return (await request('about')).json();
}

export function post(path, body) {
  return request(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

export function upload(file, as) {
  const query = new URLSearchParams({ as, name: file.name, type: file.type });
  const headers = { 'content-type': 'application/octet-stream' };
  return request(`files?${query}`, { method: 'POST', headers, body: file });
}

/** A file of a message, by its id. Fetched rather than linked to, so that the login goes along. */
export async function file(id) {
  return (await request(`files/${encodeURIComponent(id)}`)).blob();
}

const PAUSES = [500, 1000, 2000, 4000];
/** The server gives a sign of life every 15 s; without one for this long the line is dead. */
const SILENCE = 40_000;

/**
 * Follows the events for good, through restarts of Potion.
 * @param onEvent called with each event; the first after every connect is `hello`
 * @param onState called with 'open', 'lost' or 'login'
 */
export async function follow(onEvent, onState) {
  for (let failures = 0; ; failures++) {
    try {
      for await (const event of events()) {
        if (event.type === 'hello') {
          failures = 0;
          onState('open');
        }
        onEvent(event);
      }
      onState('lost');
    } catch (thrown) {
      onState(thrown instanceof LoginNeeded ? 'login' : 'lost');
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSES[Math.min(failures, PAUSES.length - 1)]));
  }
}

async function* events() {
  const quiet = new AbortController();
  let timer;
  const alive = () => {
    clearTimeout(timer);
    timer = setTimeout(() => quiet.abort(), SILENCE);
  };
  alive();
  const response = await request('events', { signal: quiet.signal });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      alive();
      const blocks = (rest + value).split('\n\n');
      rest = blocks.pop();
      for (const block of blocks) if (block.startsWith('data: ')) yield JSON.parse(block.slice(6));
    }
  } finally {
    clearTimeout(timer);
  }
}

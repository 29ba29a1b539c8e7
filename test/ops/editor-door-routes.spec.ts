import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { HOME } from '../support/node-red.ts';
import { type Potion, startPotion } from '../support/potion.ts';

/** The bcrypt hash of the password `open sesame`. */
const EDITOR_PASSWORD_HASH = '$2b$08$R.SWybMDoa1ppQSOuHWWAO5/cc7dTAwjxatMiZQPXAObAKbgusYsK';

/** All that needs no login: the health answer, the page with the login form and the files it is made of. */
const OPEN = [
  /^GET \/$/,
  /^GET \/potion\/health\/?$/,
  /^GET \/theme\/?$/,
  /^GET \/(red|vendor|types|theme|locales|icons|resources)\/./,
  /^GET \/potion\/chat(\/about|\/readme|\/[a-z-]+\.(css|mjs|svg))?$/,
  /^GET \/auth\/login$/,
  /^POST \/auth\/(token|revoke)$/,
];

interface Route {
  prefix: string;
  pattern: string;
  methods: string[];
}

describe('every route of the editor’s server', function () {
  this.timeout(60_000);
  const work = mkdtempSync(join(tmpdir(), 'potion-routes-'));
  let potion: Potion;
  let routes: Route[];

  before(async () => {
    cpSync(join(HOME, 'flows'), join(work, 'flows'), { recursive: true });
    potion = await startPotion({
      flowsDir: join(work, 'flows'),
      env: { EDITOR_PASSWORD_HASH, EDITOR_BIND: 'loopback', ROUTES: join(work, 'routes.json') },
      nodeArgs: ['--require', join(HOME, 'test/support/list-routes.cjs')],
    });
    await potion.waitReady();
    routes = JSON.parse(readFileSync(join(work, 'routes.json'), 'utf8'));
  });
  after(async () => {
    await potion?.stop();
    rmSync(work, { recursive: true, force: true });
  });

  /** Paths that a pattern matches. */
  const pathsOf = ({ prefix, pattern }: Route): string[] => {
    const match = new RegExp(pattern, 'i');
    const made = fc.sample(fc.stringMatching(new RegExp(pattern)), { numRuns: 5, seed: 1 });
    const plain = made.map((path) => path.replace(/[^\w./@-]/g, 'x')).filter((path) => match.test(path));
    return [...new Set(plain)].map((path) => prefix + path || '/');
  };
  const answer = (method: string, path: string, headers = {}) =>
    fetch(potion.url + path, { method, headers, redirect: 'manual' });

  it('is known to this test, those of Potion and of careless nodes too', () => {
    const all = routes.map(({ prefix, pattern }) => (prefix + pattern).replaceAll('\\/', '/'));
    for (const one of ['/flows', '/potion/chat/events', '/potion/flows/reload', '/careless/dashboard'])
      assert.ok(
        all.some((path) => path.includes(one)),
        one,
      );
    assert.ok(routes.length > 60, `only ${routes.length}`);
    for (const route of routes) for (const path of pathsOf(route)) assert.doesNotMatch(path, /^\/\//);
    for (const route of routes) assert.ok(pathsOf(route).length > 0, `nothing matches ${route.pattern}`);
  });

  it('is shut without a login, but for the health and the login itself', async () => {
    const leaks: string[] = [];
    const open: string[] = [];
    for (const route of routes)
      for (const name of route.methods.map((method) => method.toUpperCase()).filter(isAskable))
        for (const path of pathsOf(route)) {
          const method = name === '_ALL' ? 'GET' : name;
          const { status } = await answer(method, path);
          if (status === 401) continue;
          const answered = `${method} ${path} ${status}`;
          (OPEN.some((known) => known.test(`${method} ${path}`)) ? open : leaks).push(answered);
        }
    assert.deepEqual(leaks, []);
    // They were asked at the right place, or they would all be shut.
    for (const one of ['GET / 200', 'GET /potion/chat 200', 'GET /auth/login 200', 'POST /auth/token 400'])
      assert.ok(open.includes(one), `${one} is not among ${open.join(', ')}`);
  });

  it('is shut to other ways of writing it', async () => {
    const ways = [
      '/red/../flows',
      '/red/%2e%2e/flows',
      '/red/..%2fflows',
      '//flows',
      '/FLOWS',
      '/flows/',
      '/./flows',
    ];
    ways.push(
      '/potion/health/../../flows',
      '/theme/%2e%2e%2fflows',
      '/red\\..\\flows',
      'http://x/flows',
      '*',
    );
    for (const path of ways) {
      const status = await raw(potion.port, path);
      assert.ok([400, 401].includes(status), `${path}: ${status}`);
    }
  });

  it('is shut where a node listens on the server itself', async () => {
    assert.equal((await answer('GET', '/socket.io/?transport=polling')).status, 401);
    assert.equal(await raw(potion.port, '/socket.io/', true), 401);
    assert.equal(await raw(potion.port, '/elsewhere', true), 401);
  });

  it('opens with one', async () => {
    const form = { grant_type: 'password', scope: '', username: 'admin', password: 'open sesame' };
    const { body } = await potion.admin('/auth/token', { body: form });
    const headers = { authorization: `Bearer ${(body as { access_token: string }).access_token}` };
    for (const path of ['/careless/admin', '/careless/dashboard/x', '/socket.io/'])
      assert.equal(await (await answer('GET', path, headers)).text(), 'leaked', path);
    for (const path of ['/flows', '/nodes', '/diagnostics', '/potion/chat/about'])
      assert.equal((await answer('GET', path, headers)).status, 200, path);
  });
});

/** fetch() refuses to send these, as browsers do. */
function isAskable(method: string): boolean {
  return !['CONNECT', 'TRACE', 'TRACK'].includes(method);
}

/** The status of the answer to a path as it stands, which fetch() would tidy. */
function raw(port: number, path: string, upgrade = false): Promise<number> {
  const headers = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': Buffer.alloc(16).toString('base64'),
  };
  return new Promise((resolve, reject) => {
    const asked = request({ port, host: '127.0.0.1', path, headers: upgrade ? headers : {} }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asked.on('error', reject);
    asked.on('upgrade', (_response, socket) => {
      socket.destroy();
      resolve(101);
    });
    asked.end();
  });
}

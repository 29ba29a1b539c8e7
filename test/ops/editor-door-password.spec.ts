import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { needs } from '../support/needs.ts';
import { HOME } from '../support/node-red.ts';
import { type Potion, startPotion } from '../support/potion.ts';
import { LAN, LAPTOP, ME, Tailnet } from '../support/tailnet.ts';
import type { Asked } from '../support/tailnet-peer.ts';

const PORT = 1880;
const EDITOR = `http://${LAPTOP.v4}:${PORT}`;
const PHONE = '100.64.0.7';
const GUEST = '100.64.0.8';
const TAGGED = '100.64.0.9';
/** The bcrypt hash of the password `open sesame`. */
const SESAME = '$2b$08$R.SWybMDoa1ppQSOuHWWAO5/cc7dTAwjxatMiZQPXAObAKbgusYsK';

describe('the editor’s password', function () {
  this.timeout(40_000);
  const dataDir = mkdtempSync(join(tmpdir(), 'potion-door-'));
  let tailnet: Tailnet;
  let potion: Potion;

  const start = async () => {
    // Five seconds to wait must not be over before the next try, however busy this machine is.
    const env = { EDITOR_LOGINS: ME, EDITOR_PASSWORD_HASH: SESAME, TICKS: '0.02' };
    const nodeArgs = ['--require', join(HOME, 'test/support/ticks.cjs')];
    potion = await startPotion({ port: PORT, within: tailnet.within, dataDir, env, nodeArgs });
    await potion.waitFor(`open at ${EDITOR}/`, 20_000);
    await potion.waitFor('Started flows');
  };
  before(async function () {
    needs(this, 'root', 'iproute2');
    tailnet = new Tailnet();
    await start();
  });
  after(async () => {
    await potion?.stop();
    tailnet?.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const ask = (from: string, path: string, asked: Partial<Asked> = {}) =>
    tailnet.ask(from, { url: (from === '127.0.0.1' ? `http://127.0.0.1:${PORT}` : EDITOR) + path, ...asked });
  const login = (from: string, password: string, username = 'admin') => {
    const form = { client_id: 'node-red-editor', grant_type: 'password', scope: '', username, password };
    return ask(from, '/auth/token', { body: form });
  };
  const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
  let token: string;

  it('lets in whom Tailscale does not know, and the laptop itself asks for it too', async () => {
    for (const from of [TAGGED, LAN.neighbour, LAPTOP.v4, '127.0.0.1']) {
      assert.equal((await ask(from, '/flows')).status, 401, from);
      assert.equal((await ask(from, '/')).status, 200, `${from}: the page with the form`);
    }
    const { status, text } = await login(TAGGED, 'open sesame');
    assert.equal(status, 200);
    token = JSON.parse(text).access_token;
    assert.equal((await ask(TAGGED, '/flows', bearer(token))).status, 200);
    assert.deepEqual(JSON.parse((await ask(TAGGED, '/settings', bearer(token))).text).user, {
      username: 'admin',
      permissions: ['*'],
    });
    assert.equal((await ask(PHONE, '/flows')).status, 200, 'Tailscale’s word is good beside it');
  });

  it('gives no more than was asked for', async () => {
    const form = { grant_type: 'password', scope: 'flows.read', username: 'admin', password: 'open sesame' };
    const { text } = await ask(TAGGED, '/auth/token', { body: form });
    const narrow = bearer(JSON.parse(text).access_token);
    assert.equal((await ask(TAGGED, '/flows', narrow)).status, 200);
    assert.equal((await ask(TAGGED, '/flows', { ...narrow, body: [] })).status, 401);
  });

  it('brings a cookie that is good for looking at what its page is made of, and for nothing more', async () => {
    const entered = await ask(TAGGED, '/settings', bearer(token));
    const [cookie = ''] = String(entered.headers['set-cookie']).split(';');
    assert.match(
      String(entered.headers['set-cookie']),
      /^potion-1880=[^;]{32}; Path=\/; HttpOnly; SameSite=Strict$/,
    );
    const headers = { cookie };
    assert.equal((await ask(TAGGED, '/debug/view/debug-utils.js', { headers })).status, 200);
    assert.equal((await ask(TAGGED, '/debug/view/debug-utils.js')).status, 401);
    assert.equal((await ask(TAGGED, '/flows', { headers })).status, 401);
    assert.equal((await ask(TAGGED, '/flows', { headers, body: [] })).status, 401);
    assert.equal((await ask(TAGGED, '/other', { headers, socket: { say: [], until: 'x' } })).status, 401);
    const foreign = { ...headers, origin: 'https://evil.example' };
    assert.equal((await ask(TAGGED, '/debug/view/debug-utils.js', { headers: foreign })).status, 401);
    const again = { headers: { ...bearer(token).headers, cookie } };
    assert.equal((await ask(TAGGED, '/settings', again)).headers['set-cookie'], undefined);
  });

  it('opens the editor’s web socket by its token, and closes it on a wrong one', async () => {
    const comms = (said: object, until: string) => ask(TAGGED, '/comms', { socket: { say: [said], until } });
    const right = await comms({ auth: token }, '"auth":"ok"');
    assert.deepEqual([right.status, right.closed], [101, false]);
    for (const said of [{ auth: 'guessed' }, { subscribe: 'notification/#' }])
      assert.match((await comms(said, '"auth":')).text, /"auth":"fail"/);
    assert.equal((await ask(TAGGED, '/other', { socket: { say: [], until: 'x' } })).status, 401);
  });

  it('is asked for by the browser itself at pages that have no form', async () => {
    const page = { accept: 'text/html' };
    const asked = await ask(TAGGED, '/dashboard', { headers: page });
    assert.equal(asked.status, 401);
    assert.match(String(asked.headers['www-authenticate']), /^Basic /);
    const basic = (password: string) => `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`;
    const entered = { ...page, authorization: basic('open sesame') };
    assert.equal((await ask(TAGGED, '/dashboard', { headers: entered })).status, 404, 'no such page, but in');
    const foreign = { ...entered, origin: 'https://evil.example' };
    assert.equal((await ask(TAGGED, '/flows', { headers: foreign })).status, 401);
    const wrong = { ...page, authorization: basic('guess') };
    assert.equal((await ask(TAGGED, '/dashboard', { headers: wrong })).status, 401);
  });

  it('outlives a restart, but is nowhere kept as it is', async () => {
    await potion.stop();
    assert.doesNotMatch(readFileSync(join(dataDir, 'editor-sessions.json'), 'utf8'), new RegExp(token));
    await start();
    assert.equal((await ask(TAGGED, '/flows', bearer(token))).status, 200);
  });

  it('ends with the logout', async () => {
    assert.equal((await ask(TAGGED, '/auth/revoke', { body: { token } })).status, 200);
    assert.equal((await ask(TAGGED, '/flows', bearer(token))).status, 401);
  });

  it('takes longer and longer to guess, for the one who guesses', async () => {
    assert.equal((await login(LAN.neighbour, 'open sesame')).status, 200);
    const tries: number[] = [];
    for (let i = 0; i < 8; i++) tries.push((await login(GUEST, `guess ${i}`)).status);
    assert.deepEqual(tries, [403, 403, 403, 403, 403, 429, 429, 429]);
    const told = await login(GUEST, 'open sesame');
    assert.equal(told.status, 429, 'not even the right one is looked at');
    assert.ok(Number(told.headers['retry-after']) <= 5);
    assert.match(JSON.parse(told.text).error_description, /Terlalu banyak/);
    const basic = { authorization: `Basic ${Buffer.from('admin:open sesame').toString('base64')}` };
    assert.equal((await ask(GUEST, '/flows', { headers: basic })).status, 429);
    for (const other of [TAGGED, LAN.neighbour, '127.0.0.1'])
      assert.equal((await login(other, 'open sesame')).status, 200, other);
  });

  it('guessed many at once, gains nothing', async () => {
    const { status } = await login(TAGGED, 'open sesame');
    assert.equal(status, 200);
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => login(TAGGED, `guess ${i}`)));
    assert.equal(answers.filter((answer) => answer.status === 403).length, 5);
    assert.equal(answers.filter((answer) => answer.status === 429).length, 15);
  });

  it('takes nonsense for a wrong one', async () => {
    for (const body of [{}, null, [], { grant_type: 'password' }, { grant_type: 'code', code: 'x' }])
      assert.equal((await ask(LAN.neighbour, '/auth/token', { body })).status, 400, JSON.stringify(body));
    assert.equal((await ask(LAN.neighbour, '/auth/token')).status, 401, 'it is a POST');
    assert.equal((await ask(LAN.neighbour, '/auth/token', { body: { a: 'x'.repeat(20_000) } })).status, 400);
    assert.equal((await login(LAN.neighbour, 'open sesame', 'root')).status, 403);
  });

  it('tells the log of the guesser once, and of no password or token ever', () => {
    const log = potion.console();
    assert.equal(log.match(new RegExp(`Somebody at ${GUEST} has given wrong passwords`, 'g'))?.length, 1);
    assert.doesNotMatch(log + potion.log(), /sesame|guess \d|Bearer|Basic/);
  });
});

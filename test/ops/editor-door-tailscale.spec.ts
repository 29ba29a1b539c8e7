import assert from 'node:assert/strict';
import { join } from 'node:path';
import { needs } from '../support/needs.ts';
import { HOME } from '../support/node-red.ts';
import { type Potion, startPotion } from '../support/potion.ts';
import { LAN, LAPTOP, ME, Tailnet } from '../support/tailnet.ts';
import type { Asked } from '../support/tailnet-peer.ts';

const PORT = 1880;
const EDITOR = `http://${LAPTOP.v4}:${PORT}`;
const TICKS = join(HOME, 'test/support/ticks.cjs');
const PHONE = '100.64.0.7';
const GUEST = '100.64.0.8';
const TAGGED = '100.64.0.9';

describe('the editor over Tailscale', function () {
  this.timeout(40_000);
  let tailnet: Tailnet;
  let potion: Potion;

  const start = async (env: Record<string, string>, nodeArgs: string[] = []) => {
    potion = await startPotion({ port: PORT, within: tailnet.within, env, nodeArgs });
    await potion.waitFor('Server now running', 20_000);
    await potion.waitFor('Started flows');
  };
  const status = async (from: string, path: string, asked: Partial<Asked> = {}) =>
    (await tailnet.ask(from, { url: EDITOR + path, ...asked })).status;
  const socket = { say: [{ subscribe: 'x' }], until: 'notification' };

  describe('for those in EDITOR_LOGINS', () => {
    before(async function () {
      needs(this, 'root', 'iproute2');
      tailnet = new Tailnet();
      // As somebody would write it who has not seen the exact form.
      await start({ EDITOR_LOGINS: 'other@example.com, Me@Example.com' });
      await potion.waitFor(`open at ${EDITOR}/`);
    });
    after(async () => {
      await potion?.stop();
      tailnet?.stop();
    });

    it('opens without a password, by IPv4, IPv6 and both names', async () => {
      const { status: answer, text } = await tailnet.ask(PHONE, { url: `${EDITOR}/settings` });
      assert.equal(answer, 200);
      assert.deepEqual(JSON.parse(text).user, { username: ME, permissions: ['*'] });
      for (const host of [LAPTOP.name, 'laptop', 'Laptop.tail1234.ts.net'])
        assert.equal(await status(PHONE, '/flows', { headers: { host: `${host}:${PORT}` } }), 200, host);
      const v6 = { url: `http://[${LAPTOP.v6}]:${PORT}/flows` };
      assert.equal((await tailnet.ask('fd7a:115c:a1e0::7', v6)).status, 200);
      assert.equal(await status(PHONE, '/potion/chat/about'), 200);
    });

    it('deploys, and its web socket opens without a token', async () => {
      const { text } = await tailnet.ask(PHONE, {
        url: `${EDITOR}/flows`,
        headers: { 'Node-RED-API-Version': 'v2' },
      });
      const { flows, rev } = JSON.parse(text);
      const fresh = [...flows, { id: 'deployed', type: 'tab', label: 'from the phone' }];
      const body = { flows: fresh, rev };
      const headers = { 'Node-RED-API-Version': 'v2', origin: EDITOR };
      assert.equal(await status(PHONE, '/flows', { body, headers }), 200);
      const heard = await tailnet.ask(PHONE, {
        url: `${EDITOR}/comms`,
        headers: { origin: EDITOR },
        socket: { say: [{ subscribe: 'notification/#' }], until: 'notification/runtime-deploy' },
      });
      assert.deepEqual([heard.status, heard.closed], [101, false]);
    });

    it('stays shut for everybody else in the tailnet, and says why', async () => {
      const guest = await tailnet.ask(GUEST, { url: `${EDITOR}/` });
      assert.equal(guest.status, 403);
      assert.match(guest.text, /guest@example\.com/);
      for (const from of [GUEST, TAGGED])
        for (const path of ['/', '/flows', '/red/red.min.js', '/potion/chat', '/auth/login'])
          assert.equal(await status(from, path), 403, `${from} ${path}`);
      assert.equal(await status(GUEST, '/comms', { socket }), 403);
      assert.equal(await status(GUEST, '/flows', { body: [] }), 403);
    });

    it('believes no header, and no address but the connection’s own', async () => {
      const claims = { 'x-forwarded-for': PHONE, 'tailscale-user-login': ME, forwarded: `for=${PHONE}` };
      assert.equal(await status(GUEST, '/flows', { headers: claims }), 403);
      assert.equal(await status(LAN.neighbour, '/flows', { headers: claims }), 403);
    });

    it('is not open to programs on the laptop by its own tailnet address', async () => {
      assert.equal(await status(LAPTOP.v4, '/flows'), 403);
    });

    it('stays open to the laptop itself at loopback, but not to what a proxy passes on', async () => {
      const url = `http://127.0.0.1:${PORT}/flows`;
      const here = async (headers: Record<string, string>) =>
        (await tailnet.ask('127.0.0.1', { url, headers })).status;
      assert.equal(await here({}), 200);
      assert.equal(await here({ 'x-forwarded-for': '203.0.113.5' }), 403);
      assert.equal(await here({ host: 'editor.example.com' }), 403);
    });

    it('refuses other sites’ pages in the browser of somebody who may come in', async () => {
      const evil = { origin: 'https://evil.example' };
      assert.equal(await status(PHONE, '/flows', { headers: evil, body: [] }), 403);
      assert.equal(await status(PHONE, '/flows', { headers: { origin: 'null' }, body: [] }), 403);
      assert.equal(await status(PHONE, '/flows', { headers: { 'sec-fetch-site': 'cross-site' } }), 403);
      assert.equal(await status(PHONE, '/comms', { headers: evil, socket }), 403);
      // Another program's page on the same laptop.
      assert.equal(
        await status(PHONE, '/comms', { headers: { origin: `http://${LAPTOP.v4}:3000` }, socket }),
        403,
      );
      // A name of theirs that they let point to the laptop (DNS rebinding).
      const rebound = { host: `evil.example:${PORT}`, origin: `http://evil.example:${PORT}` };
      assert.equal(await status(PHONE, '/flows', { headers: rebound }), 403);
      assert.equal(await status(PHONE, '/comms', { headers: rebound, socket }), 403);
      const link = {
        'sec-fetch-site': 'cross-site',
        'sec-fetch-mode': 'navigate',
        'sec-fetch-dest': 'document',
      };
      assert.equal(
        await status(PHONE, '/', { headers: link }),
        200,
        'a link to the editor may stand anywhere',
      );
      assert.equal(await status(PHONE, '/', { headers: { ...link, 'sec-fetch-dest': 'iframe' } }), 403);
      const { headers } = await tailnet.ask(PHONE, { url: EDITOR });
      assert.equal(headers['x-frame-options'], 'SAMEORIGIN');
    });

    it('tells its health to all', async () => {
      for (const from of [GUEST, LAN.neighbour, LAPTOP.v4])
        assert.ok([200, 503].includes(await status(from, '/potion/health')), from);
    });

    it('takes nobody’s old token amiss, and gives none away', async () => {
      const stale = { authorization: 'Bearer from-a-login-last-year' };
      assert.equal(await status(PHONE, '/flows', { headers: stale }), 200);
      assert.equal(await status(GUEST, '/flows', { headers: stale }), 403);
      const script = await tailnet.ask(PHONE, { url: `${EDITOR}/theme/scripts/door-page.mjs` });
      assert.match(script.text, /removeItem\('auth-tokens'\)/);
      assert.doesNotMatch(potion.console() + potion.log(), /Bearer/);
    });
  });

  describe('when Tailscale’s answers change', () => {
    before(async function () {
      needs(this, 'root', 'iproute2');
      tailnet = new Tailnet();
      // Half a minute, for which an answer is kept, in 150 ms.
      await start({ EDITOR_LOGINS: ME, TICKS: '200' }, ['--require', TICKS]);
      await potion.waitFor(`open at ${EDITOR}/`);
    });
    after(async () => {
      await potion?.stop();
      tailnet?.stop();
    });
    const until = async (from: string, wanted: number) => {
      const end = performance.now() + 15_000;
      let last = 0;
      while (performance.now() < end) {
        last = await status(from, '/flows');
        if (last === wanted) return;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      assert.equal(last, wanted, potion.console());
    };

    it('lets nobody in while Tailscale does not answer, and says it once', async () => {
      await until(PHONE, 200);
      tailnet.stopped(true);
      await until(PHONE, 403);
      assert.match((await tailnet.ask(PHONE, { url: EDITOR })).text, /Coba lagi/);
      const told = potion.console().match(/can't ask Tailscale who comes in: Tailscale is not running/g);
      assert.equal(told?.length, 1);
      tailnet.stopped(false);
      await until(PHONE, 200);
    });

    it('closes the web socket of a device that has changed hands', async () => {
      const { promise: isOpen, resolve: opened } = Promise.withResolvers<void>();
      const socket = { say: [], until: 'never said' };
      const heard = tailnet.ask(PHONE, { url: `${EDITOR}/comms`, socket }, opened);
      await isOpen;
      tailnet.hand(PHONE, 'guest@example.com');
      const { status: answer, closed } = await heard;
      assert.deepEqual([answer, closed], [101, true]);
      await until(PHONE, 403);
    });
  });

  it('asks Tailscale once for many requests', async function () {
    needs(this, 'root', 'iproute2');
    tailnet = new Tailnet();
    try {
      await start({ EDITOR_LOGINS: ME });
      await potion.waitFor(`open at ${EDITOR}/`);
      const before = tailnet.whoisCalls();
      const many = await Promise.all(Array.from({ length: 20 }, () => status(PHONE, '/settings')));
      assert.deepEqual([...new Set(many)], [200]);
      assert.equal(tailnet.whoisCalls() - before, 1);
      await status(LAN.neighbour, '/settings');
      assert.equal(tailnet.whoisCalls() - before, 1, 'who is not of the tailnet is no question');
    } finally {
      await potion?.stop();
      tailnet.stop();
    }
  });

  it('lets nobody in where there is no Tailscale program', async function () {
    needs(this, 'root', 'iproute2');
    tailnet = new Tailnet();
    try {
      const [enter, net] = tailnet.within as [string, string];
      potion = await startPotion({ port: PORT, within: [enter, net], env: { EDITOR_LOGINS: ME } });
      await potion.waitFor(`open at ${EDITOR}/`, 20_000);
      assert.equal(await status(PHONE, '/flows'), 403);
      await potion.waitFor("can't ask Tailscale who comes in: Tailscale is not installed");
    } finally {
      await potion?.stop();
      tailnet.stop();
    }
  });
});

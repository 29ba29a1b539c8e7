import assert from 'node:assert/strict';
import { join } from 'node:path';
import { needs } from '../support/needs.ts';
import { HOME } from '../support/node-red.ts';
import { type Potion, startPotion } from '../support/potion.ts';
import { LAN, LAPTOP, ME, Tailnet } from '../support/tailnet.ts';

const PORT = 1880;
const PHONE = '100.64.0.7';
/** The bcrypt hash of the password `open sesame`. */
const EDITOR_PASSWORD_HASH = '$2b$08$R.SWybMDoa1ppQSOuHWWAO5/cc7dTAwjxatMiZQPXAObAKbgusYsK';
const LONG = 15_000;

describe('the addresses of the editor', function () {
  this.timeout(60_000);
  let tailnet: Tailnet;
  let potion: Potion;
  before(function () {
    needs(this, 'root', 'iproute2');
  });
  afterEach(async () => {
    await potion?.stop();
    tailnet?.stop();
  });

  const start = async (online: boolean, env: Record<string, string>) => {
    tailnet = new Tailnet(online);
    // It looks every five seconds: here every half.
    const nodeArgs = ['--require', join(HOME, 'test/support/ticks.cjs')];
    const whole = { TICKS: '10', ...env };
    potion = await startPotion({ port: PORT, within: tailnet.within, env: whole, nodeArgs });
    await potion.waitFor('Started flows', 20_000);
    await potion.waitFor('Server now running');
  };
  /** The answer's status; 0 when nothing listens there. */
  const status = async (from: string, address: string, path = '/settings') => {
    const url = `http://${address.includes(':') ? `[${address}]` : address}:${PORT}${path}`;
    return (await tailnet.ask(from, { url })).status;
  };
  const here = () => status('127.0.0.1', '127.0.0.1');

  it('are loopback alone without a login, Tailscale or not', async () => {
    await start(true, {});
    assert.equal(await here(), 200);
    assert.equal(await status(PHONE, LAPTOP.v4), 0);
    assert.equal(await status(LAN.neighbour, LAN.laptop), 0);
  });

  it('are Tailscale’s as well as soon as it has some, follow their change, and end with them', async () => {
    await start(false, { EDITOR_LOGINS: ME });
    assert.equal(await here(), 200, 'nothing has to be waited for');
    await potion.waitFor('Tailscale has given this machine no address yet');
    tailnet.up([LAPTOP.v4]);
    await potion.waitFor(`open at http://${LAPTOP.v4}:${PORT}/`, LONG);
    assert.equal(await status(PHONE, LAPTOP.v4), 200);
    assert.equal(await status(LAN.neighbour, LAN.laptop), 0);

    tailnet.up([LAPTOP.v6]);
    tailnet.down(LAPTOP.v4);
    await potion.waitFor(`closed at ${LAPTOP.v4}`, LONG);
    await potion.waitFor(`open at http://[${LAPTOP.v6}]:${PORT}/`, LONG);
    assert.equal(await status('fd7a:115c:a1e0::7', LAPTOP.v6), 200);
    assert.equal(await here(), 200);

    tailnet.up([LAPTOP.v4]);
    await potion.waitFor(new RegExp(`closed at ${LAPTOP.v4}[^]*open at http://${LAPTOP.v4}`), LONG);
    assert.equal(await status(PHONE, LAPTOP.v4), 200);
  });

  it('are the one that was named, beside loopback, for those with the password', async () => {
    await start(true, { EDITOR_BIND: LAN.laptop, EDITOR_PASSWORD_HASH });
    await potion.waitFor(`open at http://${LAN.laptop}:${PORT}/`);
    assert.equal(await status(LAN.neighbour, LAN.laptop), 401);
    assert.equal(await here(), 401);
    assert.equal(await status(PHONE, LAPTOP.v4), 0);
  });

  it('are all there are only when that was written, with a line that says what it means', async () => {
    await start(true, { EDITOR_BIND: '0.0.0.0', EDITOR_PASSWORD_HASH, EDITOR_LOGINS: ME });
    await potion.waitFor(/warn EDITOR_BIND=0\.0\.0\.0: the editor answers in every network/);
    assert.equal(await status(LAN.neighbour, LAN.laptop), 401);
    assert.equal(await status(PHONE, LAPTOP.v4), 200);
    // Over the wire of the home network the phone's address proves nothing.
    assert.equal(await status(PHONE, LAN.laptop), 401);
    assert.equal(await here(), 401);
  });
});

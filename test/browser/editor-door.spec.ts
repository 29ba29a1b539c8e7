import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { type Browser, startBrowser } from '../support/browser.ts';
import { needs } from '../support/needs.ts';
import { HOME } from '../support/node-red.ts';
import { type Potion, startPotion } from '../support/potion.ts';
import { LAPTOP, ME, Tailnet } from '../support/tailnet.ts';

declare const RED: {
  view: { importNodes(nodes: object[], options: object): void };
  settings: { user: { username: string } };
};

/** The bcrypt hash of the password `open sesame`. */
const EDITOR_PASSWORD_HASH = '$2b$08$R.SWybMDoa1ppQSOuHWWAO5/cc7dTAwjxatMiZQPXAObAKbgusYsK';
const FLOW = [
  { id: 'tab', type: 'tab', label: 'tab' },
  { id: 'note', type: 'comment', z: 'tab', name: 'note', info: '', x: 100, y: 100, wires: [] },
];
const PORT = 1880;

describe('the editor’s door in a browser', function () {
  this.timeout(60_000);
  const flowsDir = mkdtempSync(join(tmpdir(), 'potion-flows-'));
  let tailnet: Tailnet;
  let potion: Potion;
  let browser: Browser;
  let page: Page;

  before(async function () {
    needs(this, 'chromium', 'root', 'iproute2');
    tailnet = new Tailnet();
  });
  after(() => {
    tailnet?.stop();
    rmSync(flowsDir, { recursive: true, force: true });
  });
  afterEach(async () => {
    await browser?.close();
    await potion?.stop();
  });

  const start = async (env: Record<string, string>) => {
    writeFileSync(join(flowsDir, 'tab.json'), JSON.stringify(FLOW));
    const nodeArgs = ['--require', join(HOME, 'test/support/ticks.cjs')];
    // A wait that must not be over before it is seen.
    const whole = { BOT_TOKEN: '', TELEGRAM_API_URL: '', TICKS: '0.02', ...env };
    potion = await startPotion({ port: PORT, within: tailnet.within, flowsDir, env: whole, nodeArgs });
    await potion.waitFor(`open at http://${LAPTOP.v4}:${PORT}/`, 20_000);
    await potion.waitFor('Started flows', 20_000);
  };
  const from = async (device: Parameters<Tailnet['from']>[0]) => {
    const elsewhere = { within: tailnet.from(device), names: { [LAPTOP.name]: LAPTOP.v4 } };
    browser = await startBrowser({ width: 1400, height: 900 }, elsewhere);
    page = browser.page;
    page.setDefaultTimeout(20_000);
  };
  const editorIsOpen = () => page.locator('.red-ui-flow-node').first().waitFor();
  const user = () => page.evaluate(() => RED.settings.user.username);
  const deploy = async (label: string) => {
    await page.evaluate((label) => {
      RED.view.importNodes([{ id: `made-${label}`, type: 'tab', label }], {
        generateIds: false,
        addFlow: false,
      });
    }, label);
    await page.locator('#red-ui-header-button-deploy:not(.disabled)').click();
    // Told on the web socket to every open editor.
    await page
      .locator('.red-ui-notification-success')
      .filter({ hasText: /deployed/i })
      .waitFor();
    const saved = readdirSync(flowsDir).map((file) => readFileSync(join(flowsDir, file), 'utf8'));
    assert.ok(saved.some((text) => text.includes(`"${label}"`)));
  };

  it('is open at once to whom Tailscale knows, who deploys, also with a token of last year', async () => {
    await start({ EDITOR_LOGINS: ME });
    await from('100.64.0.7');
    await page.goto(`http://${LAPTOP.name}:${PORT}/`);
    await editorIsOpen();
    assert.equal(await user(), ME);
    await deploy('by-identity');
    await page.evaluate(() => localStorage.setItem('auth-tokens', '{"access_token":"of-last-year"}'));
    await page.reload();
    await editorIsOpen();
    await deploy('once-more');
    assert.equal(await page.locator('#node-dialog-login').count(), 0);
    assert.deepEqual(browser.troubles, []);
  });

  it('shows a stranger of the tailnet nothing but why', async () => {
    await start({ EDITOR_LOGINS: ME, POTION_LANG: 'en-US' });
    await from('100.64.0.8');
    const answer = await page.goto(`http://${LAPTOP.name}:${PORT}/`);
    assert.equal(answer?.status(), 403);
    assert.match(
      await page.innerText('body'),
      /^Tailscale knows you as guest@example\.com, .* EDITOR_LOGINS/,
    );
  });

  it('asks others for the password, says how long to wait, and is open with the right one', async () => {
    await start({ EDITOR_LOGINS: ME, EDITOR_PASSWORD_HASH, POTION_LANG: 'en-US' });
    await from('100.64.0.9');
    await page.goto(`http://${LAPTOP.v4}:${PORT}/`);
    const tryOut = async (password: string) => {
      await page.locator('#node-dialog-login-username').fill('admin');
      await page.locator('#node-dialog-login-password').fill(password);
      await page.locator('#node-dialog-login-submit').click();
    };
    const says = () => page.locator('#node-dialog-login-failed');
    await tryOut('guess');
    await says().filter({ hasText: 'User name or password is wrong.' }).waitFor();
    await tryOut('open sesame');
    await editorIsOpen();
    assert.equal(await user(), 'admin');
    await deploy('by-password');
    await browser.close();

    await from('100.64.0.8');
    await page.goto(`http://${LAPTOP.v4}:${PORT}/`);
    for (let i = 0; i < 5; i++) {
      const answered = page.waitForResponse(/auth\/token$/);
      await tryOut(`guess ${i}`);
      assert.equal((await answered).status(), 403);
    }
    await tryOut('open sesame');
    await says().filter({ hasText: 'Too many wrong passwords. Try again in 5 s' }).waitFor();
  });
});

import assert from 'node:assert/strict';
import { type Browser, startBrowser } from '../support/browser.ts';
import { needs } from '../support/needs.ts';
import { type Potion, startPotion } from '../support/potion.ts';

describe('sandbox: the chat page where it has no sandbox, or a login', function () {
  this.timeout(30_000);
  const NO_BOT = { BOT_TOKEN: '', TELEGRAM_API_URL: '' };
  let potion: Potion;
  let browser: Browser;
  before(async function () {
    needs(this, 'chromium');
    browser = await startBrowser();
  });
  after(() => browser?.close());
  afterEach(() => potion?.stop());

  it('says that a real bot is in use, in the language set, and points to the README', async () => {
    potion = await startPotion({ env: { POTION_LANG: 'en-US' } });
    await potion.waitReady();
    await browser.page.goto(`${potion.url}/potion/chat`);
    const notice = browser.page.locator('#notice');
    await notice.filter({ hasText: 'A real Telegram bot is in use' }).waitFor();
    assert.match((await notice.locator('#notice-link').getAttribute('href')) ?? '', /readme/);
    assert.equal(await browser.page.locator('#app').isVisible(), false);
  });

  it("asks for the editor's login, and goes on with its token", async () => {
    // bcrypt of "geheim", cost 4.
    const EDITOR_PASSWORD_HASH = '$2b$04$zRasXKBEZRCMI.gjpzq/oO3cIK4XCVeTyrtTC/VHmmKw2x6ooRnLe';
    potion = await startPotion({ env: { ...NO_BOT, EDITOR_PASSWORD_HASH } });
    await potion.waitReady();
    const { page } = browser;
    await page.goto(`${potion.url}/potion/chat`);
    await page.getByText('Masuk dulu ya').waitFor();
    const login = { client_id: 'node-red-editor', grant_type: 'password', scope: '*', username: 'admin' };
    const { body } = await potion.admin('/auth/token', { body: { ...login, password: 'geheim' } });
    await page.evaluate(`localStorage.setItem('auth-tokens', ${JSON.stringify(JSON.stringify(body))})`);
    await page.locator('#app').waitFor();
    await page.locator('#input').fill('halo');
    await page.locator('#send').click();
    await page.locator('.message').filter({ hasText: 'halo' }).waitFor();
  });

  it("stands in the editor's header as a link", async () => {
    potion = await startPotion({ env: NO_BOT });
    await potion.waitReady();
    await browser.page.goto(potion.url);
    await browser.page.locator('a.red-ui-header-button[href="potion/chat"]').waitFor();
  });
});

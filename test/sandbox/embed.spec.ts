import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PageEvent } from '../../ops/sandbox/page-state.js';
import { echoFlow } from '../support/echo-flow.ts';
import { type Potion, startPotion } from '../support/potion.ts';

const ADMIN = 100_001;
const STRANGER = 999_999_001;
const NO_BOT = { BOT_TOKEN: '', TELEGRAM_API_URL: '' };

/** The events of the chat page until one fits. */
async function eventsUntil(
  url: string,
  fits: (event: PageEvent) => boolean,
  headers = {},
): Promise<PageEvent[]> {
  const response = await fetch(`${url}/potion/chat/events`, { headers, signal: AbortSignal.timeout(8000) });
  assert.equal(response.status, 200);
  const events: PageEvent[] = [];
  let rest = '';
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    const blocks = (rest + new TextDecoder().decode(chunk)).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks.filter((text) => text.startsWith('data: '))) {
      const event: PageEvent = JSON.parse(block.slice(6));
      events.push(event);
      if (fits(event)) return events;
    }
  }
  throw new Error(`the stream ended after ${JSON.stringify(events)}`);
}

const texts = (events: PageEvent[]) =>
  events.flatMap((event) => (event.type === 'entry' ? [event.entry.message.text] : []));

describe('sandbox: stands in for Telegram where no bot is set up', function () {
  this.timeout(30_000);
  let potion: Potion | undefined;
  afterEach(() => potion?.stop());

  it('telegrambot nodes that refer to the environment talk to it; a button works', async () => {
    potion = await startPotion({ env: NO_BOT });
    await potion.waitReady();
    assert.equal((await potion.admin('/flows', { body: echoFlow() })).status, 204);

    const answered = eventsUntil(
      potion.url,
      (event) => event.type === 'entry' && event.entry.message.text === 'echo: /status',
    );
    await new Promise((resolve) => setTimeout(resolve, 100));
    await potion.admin('/potion/chat/say', { body: { as: ADMIN, text: '/status' } });
    const events = await answered;
    assert.deepEqual(texts(events), ['/status', 'echo: /status']);
    const last = events.at(-1);
    assert.ok(last?.type === 'entry');
    const { message_id } = last.entry.message;

    const edited = eventsUntil(
      potion.url,
      (event) => event.type === 'entry' && event.entry.message.text === 'Detail',
    );
    await potion.admin('/potion/chat/press', { body: { as: ADMIN, message: message_id, data: 'detail' } });
    const edit = (await edited).at(-1);
    assert.ok(edit?.type === 'entry' && edit.entry.message.message_id === message_id);
  });

  it('makes who plays admin the admin, and says where the chat is', async () => {
    potion = await startPotion({ env: { ...NO_BOT, ADMIN_IDS: '77, 88' } });
    await potion.waitReady();
    assert.match(
      potion.console(),
      new RegExp(`chat sandbox stands in for Telegram: ${potion.url}/potion/chat`),
    );
    const [hello] = await eventsUntil(potion.url, () => true);
    assert.ok(hello?.type === 'hello');
    assert.deepEqual(
      hello.people.map(({ id, role }) => `${role} ${id}`),
      ['admin 77', 'admin 88', `stranger ${STRANGER}`],
    );
    const { status } = await potion.admin('/potion/chat/say', { body: { as: 12, text: 'hi' } });
    assert.equal(status, 400, 'nobody else can be played');
  });

  it('keeps its token out of the log', async () => {
    potion = await startPotion({ env: { ...NO_BOT, LOG_LEVEL: 'debug' } });
    await potion.waitReady();
    await potion.admin('/flows', { body: echoFlow() });
    await potion.admin('/potion/chat/say', { body: { as: ADMIN, text: 'hi' } });
    assert.doesNotMatch(potion.console(), /\d{9}:[\w-]{30}/);
  });

  it('remembers the chats across a restart, with ids that go on', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'potion-chats-'));
    try {
      potion = await startPotion({ env: NO_BOT, dataDir });
      await potion.waitReady();
      await potion.admin('/potion/chat/say', { body: { as: ADMIN, text: 'remember me' } });
      await new Promise((resolve) => setTimeout(resolve, 1300));
      await potion.kill();
      potion = await startPotion({ env: NO_BOT, dataDir });
      await potion.waitReady();
      const [hello] = await eventsUntil(potion.url, () => true);
      assert.ok(hello?.type === 'hello');
      assert.deepEqual(
        hello.entries.map(({ message }) => message.text),
        ['remember me'],
      );

      await potion.stop();
      writeFileSync(join(dataDir, 'sandbox-chats.json'), '{"people": [');
      potion = await startPotion({ env: NO_BOT, dataDir });
      await potion.waitReady();
      const [fresh] = await eventsUntil(potion.url, () => true);
      assert.ok(
        fresh?.type === 'hello' && fresh.entries.length === 0,
        'a broken file is no reason not to start',
      );
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  });

  it('stays away when a bot is set up, and the page says so', async () => {
    potion = await startPotion();
    await potion.waitReady();
    const { body } = await potion.admin('/potion/chat/about');
    assert.equal((body as { embedded: boolean }).embedded, false);
    assert.equal((await potion.admin('/potion/chat/events')).status, 404);
    assert.equal((await potion.admin('/potion/chat')).status, 200);
  });

  it("asks for the editor's login where one is set, before it tells anything that was said", async () => {
    const secret = { user: 'admin', password: 'geheim' };
    // bcrypt of "geheim", cost 4.
    const EDITOR_PASSWORD_HASH = '$2b$04$zRasXKBEZRCMI.gjpzq/oO3cIK4XCVeTyrtTC/VHmmKw2x6ooRnLe';
    potion = await startPotion({ env: { ...NO_BOT, EDITOR_PASSWORD_HASH } });
    await potion.waitReady();
    assert.equal((await potion.admin('/potion/chat')).status, 200, 'the page itself is no secret');
    assert.equal((await potion.admin('/potion/chat/events')).status, 401);
    assert.equal((await potion.admin('/potion/chat/files/x')).status, 401);
    for (const path of ['say', 'press', 'files'])
      assert.equal(
        (await potion.admin(`/potion/chat/${path}`, { body: { as: ADMIN, text: 'x' } })).status,
        401,
        path,
      );

    const login = await potion.admin('/auth/token', {
      body: {
        client_id: 'node-red-editor',
        grant_type: 'password',
        scope: '*',
        username: secret.user,
        password: secret.password,
      },
    });
    const token = (login.body as { access_token: string }).access_token;
    const headers = { authorization: `Bearer ${token}` };
    const [hello] = await eventsUntil(potion.url, () => true, headers);
    assert.equal(hello?.type, 'hello');
    assert.equal(
      (await potion.admin('/potion/chat/say', { headers, body: { as: ADMIN, text: 'x' } })).status,
      200,
    );
  });
});

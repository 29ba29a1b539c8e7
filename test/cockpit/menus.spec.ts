import assert from 'node:assert/strict';
import { render } from '../../nodes/kit/locale.js';
import { needs } from '../support/needs.ts';
import { type LocalCockpit, startCockpit } from './cockpit.ts';

describe('menus in the chat: messages that are edited in their place', function () {
  this.timeout(90_000);
  let potion: LocalCockpit;

  before(async () => {
    potion = await startCockpit({
      env: { SERVICES_WHITELIST: 'web', SERVER_NAME: 'rumah' },
      changes: { 'er-confirm': { ttl: 5 }, 'db-uptime-say': { fileAbove: 20 } },
    });
  });
  after(() => potion?.stop());

  it('answers a press in the message itself, also when it is pressed twice at once', async () => {
    const { cockpit } = potion;
    const status = await cockpit.ask('/status');
    const count = (await cockpit.messages()).length;
    const both = await Promise.all([cockpit.press(status, 'Refresh'), cockpit.press(status, 'Refresh')]);
    for (const one of both) assert.equal(one.id, status.id);
    assert.equal((await cockpit.messages()).length, count, 'no message more');
  });

  it('keeps two panels apart', async () => {
    const { cockpit } = potion;
    const first = await cockpit.ask('/status');
    const second = await cockpit.ask('/status');
    const [detail, other] = await Promise.all([
      cockpit.press(first, 'Detail'),
      cockpit.press(second, 'Refresh'),
    ]);
    assert.equal(detail.id, first.id);
    assert.match(detail.text, /🔎/);
    assert.match((await cockpit.now(second))?.text ?? '', /📊/);
    assert.equal(other.id, second.id);
    assert.match((await cockpit.press(first, 'Ringkas')).text, /📊/);
  });

  it('knows a button of an old message after it was killed', async () => {
    const { cockpit } = potion;
    const status = await cockpit.ask('/status');
    await potion.restart();
    const detail = await cockpit.press(status, 'Detail');
    assert.equal(detail.id, status.id);
    assert.match(detail.text, /🔎/);
  });

  it('answers with a new message when the old one was deleted', async () => {
    const { cockpit, sandbox } = potion;
    const status = await cockpit.ask('/status');
    const room = sandbox.world.rooms.get(sandbox.user.id);
    const gone = room?.entries.get(status.id);
    assert.ok(gone);
    // Pressed just before it was deleted, as on a second phone.
    const detail = cockpit.press(status, 'Detail');
    setTimeout(() => room?.entries.delete(status.id), 5);
    const answer = await detail;
    assert.notEqual(answer.id, status.id);
    assert.match(answer.text, /🔎/);
  });

  it('takes the buttons of a question away when it is answered by a word', async () => {
    const { cockpit } = potion;
    for (const word of ['YA', 'tidak']) {
      const asked = await cockpit.ask('/svc stop web');
      assert.equal(asked.buttons.flat().length, 2);
      const answer = await cockpit.ask(word);
      assert.notEqual(answer.id, asked.id, 'the answer stands below the word');
      const after = await cockpit.hears(({ id, buttons }) => id === asked.id && buttons.length === 0);
      assert.equal(after.text, asked.text, 'the question itself stays');
    }
  });

  it('takes them away as well when it is answered by a button, and when its time is over', async () => {
    const { cockpit } = potion;
    const asked = await cockpit.ask('/svc stop web');
    const answer = await cockpit.press(asked, 'Ya');
    assert.equal(answer.id, asked.id);
    assert.ok(!answer.buttons.flat().includes('✅ Ya'), JSON.stringify(answer.buttons));
    const late = await cockpit.ask('/svc stop web');
    const over = await cockpit.hears(({ id, text }) => id === late.id && /kedaluwarsa/.test(text));
    assert.ok(!over.buttons.flat().includes('✅ Ya'), JSON.stringify(over.buttons));
  });

  it('says that it is at work when that takes longer than a second, and puts the result in its place', async function () {
    needs(this, 'ping');
    const { cockpit } = potion;
    const answer = await cockpit.ask('/ping 127.0.0.1');
    const [first, ...rest] = await cockpit.history(answer);
    assert.equal(first, render('id', 'processing'));
    assert.deepEqual(rest, [answer.text]);
    assert.match(answer.text, /127\.0\.0\.1/);
  });

  it('sends what is too long for a message as a file, with its beginning', async () => {
    const { text, file } = await potion.cockpit.ask('/uptime');
    assert.equal(file?.name, 'uptime.txt');
    assert.match(file?.text ?? '', /nyala/);
    assert.match(text, /jadi aku kirim sebagai file/);
  });
});

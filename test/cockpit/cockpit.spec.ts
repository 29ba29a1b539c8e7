import assert from 'node:assert/strict';
import { type LocalCockpit, startCockpit } from './cockpit.ts';

const STRANGER = 666;

describe('the harness for transcripts', function () {
  this.timeout(60_000);
  let potion: LocalCockpit;

  before(async () => {
    potion = await startCockpit({ env: { SERVICES_WHITELIST: 'web' } });
  });
  after(() => potion?.stop());

  it('gives the final answer to what was asked, with its keyboard', async () => {
    const { cockpit } = potion;
    const hello = await cockpit.ask('/start');
    assert.match(hello.text, /Aku Potion/);
    assert.deepEqual(hello.keyboard?.[0], ['📊 Status', '🧰 Kontrol']);
    assert.deepEqual(hello.buttons, []);
  });

  it('tells apart the answers to two questions at once', async () => {
    const { cockpit } = potion;
    const [help, unknown] = await Promise.all([cockpit.ask('/help'), cockpit.ask('/nosuch')]);
    assert.match(help.text, /Yang aku bisa/);
    assert.match(unknown.text, /belum kenal/);
  });

  it('presses a button by a part of its label, and gives the message that it changed', async () => {
    const { cockpit } = potion;
    const asked = await cockpit.ask('/svc stop web');
    assert.match(asked.text, /Yakin mau/);
    const answered = await cockpit.press(asked, 'Batal');
    assert.equal(answered.id, asked.id);
    assert.match(answered.text, /batal/);
    assert.match(answered.toast ?? '', /batal/i);
    assert.deepEqual(await cockpit.history(asked), [asked.text, answered.text]);
  });

  it('gives the word that a refused press brings up, with the message as it was', async () => {
    const { cockpit, sandbox } = potion;
    const asked = await cockpit.ask('/svc stop web');
    const other = sandbox.world.rooms.get(sandbox.user.id)?.entries.get(asked.id);
    const buttons = structuredClone(other?.message.reply_markup);
    await cockpit.press(asked, 'Batal');
    if (other && buttons) other.message.reply_markup = buttons;
    const again = await cockpit.press(asked, 'Ya');
    assert.match(again.toast ?? '', /sudah kamu jawab/);
    assert.match(again.text, /batal/);
  });

  it('says so when a stranger is left unanswered, with the line of the audit log', async () => {
    const { cockpit } = potion;
    assert.match(await cockpit.as(STRANGER).sendsInVain('/status'), /event=refused .*result=stranger/);
    assert.deepEqual(await cockpit.as(STRANGER).messages(), []);
  });

  it('goes on with the same chat after Potion was killed', async () => {
    await potion.restart();
    assert.match((await potion.cockpit.ask('/help start')).text, /\/start/);
    assert.ok((await potion.cockpit.audit()).some((line) => line.includes('action=help')));
  });

  it('fails with what was there when nobody answers', async () => {
    await assert.rejects(potion.cockpit.as(STRANGER).ask('/help', 300), /nothing like an answer/);
    await assert.rejects(potion.cockpit.press(await potion.cockpit.ask('/help'), 'Nope'), /no such button/);
  });
});

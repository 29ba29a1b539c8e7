import assert from 'node:assert/strict';
import { answered } from '../../nodes/state/requests.js';
import { ADMIN, FLOW, type House, NOW, openHouse, STRANGER } from '../support/door.ts';
import { message, press } from '../support/updates.ts';

const said = async (house: House) => (await house.all('say')).map((msg) => msg.say?.text);

describe('gate', () => {
  let house: House;
  beforeEach(async () => {
    house = await openHouse();
  });
  afterEach(() => house.stop());

  it('hands a command to the node of that name, with who asked and what', async () => {
    await house.give(message(ADMIN, '/look "at this" now', 7, NOW));
    const [msg] = await house.all('looked');
    assert.deepEqual(msg?.payload, { args: ['at this', 'now'], text: '"at this" now' });
    assert.deepEqual(msg?.request, {
      id: `42:7:${NOW / 1000}`,
      user: ADMIN,
      chat: ADMIN,
      command: 'look',
      args: ['at this', 'now'],
      startedAt: NOW,
      messageId: undefined,
    });
    assert.deepEqual(await house.audit(), ['42 request look at this now accepted']);
    assert.equal(house.log().length, 1);
  });

  it('hands on a keyboard button and an inline button, and ends the spinner of the latter at once', async () => {
    house.clock.advance(10_000);
    await house.give(message(ADMIN, '📊 Status', 7, NOW));
    await house.give(press(ADMIN, '/look now', '8001', 55));
    const [first, second] = await house.all('looked');
    assert.equal(first?.request?.command, 'look');
    assert.equal(second?.request?.messageId, 55);
    assert.deepEqual(
      (await house.all('presses')).map((msg) => msg.payload),
      [{ type: 'answerCallbackQuery', callbackQueryId: '8001', options: {} }],
    );
  });

  it('does nothing for an update that Telegram delivers again, also when it comes twice at once', async () => {
    house.flow.give('gate', message(ADMIN, '/now', 7, NOW));
    await house.give(message(ADMIN, '/now', 7, NOW));
    await house.give(message(ADMIN, '/now', 7, NOW));
    assert.equal((await house.all('did')).length, 1);
    assert.deepEqual(await house.audit(), ['42 request now accepted', '42 refused message duplicate']);
  });

  it('does nothing for an update that is delivered again after a crash', async () => {
    const update = message(ADMIN, '/now', 7, NOW);
    await house.give(update);
    await house.restart();
    await house.give(update);
    assert.equal((await house.all('did')).length, 0);
  });

  it('says that it takes a moment when there is no answer after a second', async () => {
    await house.give(message(ADMIN, '/look', 7, NOW));
    house.clock.advance(999);
    assert.deepEqual(await said(house), []);
    house.clock.advance(1);
    assert.deepEqual(await said(house), ['processing']);
    assert.equal((await house.all('say'))[0]?.request?.command, 'look');
  });

  it('says nothing of the kind once the request is answered', async () => {
    await house.give(message(ADMIN, '/look', 7, NOW));
    await answered(house.db, `42:7:${NOW / 1000}`, NOW);
    house.clock.advance(5000);
    assert.deepEqual(await said(house), []);
  });

  it('suggests the nearest command for one that it does not know', async () => {
    await house.give(message(ADMIN, '/lok', 7, NOW));
    const [msg] = await house.all('say');
    assert.deepEqual(msg?.say, { text: 'gate.unknown', data: { name: 'lok', nearest: 'look' } });
    assert.deepEqual(await house.audit(), ['42 request message /lok unknown']);
  });

  it('gives one hint for plain talk, then lets people talk, and keeps their words out of the log', async () => {
    for (let id = 1; id <= 5; id++) await house.give(message(ADMIN, 'my secret is 1234', id, NOW));
    assert.deepEqual(await said(house), ['gate.hint']);
    house.clock.advance(600_000);
    await house.give(message(ADMIN, 'hello?', 9, house.clock.now()));
    assert.deepEqual(await said(house), ['gate.hint', 'gate.hint']);
    assert.ok(!house.log().join('').includes('secret'));
  });

  it('does not run what is forwarded, and says so', async () => {
    await house.give(message(ADMIN, '/now', 1, NOW, { forward_origin: { type: 'hidden_user' } }));
    assert.equal((await house.all('did')).length, 0);
    assert.deepEqual(await said(house), ['gate.forwarded']);
  });

  it('asks again before it runs a changing command that comes late; the button then runs it', async () => {
    house.clock.advance(10 * 60_000);
    await house.give(message(ADMIN, '/now "a b"', 7, NOW));
    assert.equal((await house.all('did')).length, 0);
    const [msg] = await house.all('say');
    assert.deepEqual(msg?.say, {
      text: 'gate.stale',
      data: { line: '/now "a b"', at: NOW },
      buttons: [[{ label: '▶️ Run it now', command: '/now "a b"' }]],
    });
    const asked = { message_id: 9, date: house.clock.now() / 1000, chat: { id: ADMIN, type: 'private' } };
    await house.give(press(ADMIN, '/now "a b"', '8001', 9, { message: asked }));
    assert.deepEqual((await house.all('did'))[0]?.payload, { args: ['a b'], text: '"a b"' });
    assert.deepEqual(await house.audit(), ['42 request now "a b" stale', '42 request now a b accepted']);
  });

  it('runs a command that only reads however late it comes', async () => {
    house.clock.advance(10 * 60_000);
    await house.give(message(ADMIN, '/look', 7, NOW));
    assert.equal((await house.all('looked')).length, 1);
  });

  it('takes a press right after the start, or among late messages, for one that may be old', async () => {
    await house.give(press(ADMIN, '/now', '1'));
    assert.deepEqual(await said(house), ['gate.stale']);
    house.clock.advance(600_000);
    await house.give(press(ADMIN, '/now', '2'));
    assert.equal((await house.all('did')).length, 1);
    await house.give(message(ADMIN, '/look', 7, NOW));
    await house.give(press(ADMIN, '/now', '3'));
    assert.equal((await house.all('did')).length, 1);
  });

  it('answers a flood with one notice and hears nothing more until it is calm', async () => {
    for (let id = 1; id <= 60; id++) house.flow.give('gate', message(ADMIN, '/look', id, NOW));
    await house.give(press(ADMIN, '/look', '1'));
    assert.equal((await house.all('looked')).length, 20);
    assert.deepEqual(await said(house), ['gate.limited']);
    house.clock.advance(5000);
    await house.give(message(ADMIN, '/look', 100, house.clock.now()));
    assert.equal((await house.all('looked')).length, 21);
    assert.equal((await house.audit()).filter((line) => line.endsWith('limited')).length, 1);
  });

  it('gives a stranger nothing, writes one line with who it was, and counts the rest', async () => {
    for (let id = 1; id <= 100; id++) house.flow.give('gate', message(STRANGER, '/now please', id, NOW));
    for (let id = 1; id <= 20; id++) house.flow.give('gate', press(STRANGER, '/now', String(id)));
    assert.deepEqual(await house.all('did'), []);
    assert.deepEqual(await house.all('say'), []);
    assert.deepEqual(await house.all('presses'), []);
    assert.deepEqual(await house.audit(), ['666 refused message /now please stranger']);
    assert.match(
      house.log()[0] ?? '',
      /user=666 event=refused action=message target="\/now please" result=stranger$/,
    );
    house.clock.advance(11 * 60_000);
    assert.deepEqual((await house.audit()).slice(1), ['666 refused again stranger']);
    assert.match(house.log()[1] ?? '', /detail="\{\\"times\\":119\}"$/);
  });

  it('writes only so many lines for an army of strangers', async () => {
    for (let id = 1; id <= 500; id++) await house.give(message(10_000 + id, '/now', id, NOW));
    assert.ok((await house.audit()).length <= 51);
  }).timeout(30_000);

  it('shows how many admins there are', () => {
    const shown = { fill: 'green', shape: 'dot', text: '2 admin(s)' };
    assert.deepEqual(house.flow.statuses('gate').at(-1), shown);
  });

  it('hands nothing on when the database fails, and says so', async () => {
    await house.db.schema.dropTable('requests').execute();
    await house.give(message(ADMIN, '/now', 7, NOW));
    assert.deepEqual(await house.all('did'), []);
    assert.equal((await house.all('failed'))[0]?.error?.code, 'UNAVAILABLE');
  });

  it('forgets requests older than 30 days', async () => {
    await house.give(message(ADMIN, '/look', 1, NOW));
    house.clock.jump(NOW + 31 * 86_400_000);
    house.clock.advance(86_400_000);
    await house.all('say');
    assert.deepEqual(await house.db.selectFrom('requests').selectAll().execute(), []);
  });
});

describe('gate after a crash', () => {
  let house: House;
  beforeEach(async () => {
    house = await openHouse();
  });
  afterEach(() => house.stop());

  it('runs a command again that only reads and was never answered, once', async () => {
    await house.give(message(ADMIN, '/look here', 7, NOW));
    const [before] = await house.all('looked');
    await house.restart();
    const [after, more] = await house.all('looked');
    assert.deepEqual(after?.request, JSON.parse(JSON.stringify(before?.request)));
    assert.deepEqual(after?.payload, before?.payload);
    assert.equal(more, undefined);
    await house.restart();
    assert.deepEqual(await house.all('looked'), []);
    assert.deepEqual(await said(house), ['gate.lost']);
  });

  it('never repeats one that changes something, and tells whoever asked', async () => {
    await house.give(message(ADMIN, '/now x', 7, NOW));
    await house.restart();
    assert.deepEqual(await house.all('did'), []);
    const [notice] = await house.all('say');
    assert.deepEqual(notice?.say, { text: 'gate.interrupted', data: { line: '/now x', at: NOW } });
    assert.equal(notice?.request?.chat, ADMIN);
    assert.deepEqual(await house.audit(), ['42 request now x accepted', '42 result now x interrupted']);
  });

  it('tells it until it has been told', async () => {
    await house.give(message(ADMIN, '/now', 7, NOW));
    await house.restart();
    assert.deepEqual(await said(house), ['gate.interrupted']);
    await house.restart();
    assert.deepEqual(await said(house), ['gate.interrupted']);
    await answered(house.db, `42:7:${NOW / 1000}`, NOW);
    await house.restart();
    assert.deepEqual(await said(house), []);
  });

  it('leaves answered requests alone', async () => {
    await house.give(message(ADMIN, '/look', 7, NOW));
    await answered(house.db, `42:7:${NOW / 1000}`, NOW);
    await house.restart();
    assert.deepEqual(await house.all('looked'), []);
    assert.deepEqual(await said(house), []);
  });

  it('only speaks of a reading command that is older than ten minutes, or gone from the flow', async () => {
    await house.give(message(ADMIN, '/look', 7, NOW));
    house.clock.advance(11 * 60_000);
    await house.give(message(ADMIN, '/look', 8, house.clock.now()));
    await house.restart(FLOW.filter((node) => node.id !== 'look'));
    assert.deepEqual(await said(house), ['gate.lost', 'gate.lost']);
  });

  it('does not speak of what is older than a day', async () => {
    await house.give(message(ADMIN, '/look', 7, NOW));
    house.clock.advance(25 * 3_600_000);
    await house.restart();
    assert.deepEqual(await house.all('looked'), []);
    assert.deepEqual(await said(house), []);
  });

  it('gives its own answers again', async () => {
    await house.give(message(ADMIN, '/lok', 7, NOW));
    await house.restart();
    assert.deepEqual(await said(house), ['gate.unknown']);
  });
});

describe('gate without admins', () => {
  it('lets nobody in, and shows it', async () => {
    const house = await openHouse(FLOW, { ADMIN_IDS: '' });
    try {
      await house.give(message(ADMIN, '/look', 7, NOW));
      assert.deepEqual(await house.all('looked'), []);
      assert.deepEqual(house.flow.statuses('gate').at(-1), {
        fill: 'red',
        shape: 'ring',
        text: 'ADMIN_IDS is empty: everyone is refused',
      });
    } finally {
      await house.stop();
    }
  });
});

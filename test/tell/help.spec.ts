import assert from 'node:assert/strict';
import { render } from '../../nodes/kit/locale.js';
import { ADMIN, FLOW, type House, NOW, openHouse, payloadOf } from '../support/door.ts';
import { message } from '../support/updates.ts';

const HELP = [
  {
    id: 'cmd-help',
    type: 'potion-command',
    command: 'help',
    order: 1,
    description: 'What I can do',
    wires: [['helper-node']],
  },
  { id: 'helper-node', type: 'potion-help', action: 'help', wires: [['helped']] },
  { id: 'welcome', type: 'potion-help', action: 'welcome', wires: [['helped']] },
  { id: 'secret', type: 'potion-command', command: 'secret', hidden: true, wires: [] },
  { id: 'helped', type: 'helper' },
].map((node) => ({ z: 'tab', x: 1, y: 1, ...node }));

describe('help', () => {
  let house: House;
  beforeEach(async () => {
    house = await openHouse([...FLOW, ...HELP]);
  });
  afterEach(() => house.stop());

  it('lists the commands that are there, in their order, without the hidden ones', async () => {
    await house.give(message(ADMIN, '/help', 7, NOW));
    const [msg] = await house.all('helped');
    const panels = payloadOf<{ name: string; commands: { name: string }[] }[]>(msg);
    const names = panels.map(({ name, commands }) => [name, commands.map((one) => one.name)]);
    assert.deepEqual(names, [['', ['svc', 'look', 'now', 'help']]]);
    assert.equal(msg?.say?.text, 'help.list');
    assert.equal(msg?.say?.keyboard, true);
    assert.equal(msg?.request?.user, ADMIN);
  });

  it('explains one command, also a hidden one', async () => {
    await house.give(message(ADMIN, '/help /SVC', 7, NOW));
    await house.give(message(ADMIN, '/help secret', 8, NOW));
    const [svc, secret] = await house.all('helped');
    assert.deepEqual(svc?.payload, {
      name: 'svc',
      aliases: [],
      usage: '<start|stop|restart> <unit>',
      description: '',
      changes: true,
      examples: ['/svc start nginx'],
    });
    assert.equal(payloadOf<{ name: string }>(secret).name, 'secret');
    const html = render('en-US', 'help.one', svc?.say?.data);
    assert.match(html, /Usage: <code>\/svc &lt;start\|stop\|restart&gt; &lt;unit&gt;<\/code>/);
    assert.match(html, /Examples: <code>\/svc start nginx<\/code>\n⚠️/);
  });

  it('puts each command under the name of the tab that it is on, in the order of their places', async () => {
    const tabs = [
      { id: 'room', type: 'tab', label: '⚙️ Engine Room' },
      { id: 'first', z: 'room', type: 'potion-command', command: 'top', order: -1 },
    ];
    await house.restart([...FLOW, ...HELP, ...tabs.map((node) => ({ x: 1, y: 1, wires: [], ...node }))]);
    await house.give(message(ADMIN, '/help', 7, NOW));
    const [msg] = await house.all('helped');
    const [room, other] = payloadOf<{ name: string; commands: { name: string }[] }[]>(msg);
    assert.equal(room?.name, '⚙️ Engine Room');
    assert.deepEqual(
      room?.commands.map(({ name }) => name),
      ['top'],
    );
    assert.equal(other?.commands.length, 4);
    const html = render('en-US', 'help.list', msg?.say?.data);
    assert.match(html, /can do<\/b>\n\n<b>⚙️ Engine Room<\/b>\n\/top\n\n\/svc\n\/look\n\/now\n\/help – What/);
  });

  it('suggests the nearest one for a name that is not there', async () => {
    await house.give(message(ADMIN, '/help lok', 7, NOW));
    const [failed] = await house.all('failed');
    assert.equal(failed?.error?.cause?.code, 'NOT_FOUND');
    assert.deepEqual(failed?.error?.cause?.data, { name: 'lok', nearest: 'look' });
  });

  it('greets in words that Telegram takes: names are escaped', async () => {
    house.flow.give('welcome', { payload: '' });
    const [msg] = await house.all('helped');
    assert.equal(msg?.say?.keyboard, true);
    const html = render('en-US', 'help.welcome', { ...msg?.say?.data, server: '<my> server' });
    assert.match(html, /looking after <b>&lt;my&gt; server<\/b>/);
  });
});

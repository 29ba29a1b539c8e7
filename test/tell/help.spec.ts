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
  { id: 'menu', type: 'potion-help', action: 'menu', wires: [['helped']] },
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
    const names = payloadOf<{ name: string }[]>(msg).map(({ name }) => name);
    assert.deepEqual(names, ['svc', 'look', 'now', 'help']);
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
    });
    assert.equal(payloadOf<{ name: string }>(secret).name, 'secret');
  });

  it('suggests the nearest one for a name that is not there', async () => {
    await house.give(message(ADMIN, '/help lok', 7, NOW));
    const [failed] = await house.all('failed');
    assert.equal(failed?.error?.cause?.code, 'NOT_FOUND');
    assert.deepEqual(failed?.error?.cause?.data, { name: 'lok', nearest: 'look' });
  });

  it('is text that Telegram takes: usage and names are escaped', async () => {
    house.flow.give('welcome', { payload: '' });
    const [msg] = await house.all('helped');
    const html = render('en-US', 'help.welcome', { ...msg?.say?.data, server: '<my> server' });
    assert.match(html, /looking after <b>&lt;my&gt; server<\/b>/);
    assert.match(html, /\/svc <code>&lt;start\|stop\|restart&gt; &lt;unit&gt;<\/code>/);
    assert.match(html, /\/help – What I can do/);
  });

  it('makes Telegram’s own list, each with a description as Telegram demands', async () => {
    house.flow.give('menu', { payload: '' });
    const [msg] = await house.all('helped');
    const call = payloadOf<{
      type: string;
      method: string;
      args: { command: string; description: string }[][];
    }>(msg);
    assert.equal(call.type, 'callApi');
    assert.equal(call.method, 'setMyCommands');
    assert.deepEqual(call.args[0]?.at(-1), { command: 'help', description: 'What I can do' });
    for (const { command, description } of call.args[0] ?? []) {
      assert.match(command, /^[a-z0-9_]{1,32}$/);
      assert.ok(description.length >= 1 && description.length <= 256);
    }
  });
});

import assert from 'node:assert/strict';
import { ADMIN, FLOW, type House, NOW, openHouse } from '../support/door.ts';
import { message } from '../support/updates.ts';

describe('command', () => {
  let house: House;
  afterEach(() => house.stop());

  const add = (...nodes: object[]) => [...FLOW, ...nodes.map((node) => ({ z: 'tab', x: 1, y: 1, ...node }))];

  it('gives the checked arguments by name, and the action where the next node looks for it', async () => {
    house = await openHouse();
    await house.give(message(ADMIN, '/svc Restart nginx', 7, NOW));
    const [msg] = await house.all('asked');
    assert.deepEqual(msg?.payload, {
      action: 'restart',
      unit: 'nginx.service',
      args: ['Restart', 'nginx'],
      text: 'Restart nginx',
    });
    assert.equal(msg?.action, 'restart');
  });

  it('fails with the usage, still carrying the request, when arguments don’t fit', async () => {
    house = await openHouse();
    await house.give(message(ADMIN, '/svc restart sshd', 7, NOW));
    const [failed] = await house.all('failed');
    assert.equal(failed?.error?.cause?.code, 'DENIED');
    assert.equal(failed?.error?.cause?.text, 'command.not-allowed');
    assert.equal(failed?.request?.user, ADMIN);
    assert.deepEqual(await house.all('asked'), []);
  });

  it('shows its name', async () => {
    house = await openHouse();
    assert.deepEqual(house.flow.statuses('svc'), [{ fill: 'green', shape: 'dot', text: '/svc' }]);
  });

  it('refuses a name that another node has, and names that node', async () => {
    house = await openHouse(
      add({ id: 'twin', type: 'potion-command', command: 'restart', aliases: 'svc, other', wires: [] }),
    );
    const status = house.flow.statuses('twin').at(-1);
    assert.equal(status?.fill, 'red');
    const [failed] = await house.all('failed');
    assert.deepEqual(failed?.error?.cause, {
      code: 'INVALID',
      text: 'command.taken',
      data: { what: 'svc', command: 'svc', node: 'svc' },
    });
    await house.give(message(ADMIN, '/restart', 7, NOW));
    assert.equal((await house.all('say'))[0]?.say?.text, 'gate.unknown');
  });

  it('refuses a button that another command has', async () => {
    house = await openHouse(
      add({ id: 'twin', type: 'potion-command', command: 'other', buttonEn: '📊 Status', wires: [] }),
    );
    assert.equal((await house.all('failed'))[0]?.error?.cause?.data.what, '📊 Status');
  });

  for (const command of ['', 'Svc', 'a-b', '/svc', 'x'.repeat(33), 'a b'])
    it(`refuses ${JSON.stringify(command)} as a name`, async () => {
      house = await openHouse(add({ id: 'bad', type: 'potion-command', command, wires: [] }));
      assert.equal((await house.all('failed'))[0]?.error?.cause?.text, 'command.bad-name');
    });

  it('gives its name back when it is removed', async () => {
    house = await openHouse();
    await house.restart(FLOW.filter((node) => node.id !== 'look'));
    await house.give(message(ADMIN, '/look', 7, NOW));
    assert.equal((await house.all('say'))[0]?.say?.text, 'gate.unknown');
    await house.restart(FLOW);
    await house.give(message(ADMIN, '/look', 8, NOW));
    assert.equal((await house.all('looked')).length, 1);
  });
});

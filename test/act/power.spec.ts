import assert from 'node:assert/strict';
import { marksOf } from '../../nodes/act/power/countdown.js';
import { bootId } from '../../nodes/host/boot-id.js';
import { ManualClock, systemClock } from '../../nodes/kit/clock.js';
import { setClock } from '../../nodes/kit/define-node.js';
import type { Message, Request } from '../../nodes/kit/messages.js';
import { type Database, openDatabase } from '../../nodes/state/database.js';
import { keepPowerIntent, type PowerIntent, powerIntent } from '../../nodes/state/power-intent.js';
import { insert } from '../../nodes/state/requests.js';
import { type Running, startFlow } from '../support/node-red.ts';
import { refusal, reply, type ScriptedBus, startBus } from '../support/scripted-bus.ts';

const REQUEST: Request = {
  id: 'cb:1',
  user: 42,
  chat: 42,
  command: 'reboot',
  args: [],
  startedAt: 0,
  messageId: 9,
};
const placed = (id: string, action: string, seconds = 10) => ({
  id,
  type: 'potion-power',
  z: 'tab',
  version: 1,
  action,
  seconds,
  x: 0,
  y: 0,
  wires: [['out']],
});
const FLOW = [
  { id: 'tab', type: 'tab' },
  placed('check', 'check-reboot'),
  placed('reboot', 'reboot'),
  placed('off', 'power-off', 5),
  placed('cancel', 'cancel'),
  { id: 'out', type: 'helper', z: 'tab' },
  { id: 'catch', type: 'catch', z: 'tab', x: 0, y: 0, wires: [['caught']] },
  { id: 'caught', type: 'helper', z: 'tab' },
];

describe('the marks of a countdown', () => {
  it('are few, begin with all of it and end above zero', () => {
    assert.deepEqual(marksOf(10), [10, 8, 6, 4, 2]);
    assert.deepEqual(marksOf(5), [5, 4, 2]);
    assert.deepEqual(marksOf(60), [60, 45, 30, 20, 15, 10, 8, 6, 4, 2]);
  });
});

describe('power', () => {
  let db: Database;
  let clock: ManualClock;
  let flow: Running;
  let bus: ScriptedBus;
  let address: string | undefined;
  /** What logind was asked to do, with what was kept of it at that moment. */
  let asked: { member: string; kept: Promise<PowerIntent | undefined> }[];
  let may: string;
  let refuses: boolean;

  beforeEach(async () => {
    asked = [];
    may = 'yes';
    refuses = false;
    clock = new ManualClock();
    setClock(clock);
    db = await openDatabase(':memory:');
    address = process.env.DBUS_SYSTEM_BUS_ADDRESS;
    bus = await startBus({
      onCall: (to, serial, member) => {
        if (member === 'Reboot' || member === 'PowerOff') asked.push({ member, kept: powerIntent(db) });
        if (member.startsWith('Can')) to.write(reply(serial, may));
        else if (member === 'ListInhibitors' || refuses)
          to.write(refusal(serial, 'org.freedesktop.DBus.Error.AccessDenied', 'no'));
        else to.write(reply(serial, ''));
      },
    });
    process.env.DBUS_SYSTEM_BUS_ADDRESS = bus.address;
  });
  afterEach(async () => {
    await flow.stop();
    await db.destroy();
    await bus.stop();
    setClock(systemClock);
    if (address === undefined) delete process.env.DBUS_SYSTEM_BUS_ADDRESS;
    else process.env.DBUS_SYSTEM_BUS_ADDRESS = address;
  });

  const nodes = ['act/power'];
  const start = async () => {
    flow = await startFlow(nodes, FLOW, db);
    await pass(2);
  };
  const rest = () => new Promise((resolve) => setTimeout(resolve, 12));
  const pass = async (seconds: number) => {
    for (let i = 0; i < seconds * 4; i++) {
      clock.advance(250);
      await rest();
    }
  };
  const confirmed = async (node = 'reboot') => {
    await insert(db, { request: REQUEST, changes: true, message: { request: REQUEST }, at: clock.now() });
    flow.give(node, { request: REQUEST, payload: {} });
    await rest();
    await rest();
  };
  const said = () =>
    flow.got('out').map(({ say }) => [say?.text, say?.data?.left].filter((x) => x !== undefined));
  const failures = () => flow.got('caught').map(({ error }) => error?.cause?.code);

  it('counts down in words, says that it happens now, keeps that, and only then asks the machine, once', async () => {
    await start();
    await confirmed();
    await pass(9);
    assert.equal(asked.length, 0);
    assert.deepEqual(
      said(),
      [10, 8, 6, 4, 2].map((left) => ['power.countdown', left]),
    );
    const first = flow.got('out')[0]?.say;
    assert.equal(first?.interim, true);
    assert.deepEqual(
      first?.buttons?.flat().map((button) => 'command' in button && button.command),
      ['/cancel'],
    );
    await pass(8);
    assert.deepEqual(said().at(-1), ['power.now']);
    assert.equal(flow.got('out').at(-1)?.say?.interim, undefined, 'the request has its answer');
    assert.deepEqual(
      asked.map(({ member }) => member),
      ['Reboot'],
    );
    const kept = await asked[0]?.kept;
    assert.equal(kept?.phase, 'begun', 'kept before the effect');
    assert.equal(kept?.bootId, bootId());
    await pass(20);
    assert.equal(asked.length, 1);
  });

  it('is cancelled by whoever asks, and then never happens', async () => {
    await start();
    await confirmed();
    await pass(3);
    flow.give('cancel', { request: { ...REQUEST, id: 'cb:2', user: 43 } });
    await pass(20);
    assert.deepEqual(asked, []);
    const last = flow.got('out').slice(-2);
    assert.deepEqual(
      last.map(({ say }) => say?.text),
      ['power.cancelled', 'power.cancelled'],
    );
    assert.ok(last.some(({ request, say }) => request?.id === REQUEST.id && say?.outcome === 'CANCELLED'));
    assert.equal(await powerIntent(db), undefined);
    flow.give('cancel', { request: REQUEST });
    await rest();
    assert.deepEqual(said().at(-1), ['power.nothing']);
  });

  it('lets one countdown go on at a time', async () => {
    await start();
    await confirmed();
    flow.give('off', { request: { ...REQUEST, id: 'cb:3' } });
    flow.give('reboot', { request: { ...REQUEST, id: 'cb:4' } });
    await pass(1);
    assert.deepEqual(failures(), ['BUSY', 'BUSY']);
    await pass(20);
    assert.deepEqual(
      asked.map(({ member }) => member),
      ['Reboot'],
    );
  });

  it('asks nobody when it has not the right', async () => {
    may = 'challenge';
    await start();
    flow.give('check', { request: REQUEST });
    await confirmed();
    await pass(1);
    assert.deepEqual(failures(), ['DENIED', 'DENIED']);
    assert.deepEqual(flow.got('out'), []);
    may = 'yes';
    flow.give('check', { request: REQUEST });
    await pass(1);
    const { payload } = flow.got('out')[0] as Message & { payload: { action: string } };
    assert.equal(payload.action, 'reboot');
  });

  it('tells of a refusal in the end, keeps it as the result, and lets it be tried again', async () => {
    refuses = true;
    await start();
    await confirmed();
    await pass(20);
    assert.deepEqual(failures(), ['DENIED']);
    assert.equal(await powerIntent(db), undefined);
    const row = await db.selectFrom('audit').selectAll().where('event', '=', 'result').executeTakeFirst();
    assert.deepEqual([row?.action, row?.result, row?.user_id], ['reboot', 'DENIED', 42]);
    refuses = false;
    flow.give('reboot', { request: { ...REQUEST, id: 'cb:5' } });
    await pass(20);
    assert.equal(asked.length, 2);
  });

  it('does not outlive its node: the countdown ends, and the next one tells of it', async () => {
    await start();
    await confirmed();
    await pass(4);
    await flow.stop();
    await pass(20);
    assert.deepEqual(asked, []);
    await start();
    const [told, ...more] = flow.got('out');
    assert.deepEqual(more, []);
    assert.equal(told?.say?.text, 'power.interrupted');
    assert.equal(told?.say?.edit, true);
    assert.equal(told?.request?.id, REQUEST.id);
    const row = await db.selectFrom('requests').selectAll().where('id', '=', REQUEST.id).executeTakeFirst();
    assert.equal(row?.state, 'answered', 'so that the gate does not tell of it as well');
    await pass(20);
    assert.deepEqual(asked, []);
    assert.equal(await powerIntent(db), undefined);
  });

  for (const phase of ['countdown', 'begun'] as const)
    it(`never takes up what a crash has interrupted (${phase})`, async () => {
      await keepPowerIntent(db, { action: 'reboot', phase, at: 1, bootId: bootId(), request: REQUEST });
      await start();
      await pass(20);
      assert.deepEqual(said(), [['power.interrupted']]);
      assert.deepEqual(asked, []);
    });

  it('leaves what did happen to the boot node', async () => {
    const intent = { action: 'reboot', phase: 'begun', at: 1, bootId: 'before', request: REQUEST } as const;
    await keepPowerIntent(db, intent);
    await start();
    assert.deepEqual(flow.got('out'), []);
    assert.deepEqual(await powerIntent(db), intent);
    assert.deepEqual(asked, []);
  });

  it('switches off only by the node that is for it', async () => {
    await start();
    await confirmed('off');
    await pass(12);
    assert.deepEqual(
      asked.map(({ member }) => member),
      ['PowerOff'],
    );
    const [first] = asked;
    assert.equal((await first?.kept)?.action, 'power-off');
  });
});

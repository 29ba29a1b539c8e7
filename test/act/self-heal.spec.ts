import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Telling } from '../../nodes/act/self-heal/heal.js';
import { type Limits, limitsFrom, waitBefore } from '../../nodes/act/self-heal/limits.js';
import { messageOf, surrenderOf } from '../../nodes/act/self-heal/story.js';
import { readConfig, setConfig } from '../../nodes/kit/config.js';
import { PotionError } from '../../nodes/kit/errors.js';
import type { Message } from '../../nodes/kit/messages.js';
import { type Database, openDatabase } from '../../nodes/state/database.js';
import { forgetHeals, loadHeals, saveHeal } from '../../nodes/state/heals.js';
import type { Sandbox } from '../../ops/sandbox/server.js';
import { type Running, startFlow } from '../support/node-red.ts';
import { botNode, deliveryNodes, startTelegram, telegramFlow } from '../support/telegram.ts';

const CONFIG = {
  tries: 3,
  window: 1800,
  backoff: 5,
  growth: 3,
  stable: 30,
  patience: 300,
  coolDown: 1800,
};
const LIMITS: Limits = limitsFrom(CONFIG);

describe('self-heal limits', () => {
  it('come from the editor in seconds', () => {
    assert.equal(LIMITS.window, 1_800_000);
    assert.equal(limitsFrom({ ...CONFIG, tries: '2' }).tries, 2);
  });

  it('let each wait grow, up to five minutes', () => {
    assert.deepEqual(
      [0, 1, 2, 3, 9].map((done) => waitBefore(done, LIMITS)),
      [0, 5e3, 15e3, 45e3, 300e3],
    );
  });

  for (const [field, value] of [
    ['tries', 0],
    ['tries', 2.5],
    ['tries', ''],
    ['window', 'soon'],
    ['growth', 0.5],
    ['stable', 0],
    ['coolDown', -1],
  ] as const)
    it(`refuse ${field} = "${value}"`, () => {
      assert.throws(
        () => limitsFrom({ ...CONFIG, [field]: value }),
        (thrown) =>
          thrown instanceof PotionError && thrown.code === 'INVALID' && thrown.message.includes(field),
      );
    });
});

describe('what self-heal remembers', () => {
  let db: Database;
  beforeEach(async () => {
    db = await openDatabase(':memory:');
  });
  afterEach(() => db.destroy());

  it('is kept per node and unit, the last state only', async () => {
    await saveHeal(db, 'a', 'x.service', { n: 1 }, 1);
    await saveHeal(db, 'a', 'x.service', { n: 2 }, 2);
    await saveHeal(db, 'b', 'x.service', { n: 3 }, 3);
    assert.deepEqual(await loadHeals(db, 'a'), new Map([['x.service', { n: 2 }]]));
    await forgetHeals(db, 'a');
    assert.deepEqual(await loadHeals(db, 'a'), new Map());
    assert.equal((await loadHeals(db, 'b')).size, 1);
  });

  it('is left out where it can’t be read', async () => {
    const row = { node: 'a', unit: 'x.service', state: '{', updated_at: 1 };
    await db.insertInto('heals').values(row).execute();
    assert.deepEqual(await loadHeals(db, 'a'), new Map());
  });
});

describe('self-heal where there is no systemd', () => {
  const NODE = {
    id: 'heal',
    type: 'potion-self-heal',
    z: 'tab',
    x: 0,
    y: 0,
    version: 1,
    ...CONFIG,
    journal: 8,
  };
  const REST = [
    { id: 'tab', type: 'tab' },
    { id: 'catch', type: 'catch', z: 'tab', x: 0, y: 0, wires: [['caught']] },
    { id: 'caught', type: 'helper', z: 'tab', x: 0, y: 0 },
  ];
  const bus = process.env.DBUS_SYSTEM_BUS_ADDRESS;
  let flow: Running;

  before(() => {
    process.env.DBUS_SYSTEM_BUS_ADDRESS = 'unix:path=/nonexistent/bus';
  });
  after(() => {
    if (bus === undefined) delete process.env.DBUS_SYSTEM_BUS_ADDRESS;
    else process.env.DBUS_SYSTEM_BUS_ADDRESS = bus;
    setConfig(undefined);
  });
  beforeEach(() => setConfig(readConfig({ SERVICES_WHITELIST: 'nginx' }, '/tmp')));
  afterEach(() => flow.stop());

  const start = async (more: object = {}) => {
    flow = await startFlow(['act/self-heal'], [{ ...NODE, ...more }, ...REST]);
  };
  const refusal = async (msg: Message) => {
    const caught = flow.next('caught');
    flow.give('heal', msg);
    return (await caught).error?.code;
  };

  it('says so, and does nothing', async () => {
    await start();
    await sleep(50);
    assert.equal(flow.statuses('heal').at(-1)?.fill, 'red');
    assert.equal(await refusal({ payload: { unit: 'nginx.service', condition: 'failed' } }), 'UNAVAILABLE');
  });

  it('refuses what names no unit, and an action that it does not know', async () => {
    await start();
    assert.equal(await refusal({ payload: { unit: '../etc' } }), 'INVALID');
    assert.equal(await refusal({ payload: 7 }), 'INVALID');
    assert.equal(await refusal({ payload: 'nginx', action: 'explode' }), 'INVALID');
  });

  it('refuses limits that make no sense', async () => {
    await start({ tries: 0 });
    await sleep(50);
    assert.equal(flow.got('caught')[0]?.error?.code, 'INVALID');
  });

  it('is not forgotten when it stops', async () => {
    const db = await openDatabase(':memory:');
    await saveHeal(db, 'heal', 'nginx.service', { heal: { phase: 'left', restarts: [] }, untold: [] }, 1);
    flow = await startFlow(['act/self-heal'], [NODE, ...REST], db);
    await flow.stop();
    assert.equal((await loadHeals(db, 'heal')).size, 1);
    await db.destroy();
  });
});

describe('self-heal in the chat', () => {
  const SINCE = Date.now();
  const ABOUT = { unit: 'nginx.service', limits: LIMITS };
  const SAY = { text: '', textType: 'key', to: 'admins', chat: '', kind: 'auto', fileAbove: 0, buttons: '' };
  let telegram: Sandbox;
  let flow: Running;

  beforeEach(async () => {
    telegram = await startTelegram();
    flow = await telegramFlow(
      ['tell/say', 'tell/outbox'],
      [
        botNode(telegram.url),
        { id: 'say', type: 'potion-say', z: 'tab', wires: [['outbox']], ...SAY },
        ...deliveryNodes(),
      ],
    );
  });
  afterEach(async () => {
    await flow.stop();
    await telegram.stop();
  });

  let number = 0;
  const telling = (step: Telling['step'], more: Partial<Telling> = {}): Telling => ({
    step,
    episode: { since: SINCE, tries: 1, told: 1 },
    number: ++number,
    try: 1,
    at: SINCE + 1000,
    ...more,
  });
  const shows = (text: RegExp) => telegram.waitFor((message) => text.test(message.text ?? ''), 5000);
  const quiet = () =>
    telegram.chatLog().map(({ what, silent }) => `${what}${what === 'sent' && !silent ? ', rings' : ''}`);

  it('is one quiet message when the unit is soon back', async () => {
    flow.give('say', messageOf(telling('trying'), ABOUT));
    await shows(/percobaan 1\/3/);
    flow.give('say', messageOf(telling('healed', { proven: true, at: SINCE + 31_000 }), ABOUT));
    await shows(/✅ nginx sempat mati/);
    assert.deepEqual(quiet(), ['sent', 'edited']);
    assert.equal(telegram.messages().length, 1);
  });

  it('rings once, with the last words of the unit, when it was given up', async () => {
    flow.give('say', messageOf(telling('trying'), ABOUT));
    await shows(/percobaan 1\/3/);
    const gaveUp = telling('gave-up', { try: 3, reason: 'budget' });
    const button = { command: 'svc restart', label: '🔁' };
    const surrender = () => surrenderOf(gaveUp, ABOUT, { journal: ['12:00:00 <no> & more'] }, button);
    flow.give('say', messageOf(gaveUp, ABOUT));
    flow.give('say', surrender());
    await shows(/menyerah/);
    // Told again after a crash, as it may be.
    flow.give('say', surrender());
    await sleep(300);
    assert.deepEqual(quiet(), ['sent', 'edited', 'sent, rings']);
    const [first, second] = telegram.messages();
    assert.equal(second?.reply_to_message?.message_id, first?.message_id);
    assert.match(second?.text ?? '', /12:00:00 <no> & more/);
    assert.equal(second?.reply_markup?.inline_keyboard?.[0]?.[0]?.text, '🔁');
  });

  it('says all at once, and rings, when it was given up before anything could be sent', async () => {
    await telegram.faults.down();
    const gaveUp = telling('gave-up', { try: 3, reason: 'budget' });
    flow.give('say', messageOf(telling('trying'), ABOUT));
    flow.give('say', messageOf(gaveUp, ABOUT));
    flow.give('say', surrenderOf(gaveUp, ABOUT, {}, { command: '', label: '' }));
    await sleep(300);
    await telegram.faults.up();
    await telegram.waitFor((message) => /menyerah/.test(message.text ?? ''), 15_000);
    await sleep(200);
    assert.equal(quiet().filter((line) => line === 'sent, rings').length, 1);
  });
});

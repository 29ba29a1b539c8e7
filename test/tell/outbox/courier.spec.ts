import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { ManualClock } from '../../../nodes/kit/clock.js';
import type { Draft } from '../../../nodes/kit/messages.js';
import { type Database, openDatabase } from '../../../nodes/state/database.js';
import { waiting } from '../../../nodes/state/outbox-delivery.js';
import type { Call } from '../../../nodes/tell/outbox/compose.js';
import { Courier } from '../../../nodes/tell/outbox/courier.js';
import type { Tag } from '../../../nodes/tell/outbox/courier-world.js';

const SETTINGS = {
  limits: { messages: 1000, characters: 1e7 },
  answerWithin: 10_000,
  digest: { count: 1000, age: 1e9 },
  lang: 'id' as const,
};
/** What stands above a late message. */
const LATE = /^🕓.*\n/;
const NETWORK = 'FatalError: EFATAL: fetch failed';

const text = (call: Call) => String(call.args[1]);
/** Lets what is under way in the database come to its end. */
const settled = async () => {
  for (let i = 0; i < 60; i++) await turn();
};

describe('the courier', () => {
  let db: Database;
  let clock: ManualClock;
  let handed: { call: Call; tag: Tag; lane: string }[];

  const courierOf = () =>
    new Courier(
      {
        db,
        clock,
        random: () => 0.5,
        hand: (call, tag, lane) => handed.push({ call, tag, lane }),
        delivered: () => {},
        failed: () => {},
        broke: (thrown) => assert.fail(String(thrown)),
      },
      SETTINGS,
    );
  const started = async () => {
    const courier = courierOf();
    await courier.start();
    await courier.open();
    await settled();
    return courier;
  };
  const draft = (html: string, chat = 1, more: Partial<Draft> = {}): Draft => ({
    chat,
    html,
    kind: 'alert',
    at: clock.now(),
    ...more,
  });
  const last = () => handed.at(-1) as (typeof handed)[number];
  const advance = async (ms: number) => {
    clock.advance(ms);
    await settled();
  };
  const answer = async (courier: Courier, error?: string, one = last()) => {
    await courier.settle(one.tag, error === undefined ? { messageId: handed.length } : { error });
    await settled();
  };

  beforeEach(async () => {
    db = await openDatabase(':memory:');
    clock = new ManualClock();
    handed = [];
  });
  afterEach(() => db.destroy());

  it('has one message of each chat under way, and different chats side by side', async () => {
    const courier = await started();
    await courier.add([draft('a1'), draft('a2'), draft('b1', 2)]);
    await settled();
    assert.deepEqual(
      handed.map(({ call }) => text(call)),
      ['a1', 'b1'],
    );
    await answer(courier, undefined, handed[0]);
    assert.deepEqual(
      handed.map(({ call }) => text(call)),
      ['a1', 'b1', 'a2'],
    );
    courier.stop();
  });

  it('waits longer after each failure, a minute at most', async () => {
    const courier = await started();
    await courier.add([draft('a')]);
    await settled();
    const waits: number[] = [];
    for (let i = 0; i < 9; i++) {
      const before = handed.length;
      await answer(courier, NETWORK);
      let ms = 0;
      while (handed.length === before) {
        await advance(250);
        ms += 250;
      }
      waits.push(ms);
    }
    assert.deepEqual(waits, [750, 1500, 3000, 6000, 12_000, 24_000, 45_000, 45_000, 45_000]);
    courier.stop();
  });

  for (const jump of [86_400_000, -86_400_000])
    it(`waits as long as ever when the clock is set ${jump > 0 ? 'ahead' : 'back'} by a day meanwhile`, async () => {
      const courier = await started();
      await courier.add([draft('a')]);
      await settled();
      await answer(courier, NETWORK);
      clock.jump(clock.now() + jump);
      await advance(2000);
      assert.equal(handed.length, 2, 'its own wait');
      await answer(courier, NETWORK);
      clock.jump(clock.now() - jump);
      await advance(1000);
      courier.alive();
      await settled();
      assert.equal(handed.length, 2, 'too early');
      await advance(5000);
      courier.alive();
      await settled();
      assert.ok(handed.length > 2, 'an answer of the bot');
      courier.stop();
    });

  it('tries again at once when the bot answers anything else, though not more often than each 5 s', async () => {
    const courier = await started();
    await courier.add([draft('a')]);
    await settled();
    for (let i = 0; i < 6; i++) {
      await answer(courier, NETWORK);
      await advance(60_000);
    }
    await answer(courier, NETWORK);
    const before = handed.length;
    await advance(1000);
    courier.alive();
    await settled();
    assert.equal(handed.length, before, 'too early');
    await advance(4000);
    courier.alive();
    await settled();
    assert.equal(handed.length, before + 1);
    courier.stop();
  });

  it('keeps messages while the sender is away, and sends them when it is back', async () => {
    const courier = await started();
    courier.close();
    await courier.add([draft('a'), draft('b')]);
    await advance(60_000);
    assert.equal(handed.length, 0);
    await courier.open();
    await settled();
    assert.deepEqual(
      handed.map(({ call }) => text(call)),
      ['a'],
    );
    courier.stop();
  });

  it('uses another lane of the sender when one is blocked by a request that hangs', async () => {
    const courier = await started();
    await courier.add([draft('a')]);
    await settled();
    const lanes = [last().lane];
    for (let i = 0; i < 2; i++) {
      await advance(15_001);
      await advance(60_000);
      lanes.push(last().lane);
    }
    assert.deepEqual(lanes, ['1', '1/1', '1/2']);
    await answer(courier, undefined, handed[0]);
    assert.equal((await waiting(db)).count, 1, 'an answer that nobody waits for changes nothing');
    courier.stop();
  });

  it('loses nothing, keeps the order, and repeats only what may not have arrived, whatever happens', async () => {
    // `lost`: Telegram has it, the answer does not come through. `gone`: no answer at all.
    const outcome = fc.constantFrom(
      'ok',
      'ok',
      'ok',
      'network',
      'server',
      'flood',
      'markup',
      'lost',
      'gone',
      'crash',
    );
    const message = fc.record({ chat: fc.integer({ min: 1, max: 3 }), long: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(
        fc.array(message, { minLength: 1, maxLength: 8 }),
        fc.array(outcome, { maxLength: 40 }),
        async (messages, outcomes) => {
          db = await openDatabase(':memory:');
          clock = new ManualClock();
          handed = [];
          const arrived: { chat: number; text: string }[] = [];
          let uncertain = 0;
          let courier = await started();
          const words = messages.map(({ long }, i) => `m${i}${long ? ' word'.repeat(1000) : ''}`);
          for (const [i, { chat }] of messages.entries())
            await courier.add([draft(words[i] as string, chat)]);
          await settled();
          const errors: Record<string, string> = {
            network: NETWORK,
            lost: NETWORK,
            server: 'ParseError: EPARSE: Error parsing response: <html>',
            flood: 'TelegramError: ETELEGRAM: 429 Too Many Requests [retry_after 3]',
            markup: "TelegramError: ETELEGRAM: 400 Bad Request: can't parse entities",
          };
          for (let next = 0, idle = 0; (await waiting(db)).count > 0 && idle < 50; ) {
            const one = handed.shift();
            if (!one) {
              idle++;
              await advance(20_000);
              continue;
            }
            idle = 0;
            const drawn = outcomes[next++] ?? 'ok';
            // Telegram finds no fault in the markup of a text that has none.
            const isPlain = !JSON.stringify(one.call.args).includes('parse_mode');
            const what = drawn === 'markup' && isPlain ? 'ok' : drawn;
            const takes = ['ok', 'lost', 'gone', 'crash'].includes(what);
            if (takes)
              arrived.push({ chat: Number(one.call.args[0]), text: text(one.call).replace(LATE, '') });
            if (takes && what !== 'ok') uncertain++;
            if (what === 'crash') {
              // Others under way may have arrived, too; here they have not.
              courier.stop();
              handed = [];
              courier = await started();
            } else if (what !== 'gone')
              await courier.settle(one.tag, errors[what] ? { error: errors[what] } : { messageId: 1 });
            await settled();
          }
          courier.stop();
          assert.equal((await waiting(db)).count, 0, 'something still waits');
          await db.destroy();
          for (const chat of [1, 2, 3]) {
            const here = arrived.filter((one) => one.chat === chat).map((one) => one.text);
            const once = here.filter((one, i) => one !== here[i - 1]);
            const wanted = words.filter((_, i) => messages[i]?.chat === chat).join('');
            assert.equal(once.join(''), wanted.replace(/ $/, ''), `chat ${chat}`);
            assert.ok(here.length - once.length <= uncertain);
          }
        },
      ),
      { numRuns: 60 },
    );
    db = await openDatabase(':memory:');
  }).timeout(60_000);
});

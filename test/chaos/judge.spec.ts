import assert from 'node:assert/strict';
import { type Delivery, type Facts, judge, keysOf } from './judge.ts';

const CHAT = 7;

let message = 0;
/** A new message in the chat. */
function shown(text: string, more: Partial<Delivery> = {}): Delivery {
  return { chat: CHAT, message: ++message, text, life: 1, cut: false, outages: 0, ...more };
}

function judged(facts: Partial<Facts>) {
  const { figures, violations } = judge({
    chats: [CHAT],
    due: [],
    deliveries: [],
    commands: [],
    pressed: new Set(),
    effects: [],
    ...facts,
  });
  return { ...figures, said: violations.map(({ what }) => what) };
}

describe('the judge of the crash test', () => {
  it('reads what a message tells of, several things in their order too', () => {
    assert.deepEqual(keysOf('alarm #12 begins\n\nalarm #12 ends'), ['alarm 12 begins', 'alarm 12 ends']);
    assert.deepEqual(keysOf('• today – 01:33 ✅ alarm #3 begins\n• today event #4'), [
      'alarm 3 begins',
      'alarm 3 ends',
      'event 4',
    ]);
    assert.deepEqual(keysOf('I went down in the middle of /act 4 (01:33)'), ['act 4 explained']);
    assert.deepEqual(keysOf('Sure you want to run sure #5?'), ['sure 5 asked']);
    assert.deepEqual(keysOf('sure #5 done'), ['sure 5 done']);
  });

  it('finds nothing wrong where nothing is', () => {
    const { said, delivered } = judged({
      due: ['event 1', 'event 2'],
      deliveries: [shown('event #1'), shown('event #2'), shown('act #1 done')],
      commands: [{ kind: 'act', n: 1, chat: CHAT }],
      effects: ['act 1'],
    });
    assert.deepEqual(said, []);
    assert.equal(delivered, 2);
  });

  it('misses what was acknowledged and never came, in each chat', () => {
    const { lost, delivered } = judged({
      chats: [CHAT, 8],
      due: ['event 1'],
      deliveries: [shown('event #1')],
    });
    assert.deepEqual([lost, delivered], [1, 1]);
  });

  it('sees an event that came before an earlier one, but not its repetition', () => {
    const deliveries = [
      shown('event #2'),
      shown('event #1'),
      shown('event #3'),
      shown('event #2', { life: 2 }),
    ];
    assert.deepEqual(judged({ deliveries }).reordered, 1);
  });

  it('sees an alarm that ended before it began', () => {
    const deliveries = [shown('alarm #1 ends'), shown('alarm #1 begins')];
    assert.equal(judged({ deliveries }).reordered, 1);
  });

  it('excuses a second message only by a kill, a cut answer or an outage in between', () => {
    const twice = (first: Partial<Delivery>, second: Partial<Delivery>) =>
      judged({ deliveries: [shown('event #1', first), shown('event #1', second)] });
    assert.equal(twice({}, {}).unexplained, 1);
    assert.equal(twice({}, { life: 2 }).afterKill, 1);
    assert.equal(twice({ cut: true }, {}).afterCut, 1);
    assert.equal(twice({}, { outages: 1 }).afterOutage, 1);
  });

  it('excuses one message per kill', () => {
    const { afterKill, unexplained } = judged({
      deliveries: [
        shown('event #1'),
        shown('event #2'),
        shown('event #1', { life: 2 }),
        shown('event #2', { life: 2 }),
      ],
    });
    assert.deepEqual([afterKill, unexplained], [1, 1]);
  });

  it('takes one message that tells two things for one duplicate, and an edit for none', () => {
    const both = 'alarm #1 begins\n\nalarm #1 ends';
    assert.equal(judged({ deliveries: [shown(both), shown(both, { life: 2 })] }).duplicates, 1);
    const edited = shown('event #1');
    assert.equal(judged({ deliveries: [edited, { ...edited }] }).duplicates, 0);
  });

  it('sees a command that was acted on twice, without a yes, or not though it was said to be done', () => {
    const commands = [
      { kind: 'act', n: 1, chat: CHAT },
      { kind: 'act', n: 2, chat: CHAT },
      { kind: 'sure', n: 1, chat: CHAT },
    ] as const;
    const deliveries = [shown('act #1 done'), shown('act #2 done'), shown('sure #1 done')];
    const effects = ['act 1', 'act 1', 'sure 1'];
    const { actedTwice, unasked, untrue } = judged({ commands: [...commands], deliveries, effects });
    assert.deepEqual([actedTwice, unasked, untrue], [1, 1, 1]);
  });

  it('wants an answer to every command, and to every yes more than the question', () => {
    const sure = { kind: 'sure', n: 1, chat: CHAT } as const;
    const deliveries = [shown('run sure #1')];
    assert.equal(judged({ commands: [{ kind: 'peek', n: 1, chat: CHAT }] }).unanswered, 1);
    assert.equal(judged({ commands: [sure], deliveries }).unanswered, 0);
    assert.equal(judged({ commands: [sure], deliveries, pressed: new Set(['sure 1']) }).unanswered, 1);
    const told = [...deliveries, shown('I went down in the middle of /sure 1')];
    assert.equal(judged({ commands: [sure], deliveries: told, pressed: new Set(['sure 1']) }).unanswered, 0);
  });
});

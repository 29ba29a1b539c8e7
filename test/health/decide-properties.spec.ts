import assert from 'node:assert/strict';
import fc from 'fast-check';
import { freshState, parseState, rebased } from '../../ops/health/state.js';
import { MINUTE, Play, START, unit, WORLD } from './play.ts';

const DAY = 24 * 60;
const kinds = fc.constantFrom(...(Object.keys(WORLD) as (keyof typeof WORLD)[]));

/** A stretch of looks during which the machine stays as it is. */
const stretchParts = {
  kind: kinds,
  /** Looks, five minutes apart give or take. */
  looks: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 100 })),
  reaches: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, fc.constant(false)),
  jitter: fc.integer({ min: 0, max: 2 }),
  crashes: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 5 })),
  wrong: fc.boolean(),
  fullLogs: fc.boolean(),
};
/** Down and up again, all day long. */
const flapping = fc.array(
  fc.record({
    ...stretchParts,
    kind: fc.constantFrom('well', 'failed', 'mute'),
    looks: fc.integer({ min: 1, max: 6 }),
  }),
  { minLength: 50, maxLength: 200 },
);
const stretches = fc.oneof(fc.array(fc.record(stretchParts), { minLength: 1, maxLength: 60 }), flapping);
type Stretch = typeof stretches extends fc.Arbitrary<infer T> ? T : never;

const DOWN = ['mute', 'failed', 'refuses', 'ailing'];

/** Plays it all and calls back after each look. */
function playAll(all: Stretch, after: (play: Play, minute: number, now: Stretch[number]) => void): Play {
  const play = new Play(['1', '2']);
  let minute = 0;
  let restarts = 0;
  for (const now of all)
    for (let i = 0; i < now.looks; i++, minute += 5 + now.jitter) {
      restarts += now.crashes;
      const world = WORLD[now.kind];
      play.look(minute, {
        ...world,
        unit: { ...world.unit, ...unit(world.unit as object), restarts },
        reaches: now.reaches,
        settings: now.wrong ? ['X: y'] : [],
        logs: now.fullLogs ? { problem: 'large' } : {},
      });
      after(play, minute, now);
    }
  return play;
}

describe('potion-health, whatever happens,', function () {
  this.timeout(60_000);

  it('sends nobody more than a dozen messages in any 24 hours', () => {
    fc.assert(
      fc.property(stretches, (all) => {
        const { said } = playAll(all, () => {});
        for (const target of ['1', '2']) {
          const minutes = said.filter((one) => one.target === target).map(({ minute }) => minute);
          for (const [i, first] of minutes.entries()) {
            const sameDay = minutes.slice(i).filter((minute) => minute < first + DAY);
            assert.ok(sameDay.length <= 12, `${sameDay.length} from minute ${first} on`);
          }
        }
      }),
      { numRuns: 150, interruptAfterTimeLimit: 20_000 },
    );
  });

  it('is never silent about an outage of more than 15 minutes while Telegram can be reached', () => {
    fc.assert(
      fc.property(stretches, (all) => {
        const knows = new Map<string, boolean>();
        let seen = 0;
        let badSince: number | undefined;
        playAll(all, (play, minute, { kind, reaches }) => {
          for (; seen < play.said.length; seen++) {
            const { target, about } = play.said[seen] as Play['said'][number];
            for (const what of about.filter((what) => what.startsWith('potion:')))
              knows.set(target, what !== 'potion:over' && what !== 'potion:was');
          }
          badSince = DOWN.includes(kind) && reaches ? (badSince ?? minute) : undefined;
          if (badSince === undefined || minute - badSince <= 15) return;
          for (const target of ['1', '2'])
            assert.ok(knows.get(target), `${target} does not know at minute ${minute}: ${play.lines}`);
        });
      }),
      { numRuns: 150, interruptAfterTimeLimit: 20_000 },
    );
  });

  it('tells the end of exactly what it has told the begin of, to the same people', () => {
    fc.assert(
      fc.property(stretches, (all) => {
        const quiet = { kind: 'well', looks: 400, reaches: true, jitter: 0, crashes: 0 } as const;
        const { said } = playAll([...all, { ...quiet, wrong: false, fullLogs: false }], () => {});
        for (const target of ['1', '2'])
          for (const cause of ['potion', 'settings', 'logs']) {
            let open = false;
            const history = said
              .filter((one) => one.target === target)
              .flatMap(({ about }) => about)
              .filter((what) => what.startsWith(`${cause}:`));
            for (const what of history.map((what) => what.slice(cause.length + 1))) {
              if (what === 'begin') assert.ok(!open, `begun twice: ${history}`);
              else if (what !== 'was') assert.ok(open, `${what} of what was not told: ${history}`);
              if (what === 'begin') open = true;
              if (what === 'over') open = false;
            }
            assert.ok(!open, `never over: ${history}`);
          }
      }),
      { numRuns: 150, interruptAfterTimeLimit: 20_000 },
    );
  });

  it('keeps its state small', () => {
    fc.assert(
      fc.property(stretches, (all) => {
        const { state } = playAll(all, () => {});
        assert.ok(JSON.stringify(state).length < 20_000);
      }),
      { numRuns: 50, interruptAfterTimeLimit: 20_000 },
    );
  });
});

describe('the state of potion-health', () => {
  it('is started anew when it makes no sense, and never makes the program fail', () => {
    const broken = [
      '',
      '{',
      'null',
      '[]',
      '{"version":2}',
      '{"version":1}',
      JSON.stringify({ ...freshState(), said: { a: 1 } }),
    ];
    for (const text of broken) assert.equal(parseState(text), undefined, text);
    assert.deepEqual(parseState(JSON.stringify(freshState())), freshState());
    const play = new Play().looks(0, 30, WORLD.mute);
    const whole = JSON.stringify(play.state);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: whole.length - 1 }), (cut) => {
        assert.equal(parseState(whole.slice(0, cut)), undefined);
      }),
    );
    const values = fc.oneof(fc.jsonValue(), fc.constantFrom(-1, 1e308, '', [], {}));
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(play.state)), values, (key, value) => {
        const state = parseState(JSON.stringify({ ...play.state, [key]: value }));
        if (!state) return;
        const other = new Play();
        other.state = state;
        other.looks(35, 50, WORLD.mute);
      }),
    );
  });

  it('is moved with the clock only when that has jumped', () => {
    const { state } = new Play().looks(0, 30, WORLD.mute);
    const now = (minutes: number, uptime: number) => ({ at: START + minutes * MINUTE, boot: 'boot', uptime });
    assert.equal(rebased(state, now(30, 1000 + 30 * 60)), state);
    const jumped = rebased(state, now(30 - 1440, 1000 + 30 * 60));
    assert.equal(jumped.incidents[0]?.since, START - DAY * MINUTE);
    assert.equal(jumped.said['1']?.[0], START + 5 * MINUTE - DAY * MINUTE);
  });
});

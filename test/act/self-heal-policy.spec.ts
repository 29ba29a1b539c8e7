import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Action, type Event, type Heal, IDLE } from '../../nodes/act/self-heal/heal.js';
import type { Limits } from '../../nodes/act/self-heal/limits.js';
import { decide } from '../../nodes/act/self-heal/policy.js';
import type { Exemption, View } from '../../nodes/act/self-heal/view.js';

const LIMITS: Limits = {
  tries: 3,
  window: 1_800_000,
  backoff: 5_000,
  growth: 3,
  longestWait: 300_000,
  stable: 30_000,
  patience: 120_000,
  coolDown: 1_800_000,
};

const view = (sight: View['sight'], more: Partial<View> = {}): View => ({
  sight,
  limitHit: false,
  auto: false,
  ...more,
});
const UP = view('up');
const FAILED = view('failed');
const OFF = view('off');
const STARTING = view('busy');
const AUTO = view('busy', { auto: true });

/** A unit's story, told line by line: at a second, something happens; then what self-heal does. */
class Story {
  heal: Heal = IDLE;
  readonly told: string[] = [];
  readonly tellings: Extract<Action, { do: 'tell' }>[] = [];
  now = 0;

  at(second: number, event: Event): string[] {
    this.now = second * 1000;
    const { heal, actions } = decide(this.heal, event, this.now, LIMITS);
    this.heal = JSON.parse(JSON.stringify(heal));
    for (const action of actions) if (action.do === 'tell') this.tellings.push(action);
    return actions.map(inWords);
  }

  seen(second: number, what: View): string[] {
    return this.at(second, { type: 'seen', view: what });
  }

  ended(second: number, what: View, failed = false): string[] {
    return this.at(second, { type: 'outcome', view: what, failed });
  }

  /** Lets the phase run out while the unit is seen like this. */
  out(what: View): string[] {
    assert.ok(this.heal.until !== undefined, `${this.heal.phase} never runs out`);
    return this.at(this.heal.until / 1000, { type: 'due', view: what });
  }
}

function inWords(action: Action): string {
  if (action.do === 'restart') return action.resetFailed ? 'reset-failed, restart' : 'restart';
  const reason = action.reason ? ` (${action.reason})` : '';
  return `${action.step} ${action.try}${reason}`;
}

describe('self-heal policy', () => {
  it('restarts a failed unit at once, and calls it healed when it has stayed up', () => {
    const story = new Story();
    assert.deepEqual(story.seen(0, FAILED), ['restart', 'trying 1']);
    assert.deepEqual(story.ended(1, UP), []);
    assert.deepEqual(story.out(UP), ['healed 1']);
    assert.equal(story.now, 31_000);
    assert.equal(story.heal.phase, 'idle');
  });

  it('waits longer before each further try and gives up after the last, once', () => {
    const story = new Story();
    story.seen(0, FAILED);
    assert.deepEqual(story.ended(1, FAILED), ['trying 2']);
    assert.deepEqual(story.out(FAILED), ['restart']);
    assert.equal(story.now, 6_000);
    assert.deepEqual(story.ended(7, FAILED), ['trying 3']);
    assert.deepEqual(story.out(FAILED), ['restart']);
    assert.equal(story.now, 22_000);
    assert.deepEqual(story.ended(23, FAILED), ['gave-up 3 (budget)']);
    assert.deepEqual(story.seen(24, FAILED), []);
  });

  it('counts a unit that comes up and dies again before it is stable as one try that failed', () => {
    const story = new Story();
    story.seen(0, FAILED);
    story.ended(1, UP);
    assert.deepEqual(story.seen(20, FAILED), ['trying 2']);
  });

  it('gives up at once when earlier episodes have used up the budget of the window', () => {
    const story = new Story();
    for (const start of [0, 100, 200]) {
      story.seen(start, FAILED);
      story.ended(start + 1, UP);
      assert.deepEqual(story.out(UP), ['healed 1']);
    }
    assert.deepEqual(story.seen(300, FAILED), ['gave-up 0 (budget)']);
  });

  it('keeps to its wait however often it hears that the unit is down', () => {
    const story = new Story();
    story.seen(0, FAILED);
    story.ended(1, FAILED);
    for (const second of [2, 3, 4]) assert.deepEqual(story.seen(second, FAILED), []);
    assert.equal(story.heal.until, 6_000);
  });

  it('counts a restart for exactly the window', () => {
    const limits = { ...LIMITS, tries: 1 };
    const heal: Heal = { phase: 'idle', restarts: [0] };
    const just = { type: 'seen', view: FAILED } as const;
    assert.equal(decide(heal, just, LIMITS.window - 1, limits).heal.phase, 'gave-up');
    assert.equal(decide(heal, just, LIMITS.window, limits).heal.phase, 'trying');
  });

  it('has a new budget once the window has moved on', () => {
    const story = new Story();
    for (const start of [0, 2000, 4000, 6000]) {
      assert.deepEqual(story.seen(start, FAILED), ['restart', 'trying 1']);
      story.ended(start + 1, UP);
      story.out(UP);
    }
  });

  it('after giving up makes a single try per cool-down, and tells when that helps', () => {
    const story = givenUp();
    assert.deepEqual(story.out(FAILED), ['restart', 'trying 4']);
    assert.deepEqual(story.ended(2000, FAILED), ['still-down 4 (budget)']);
    assert.deepEqual(story.out(FAILED), ['restart', 'trying 5']);
    story.ended(3900, UP);
    assert.deepEqual(story.out(UP), ['healed 5']);
  });

  it('with a window longer than the cool-down the single try waits for the window', () => {
    const limits = { ...LIMITS, window: 7_200_000 };
    let { heal } = decide(IDLE, { type: 'seen', view: FAILED }, 0, { ...limits, tries: 1 });
    ({ heal } = decide(heal, { type: 'outcome', view: FAILED, failed: false }, 1000, {
      ...limits,
      tries: 1,
    }));
    assert.equal(heal.until, 1_801_000);
    const due = decide(heal, { type: 'due', view: FAILED }, 1_801_000, { ...limits, tries: 1 });
    assert.deepEqual(due.actions, []);
    assert.equal(due.heal.until, 7_200_000);
  });

  it('an admin who mends a unit that was given up ends the incident', () => {
    const story = givenUp();
    story.seen(100, UP);
    assert.deepEqual(story.out(UP), ['healed 3']);
  });

  it('an admin who stops a unit that was given up ends the incident', () => {
    const story = givenUp();
    assert.deepEqual(story.seen(100, OFF), ['left-alone 3 (stopped)']);
    assert.equal(story.heal.phase, 'idle');
  });

  it('a person may ask for another try with a fresh budget', () => {
    const story = givenUp();
    assert.deepEqual(story.at(100, { type: 'retry', view: FAILED }), ['restart', 'trying 1']);
    assert.deepEqual(story.ended(101, FAILED), ['trying 2']);
  });

  it('gives up at once when it may not restart the unit', () => {
    const story = new Story();
    story.seen(0, FAILED);
    assert.deepEqual(story.at(0, { type: 'refused' }), ['gave-up 1 (refused)']);
    assert.deepEqual(story.out(FAILED), ['restart', 'trying 2']);
    assert.deepEqual(story.at(1801, { type: 'refused' }), ['still-down 2 (refused)']);
  });

  it('resets the failure first when systemd refuses further starts', () => {
    const story = new Story();
    assert.deepEqual(story.seen(0, view('failed', { limitHit: true })), [
      'reset-failed, restart',
      'trying 1',
    ]);
  });

  it('leaves a unit to systemd as long as that restarts it', () => {
    const story = new Story();
    assert.deepEqual(story.seen(0, AUTO), []);
    assert.deepEqual(story.seen(1, STARTING), []);
    assert.deepEqual(story.seen(2, UP), []);
    assert.deepEqual(story.out(UP), []);
    assert.equal(story.heal.phase, 'idle');
  });

  it('begins when systemd gives up', () => {
    const story = new Story();
    story.seen(0, AUTO);
    assert.deepEqual(story.seen(1, view('failed', { limitHit: true })), [
      'reset-failed, restart',
      'trying 1',
    ]);
  });

  it('tells of a unit that systemd restarts again and again, and restarts nothing', () => {
    const story = new Story();
    const told: string[] = [];
    for (let second = 0; second <= 130; second += 10) {
      told.push(
        ...story.seen(second, AUTO),
        ...story.seen(second + 1, STARTING),
        ...story.seen(second + 2, UP),
      );
      if (story.heal.phase === 'settling') told.push(...story.out(AUTO));
    }
    // The end of systemd's time falls on a moment at which the unit is down.
    told.push(...story.seen(140, AUTO));
    if (story.heal.phase === 'settling') told.push(...story.out(AUTO));
    assert.deepEqual(told, ['gave-up 0 (flapping)']);
  });

  it('after its own try it watches while systemd is busy, and counts what comes of it', () => {
    const story = new Story();
    story.seen(0, FAILED);
    assert.deepEqual(story.ended(1, AUTO), []);
    assert.deepEqual(story.seen(5, FAILED), ['trying 2']);
  });

  it('gives up on a unit that never gets up', () => {
    const story = new Story();
    story.seen(0, FAILED);
    story.ended(10, STARTING, true);
    assert.deepEqual(story.out(STARTING), ['gave-up 1 (slow)']);
  });

  it('once given up, a unit that comes up and dies again gets no more tries than before', () => {
    const story = new Story();
    story.seen(0, AUTO);
    assert.deepEqual(story.out(AUTO), ['gave-up 0 (flapping)']);
    story.seen(200, UP);
    assert.deepEqual(story.seen(210, FAILED), ['still-down 0 (budget)']);
  });

  it('does not touch a unit that ended in order', () => {
    const story = new Story();
    assert.deepEqual(story.seen(0, OFF), []);
    story.seen(1, FAILED);
    story.ended(2, UP);
    assert.deepEqual(story.seen(10, OFF), ['left-alone 1 (stopped)']);
    assert.equal(story.heal.phase, 'idle');
  });

  it('tries again when the job failed and left the unit down without an error of its own', () => {
    const story = new Story();
    story.seen(0, FAILED);
    assert.deepEqual(story.ended(1, OFF, true), ['trying 2']);
  });

  const EXEMPT: Exemption[] = ['admin', 'masked', 'missing', 'oneshot', 'broken', 'own', 'not-listed'];
  for (const exempt of EXEMPT)
    it(`leaves a failed unit alone and says so once: ${exempt}`, () => {
      const story = new Story();
      const left = view('failed', { exempt });
      assert.deepEqual(story.seen(0, left), [`left-alone 0 (${exempt})`]);
      assert.deepEqual(story.seen(1, left), []);
      assert.deepEqual(story.seen(2, left), []);
    });

  it('begins when a unit that an admin had stopped is started and fails', () => {
    const story = new Story();
    story.seen(0, view('failed', { exempt: 'admin' }));
    assert.deepEqual(story.seen(60, FAILED), ['restart', 'trying 1']);
  });

  it('stops when an admin stops the unit while it waits', () => {
    const story = new Story();
    story.seen(0, FAILED);
    story.ended(1, FAILED);
    assert.deepEqual(story.out(view('failed', { exempt: 'admin' })), ['left-alone 1 (admin)']);
  });

  it('says that a oneshot is well again after its next run', () => {
    const story = new Story();
    story.seen(0, view('failed', { exempt: 'oneshot' }));
    assert.deepEqual(story.seen(60, view('busy', { exempt: 'oneshot' })), []);
    assert.deepEqual(story.seen(70, view('off', { exempt: 'oneshot' })), ['healed 0']);
  });

  it('ignores what it sees while a restart is under way', () => {
    const story = new Story();
    story.seen(0, FAILED);
    for (const what of [FAILED, OFF, UP, AUTO]) assert.deepEqual(story.seen(1, what), []);
    assert.equal(story.heal.phase, 'trying');
  });

  it('after a clock that was set back it waits no longer than the limits say', () => {
    const episode = { since: 9e12, tries: 1, told: 1 };
    const heal: Heal = { phase: 'waiting', until: 9e12, restarts: [9e12], episode };
    const { heal: after } = decide(heal, { type: 'seen', view: FAILED }, 1000, LIMITS);
    assert.equal(after.until, 1000 + LIMITS.coolDown);
    assert.deepEqual(after.restarts, [1000]);
  });
});

function givenUp(): Story {
  const story = new Story();
  story.seen(0, FAILED);
  story.ended(1, FAILED);
  story.out(FAILED);
  story.ended(7, FAILED);
  story.out(FAILED);
  assert.deepEqual(story.ended(23, FAILED), ['gave-up 3 (budget)']);
  return story;
}

const anySight = fc.constantFrom<View['sight']>('up', 'failed', 'failed', 'failed', 'busy', 'off');
const anyView = fc.record({
  sight: anySight,
  exempt: fc.option(fc.constantFrom<Exemption>('admin', 'masked', 'oneshot'), { nil: undefined, freq: 6 }),
  limitHit: fc.boolean(),
  auto: fc.boolean(),
});
const anyEvent = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('seen' as const), view: anyView }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('outcome' as const), view: anyView, failed: fc.boolean() }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('due' as const), view: anyView }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('refused' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('crash' as const), view: anyView }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 900_000 }) }),
  },
);
type LifeEvent = typeof anyEvent extends fc.Arbitrary<infer E> ? E : never;

const anyLimits = fc.record({
  tries: fc.integer({ min: 1, max: 5 }),
  window: fc.integer({ min: 1_000, max: 3_600_000 }),
  backoff: fc.integer({ min: 0, max: 60_000 }),
  growth: fc.integer({ min: 1, max: 5 }),
  longestWait: fc.constant(300_000),
  stable: fc.integer({ min: 1_000, max: 120_000 }),
  patience: fc.integer({ min: 1_000, max: 300_000 }),
  coolDown: fc.oneof(fc.constant(0), fc.integer({ min: 1_000, max: 3_600_000 })),
});

interface Done {
  at: number;
  action: Action;
  view: View | undefined;
}

/** Runs a random life, with crashes after any decision, as the node does; returns all that was done. */
function live(events: LifeEvent[], limits: Limits): { done: Done[]; heal: Heal; now: number } {
  let heal = IDLE;
  let now = 1_000_000;
  const done: Done[] = [];
  const take = (event: Event, view?: View) => {
    const decision = decide(heal, event, now, limits);
    heal = JSON.parse(JSON.stringify(decision.heal));
    done.push(...decision.actions.map((action) => ({ at: now, action, view })));
  };
  for (const event of events) {
    now += 1;
    if (event.kind === 'pass') now += event.ms;
    else if (event.kind === 'refused') take({ type: 'refused' });
    else if (event.kind === 'seen') take({ type: 'seen', view: event.view }, event.view);
    else if (event.kind === 'outcome')
      take({ type: 'outcome', view: event.view, failed: event.failed }, event.view);
    else if (event.kind === 'due' && heal.until !== undefined) {
      now = Math.max(now, heal.until);
      take({ type: 'due', view: event.view }, event.view);
    } else if (event.kind === 'crash') {
      const type = heal.phase === 'trying' ? 'outcome' : 'seen';
      take({ type, view: event.view, failed: true }, event.view);
    }
  }
  return { done, heal, now };
}

describe('self-heal policy, whatever happens', () => {
  const lives = [fc.array(anyEvent, { minLength: 1, maxLength: 80, size: 'max' }), anyLimits] as const;

  it('never restarts more often in a window than its budget allows, across crashes too', () => {
    fc.assert(
      fc.property(...lives, (events, limits) => {
        const restarts = live(events, limits).done.filter(({ action }) => action.do === 'restart');
        for (const [i, { at }] of restarts.entries()) {
          const earlier = restarts[i - limits.tries];
          if (earlier) assert.ok(at - earlier.at >= limits.window, `restarts at ${earlier.at} and ${at}`);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('restarts only what is down and not to be left alone', () => {
    fc.assert(
      fc.property(...lives, (events, limits) => {
        for (const { action, view: seen } of live(events, limits).done) {
          if (action.do !== 'restart') continue;
          assert.ok(seen && seen.exempt === undefined);
          // A job that failed may leave its unit down without an error of the unit's own.
          assert.ok(seen.sight === 'failed' || seen.sight === 'off');
        }
      }),
      { numRuns: 300 },
    );
  });

  it('gives up at most once per episode, and ends each at most once', () => {
    fc.assert(
      fc.property(...lives, (events, limits) => {
        const count = new Map<string, number>();
        const over = new Set<number>();
        for (const { action } of live(events, limits).done) {
          if (action.do !== 'tell') continue;
          const { since } = action.episode;
          assert.ok(!over.has(since), `${action.step} after the end of the episode`);
          const key = `${since} ${action.step}`;
          count.set(key, (count.get(key) ?? 0) + 1);
          if (action.step === 'gave-up') assert.equal(count.get(key), 1);
          if (action.step === 'healed') over.add(since);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('numbers what it tells of an episode without a gap or a repetition', () => {
    fc.assert(
      fc.property(...lives, (events, limits) => {
        const last = new Map<number, number>();
        for (const { action } of live(events, limits).done) {
          if (action.do !== 'tell') continue;
          const { since } = action.episode;
          assert.equal(action.number, (last.get(since) ?? 0) + 1);
          last.set(since, action.number);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('comes to an end however the unit stays: healed, given up or left alone', () => {
    fc.assert(
      fc.property(...lives, anyView, (events, limits, still) => {
        let { heal, now } = live(events, limits);
        for (let i = 0; i < 3 * limits.tries + 5; i++) {
          if (
            heal.phase === 'idle' ||
            heal.phase === 'left' ||
            (heal.phase === 'gave-up' && i > 2 * limits.tries)
          )
            break;
          if (heal.until === undefined) break;
          now = Math.max(now + 1, heal.until);
          const type = heal.phase === 'trying' ? 'outcome' : 'due';
          ({ heal } = decide(heal, { type, view: still, failed: false }, now, limits));
        }
        // A single try per cool-down may be under way; all else has ended.
        const ended = ['idle', 'left', 'gave-up'].includes(heal.phase) || heal.episode?.gaveUp !== undefined;
        assert.ok(ended, JSON.stringify(heal));
      }),
      { numRuns: 300 },
    );
  });

  it('always knows when its next step is due, except when only news can change anything', () => {
    fc.assert(
      fc.property(...lives, (events, limits) => {
        const { heal } = live(events, limits);
        const restful =
          heal.phase === 'idle' ||
          heal.phase === 'left' ||
          (heal.phase === 'gave-up' && limits.coolDown === 0);
        assert.equal(heal.until === undefined, restful);
      }),
      { numRuns: 300 },
    );
  });
});

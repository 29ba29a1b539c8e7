import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Action, type Event, type Heal, IDLE } from '../../nodes/act/self-heal/heal.js';
import type { Limits } from '../../nodes/act/self-heal/limits.js';
import { decide } from '../../nodes/act/self-heal/policy.js';
import type { Exemption, View } from '../../nodes/act/self-heal/view.js';

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

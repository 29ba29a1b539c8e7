import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  type AlertState,
  differs,
  lasting,
  type Rule,
  restored,
  step,
} from '../../nodes/judge/alert/state-machine.js';
import { type Moment, play, RULE, S, T0 } from './alert-play.ts';

// What follows holds for every series under every rule.

const time = fc.integer({ min: 0, max: 12 }).map((steps) => steps * 10 * S);
const rules: fc.Arbitrary<Rule> = fc
  .record({
    operator: fc.constantFrom('above', 'below'),
    threshold: fc.constant(5),
    margin: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
    for: time,
    keepFiring: time,
    repeat: time,
    missing: fc.constantFrom('resolve', 'keep', 'fire'),
    missingAfter: time,
  })
  .map(({ margin, ...rule }) => ({
    ...rule,
    clear: margin === undefined ? undefined : rule.operator === 'above' ? 5 - margin : 5 + margin,
  }));

const value = fc.integer({ min: 0, max: 10 });
const gap = fc.integer({ min: 1, max: 30_000 });
function series(options: { missing: boolean; silences: boolean }): fc.Arbitrary<Moment[]> {
  const one = fc.record({
    value: options.missing ? fc.option(value, { nil: undefined, freq: 4 }) : value,
    silenced: options.silences ? fc.boolean() : fc.constant(false),
    times: fc.integer({ min: 1, max: 8 }),
    gap,
  });
  return fc.array(one, { maxLength: 40 }).map((runs) => {
    let at = T0;
    return runs.flatMap(({ value, silenced, times, gap }) =>
      Array.from({ length: times }, () => {
        at += gap;
        return { at, value, silenced };
      }),
    );
  });
}
const anySeries = series({ missing: true, silences: true });
const plainSeries = series({ missing: false, silences: false });

const isBreach = ({ operator, threshold }: Rule, value: number | string | undefined) =>
  operator === 'above' ? Number(value) > Number(threshold) : Number(value) < Number(threshold);

describe('whatever happens', () => {
  it('an incident begins, is reminded of, ends; what begins ends before the next begins', () => {
    fc.assert(
      fc.property(rules, anySeries, (rule, moments) => {
        const allowed: Record<string, string[]> = {
          '': ['pending', 'firing'],
          pending: ['firing', 'cleared'],
          firing: ['resolved'],
          cleared: ['pending', 'firing'],
          resolved: ['pending', 'firing'],
        };
        let last = '';
        for (const { kind, isChange } of play(rule, moments).events) {
          if (isChange) {
            assert.ok(allowed[last]?.includes(kind), `${kind} after ${last || 'nothing'}`);
            last = kind;
          } else assert.equal(last, 'firing', `${kind} is only said while it fires`);
        }
      }),
    );
  });

  it('people hear firing first, then reminders, then resolved, numbered from 1 without a gap', () => {
    fc.assert(
      fc.property(rules, anySeries, (rule, moments) => {
        let expected = 1;
        for (const { kind, sequence } of play(rule, moments).events.filter(({ tell }) => tell)) {
          assert.equal(sequence, expected);
          assert.equal(kind === 'firing', sequence === 1);
          expected = kind === 'resolved' ? 1 : sequence + 1;
        }
      }),
    );
  });

  it('it never fires before the condition has held for `for`', () => {
    fc.assert(
      fc.property(rules, plainSeries, (rule, moments) => {
        for (const { kind, i, at } of play(rule, moments).events.filter(({ kind }) => kind === 'firing')) {
          let first = i;
          while (first > 0 && isBreach(rule, moments[first - 1]?.value)) first--;
          assert.ok(isBreach(rule, moments[i]?.value), kind);
          assert.ok(at - (moments[first]?.at ?? at) >= rule.for);
        }
      }),
    );
  });

  it('it never resolves before the value has been past the clear threshold for `keepFiring`', () => {
    fc.assert(
      fc.property(rules, plainSeries, (rule, moments) => {
        const limit = { ...rule, threshold: rule.clear ?? rule.threshold };
        for (const { i, at } of play(rule, moments).events.filter(({ kind }) => kind === 'resolved')) {
          let first = i;
          while (first > 0 && !isBreach(limit, moments[first - 1]?.value)) first--;
          assert.ok(!isBreach(limit, moments[i]?.value));
          assert.ok(at - (moments[first]?.at ?? at) >= rule.keepFiring);
        }
      }),
    );
  });

  it('two messages of one incident are at least `repeat` apart, unless the second says that it is over', () => {
    fc.assert(
      fc.property(rules, anySeries, (rule, moments) => {
        let last = Number.NEGATIVE_INFINITY;
        for (const { kind, at, tell } of play(rule, moments).events) {
          if (kind === 'reminder') assert.ok(rule.repeat > 0 && at - last >= rule.repeat);
          if (tell) last = at;
        }
      }),
    );
  });

  it('nobody hears of anything in a silence, except that what they know of is over', () => {
    fc.assert(
      fc.property(rules, anySeries, (rule, moments) => {
        for (const { kind, tell, i } of play(rule, moments).events)
          if (tell && moments[i]?.silenced) assert.equal(kind, 'resolved');
      }),
    );
  });

  it('an incident that outlasts every silence is told of', () => {
    fc.assert(
      fc.property(rules, anySeries, (rule, moments) => {
        const end = (moments.at(-1)?.at ?? T0) + 1;
        const { events, state } = play(rule, [...moments, { at: end, value: undefined }]);
        if (state?.phase !== 'firing') return;
        const begun = events.findLast(({ isChange }) => isChange);
        assert.ok(events.some(({ tell, begun: b }) => tell && b === begun?.begun));
      }),
    );
  });
});

describe('a restart', () => {
  /** As the record comes back from the database. */
  const kept = (state: AlertState | undefined): AlertState | undefined => {
    const record = state && lasting(state) && { ...lasting(state), at: state.at };
    return record && JSON.parse(JSON.stringify(record));
  };

  it('at any moment gives the same events as none, from what was written last', () => {
    fc.assert(
      fc.property(rules, plainSeries, fc.nat(200), (rule, moments, n) => {
        const whole = play(rule, moments);
        let written: AlertState | undefined;
        let state: AlertState | undefined;
        const cut = Math.min(n, moments.length);
        for (const { at, value } of moments.slice(0, cut)) {
          const next = step(rule, state, { at, value }, false).state;
          if (differs(state, next)) written = kept(next);
          state = next;
        }
        const back = written && restored(written, 0, moments[cut]?.at ?? T0);
        const rest = play(rule, moments.slice(cut), back).events.map((event) => ({
          ...event,
          i: event.i + cut,
        }));
        assert.deepEqual(
          rest,
          whole.events.filter(({ i }) => i >= cut),
        );
      }),
    );
  });

  it('is written for rarely: a value that only moves within its phase changes nothing', () => {
    const one = step({ ...RULE, for: 60 * S }, undefined, { at: T0, value: 95 }, false).state;
    const two = step({ ...RULE, for: 60 * S }, one, { at: T0 + 10 * S, value: 97 }, false).state;
    assert.ok(differs(undefined, one));
    assert.ok(!differs(one, two));
    assert.ok(!differs(undefined, step(RULE, undefined, { at: T0, value: 1 }, false).state));
  });

  it('of the machine drops what was pending before it, and keeps what fires', () => {
    const pending = step({ ...RULE, for: 60 * S }, undefined, { at: T0, value: 95 }, false).state;
    assert.equal(restored(pending, T0 + S, T0 + 2 * S), undefined);
    assert.equal(restored(pending, T0 - S, T0 + 2 * S)?.phase, 'pending');
    const firing = step(RULE, undefined, { at: T0, value: 95 }, false).state;
    assert.equal(restored(firing, T0 + S, T0 + 2 * S)?.phase, 'firing');
  });
});

describe('a clock that is set back', () => {
  it('neither loses nor doubles: the events are those of a clock that had stood still at that moment', () => {
    const jump = fc.integer({ min: 61 * S, max: 400 * 86_400 * S });
    fc.assert(
      fc.property(rules, anySeries, fc.nat(200), jump, (rule, moments, n, back) => {
        const k = Math.min(n, moments.length - 1);
        const before = moments[k - 1]?.at;
        const here = moments[k]?.at;
        if (before === undefined || here === undefined) return;
        // From k on, the time that has passed since the observation before counts as none.
        const still = moments.map((one, i) => (i < k ? one : { ...one, at: one.at - (here - before) }));
        const jumped = moments.map((one, i) =>
          i < k ? one : { ...one, at: one.at - (here - before) - back },
        );
        const kinds = (all: Moment[]) =>
          play(rule, all).events.map(({ i, kind, tell }) => ({ i, kind, tell }));
        assert.deepEqual(kinds(jumped), kinds(still));
      }),
    );
  });

  it('takes the times of what is going on with it, and leaves the incident its name', () => {
    const firing = step(RULE, undefined, { at: T0, value: 95 }, false).state;
    const { state } = step(RULE, firing, { at: T0 - 3600 * S, value: 95 }, false);
    assert.equal(state.since, T0 - 3600 * S);
    assert.equal(state.begun, T0);
  });

  it('a little is an observation out of order, and lets no time pass', () => {
    const rule = { ...RULE, for: 30 * S };
    const moments = [0, 20, 10, 20, 10, 29, 30].map((s) => ({ at: T0 + s * S, value: 95 }));
    const { events } = play(rule, moments);
    assert.deepEqual(
      events.map(({ kind, i }) => [kind, i]),
      [
        ['pending', 0],
        ['firing', 6],
      ],
    );
  });
});

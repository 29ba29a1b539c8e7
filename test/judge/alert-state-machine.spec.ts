import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  type AlertEvent,
  type AlertState,
  differs,
  lasting,
  type Observation,
  type Rule,
  restored,
  step,
} from '../../nodes/judge/alert/state-machine.js';

const S = 1000;
const T0 = Date.UTC(2026, 0, 1);

const RULE: Rule = {
  operator: 'above',
  threshold: 90,
  for: 0,
  keepFiring: 0,
  repeat: 0,
  missing: 'resolve',
  missingAfter: 300 * S,
};

interface Moment extends Observation {
  silenced?: boolean;
}

/** Every event of a series, with the number of the observation that brought it. */
function play(rule: Rule, moments: readonly Moment[], state?: AlertState) {
  const events: (AlertEvent & { i: number })[] = [];
  let now = state;
  moments.forEach(({ silenced = false, ...observation }, i) => {
    const result = step(rule, now, observation, silenced);
    now = result.state;
    if (result.event) events.push({ ...result.event, i });
  });
  return { events, state: now };
}

/** Values every 10 s; '-' is a missing one. What happened as `second:kind`, in brackets when nobody is told. */
function story(rule: Partial<Rule>, values: string, silencedFrom = Infinity, silencedTo = Infinity): string {
  const moments = values.split(' ').map((word, i) => ({
    at: T0 + i * 10 * S,
    value: word === '-' ? undefined : Number.isNaN(Number(word)) ? word : Number(word),
    silenced: i * 10 >= silencedFrom && i * 10 < silencedTo,
  }));
  return play({ ...RULE, ...rule }, moments)
    .events.map(({ kind, tell, at }) => {
      const text = `${(at - T0) / S}:${kind}`;
      return tell ? text : `(${text})`;
    })
    .join(' ');
}

describe('an alert', () => {
  it('fires when its value is above the threshold, and not when it is just there', () => {
    assert.equal(story({}, '90 91 90'), '10:firing 20:resolved');
    assert.equal(story({ operator: 'below' }, '90 89 90'), '10:firing 20:resolved');
  });

  it('waits for as long as `for` says, and starts anew when the value was well in between', () => {
    assert.equal(story({ for: 20 * S }, '95 95 95 95'), '(0:pending) 20:firing');
    assert.equal(
      story({ for: 20 * S }, '95 95 50 95 95 95'),
      '(0:pending) (20:cleared) (30:pending) 50:firing',
    );
  });

  it('stays between the two thresholds until the value has reached the clear one', () => {
    assert.equal(story({ clear: 80 }, '95 85 81 80 85 91'), '0:firing 30:resolved 50:firing');
    assert.equal(story({ operator: 'below', clear: 100 }, '80 95 100'), '0:firing 20:resolved');
  });

  it('keeps firing for a while after the value is well, which swallows a flapping one', () => {
    assert.equal(story({ keepFiring: 30 * S }, '95 50 50 95 50 50 50 50 50'), '0:firing 70:resolved');
  });

  it('reminds while it fires, not more often than told to', () => {
    assert.equal(
      story({ repeat: 30 * S }, '95 95 95 95 95 95 95 50'),
      '0:firing 30:reminder 60:reminder 70:resolved',
    );
  });

  it('can look for a word', () => {
    const rule = { operator: 'oneOf', threshold: ['failed', 'start-limit-hit'] } as const;
    assert.equal(story(rule, 'active failed start-limit-hit active'), '10:firing 30:resolved');
  });

  it('takes a word for no value where it compares numbers', () => {
    assert.equal(story({ missing: 'fire', missingAfter: 0 }, '50 high'), '10:firing');
  });
});

describe('a missing value', () => {
  const rule = { missingAfter: 20 * S };

  it('counts as the last one for a while, and is then well', () => {
    assert.equal(story({ ...rule, missing: 'resolve' }, '95 - - - -'), '0:firing 30:resolved');
    assert.equal(story({ ...rule, missing: 'resolve', for: 20 * S }, '95 - -'), '(0:pending) 20:firing');
    assert.equal(story({ ...rule, missing: 'resolve' }, '95 - - 95 -'), '0:firing');
  });

  it('or leaves everything as it is', () => {
    assert.equal(story({ ...rule, missing: 'keep' }, '95 - - - - - 50'), '0:firing 60:resolved');
    assert.equal(
      story({ ...rule, missing: 'keep', for: 40 * S }, '95 - - - - - 50'),
      '(0:pending) (60:cleared)',
    );
  });

  it('or is trouble of its own, once it has been missing for long enough', () => {
    assert.equal(story({ ...rule, missing: 'fire', for: 60 * S }, '50 - - - - 50'), '30:firing 50:resolved');
    const { events } = play({ ...RULE, missing: 'fire' }, [{ at: T0, value: 50 }, { at: T0 + 400 * S }]);
    assert.deepEqual(
      events.map(({ missing, since, value }) => ({ missing, since, value })),
      [{ missing: true, since: T0, value: undefined }],
    );
  });
});

describe('a silence', () => {
  it('hides an incident that begins and ends in it', () => {
    assert.equal(story({}, '50 95 50 50', 0, 40), '(10:firing) (20:resolved)');
  });

  it('puts off the news of an incident that outlasts it', () => {
    assert.equal(story({}, '50 95 95 95 50', 0, 30), '(10:firing) 30:firing 40:resolved');
  });

  it('holds reminders back, but not that what was told is over', () => {
    assert.equal(story({ repeat: 10 * S }, '95 95 95 95 50', 10, 50), '0:firing 40:resolved');
  });
});

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

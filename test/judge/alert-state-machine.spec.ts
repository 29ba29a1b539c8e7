import assert from 'node:assert/strict';
import {
  type AlertState,
  lasting,
  type Rule,
  restored,
  step,
} from '../../nodes/judge/alert/state-machine.js';
import { play, RULE, S, T0 } from './alert-play.ts';

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

  it('reminds with a value: right after a restart it waits until there is one again', () => {
    const rule = { ...RULE, repeat: 30 * S };
    const { state } = play(rule, [{ at: T0, value: 95 }]);
    const kept = restored({ ...lasting(state), at: T0 } as AlertState, T0 - S, T0 + 30 * S);
    const first = step(rule, kept, { at: T0 + 40 * S }, false);
    assert.equal(first.event, undefined);
    const { event } = step(rule, first.state, { at: T0 + 50 * S, value: 96 }, false);
    assert.deepEqual([event?.kind, event?.value], ['reminder', 96]);
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

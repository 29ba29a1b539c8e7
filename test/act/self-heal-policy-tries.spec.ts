import assert from 'node:assert/strict';
import { type Heal, IDLE } from '../../nodes/act/self-heal/heal.js';
import { decide } from '../../nodes/act/self-heal/policy.js';
import { AUTO, FAILED, LIMITS, OFF, Story, UP } from './self-heal-story.ts';

describe('self-heal policy: its tries', () => {
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

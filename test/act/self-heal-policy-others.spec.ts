import assert from 'node:assert/strict';
import type { Exemption } from '../../nodes/act/self-heal/view.js';
import { AUTO, FAILED, OFF, STARTING, Story, UP, view } from './self-heal-story.ts';

describe('self-heal policy: beside systemd and an admin', () => {
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
});

import assert from 'node:assert/strict';
import { ManualClock } from '../../nodes/kit/clock.js';

describe('the manual clock', () => {
  it('runs what falls due in order, repeated timers included', () => {
    const clock = new ManualClock(1000);
    const seen: string[] = [];
    clock.after(30, () => seen.push(`once at ${clock.now()}`));
    const stop = clock.every(20, () => seen.push(`every at ${clock.now()}`));
    clock.advance(45);
    stop();
    clock.advance(100);
    assert.deepEqual(seen, ['every at 1020', 'once at 1030', 'every at 1040']);
  });

  it('keeps durations true when the wall clock jumps', () => {
    const clock = new ManualClock(1000);
    clock.advance(10);
    clock.jump(0);
    assert.equal(clock.monotonic(), 10);
    assert.equal(clock.now(), 0);
  });
});

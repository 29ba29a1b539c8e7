import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Bucket, take } from '../../../nodes/tell/gate/bucket.js';

const ALLOWANCE = { burst: 3, perSecond: 1, calm: 5000 };

/** What becomes of updates at these times. */
function passes(times: readonly number[], allowance = ALLOWANCE): string[] {
  let bucket: Bucket | undefined;
  return times.map((at) => {
    const taken = take(bucket, at, allowance);
    bucket = taken.bucket;
    return taken.pass;
  });
}

describe('an allowance', () => {
  it('lets a burst through, says once that it is too much, then says nothing', () => {
    assert.deepEqual(passes([0, 0, 0, 0, 1, 2]), ['free', 'free', 'free', 'first', 'still', 'still']);
  });

  it('fills up again with time', () => {
    assert.deepEqual(passes([0, 0, 0, 1000, 2000, 3000]), ['free', 'free', 'free', 'free', 'free', 'free']);
  });

  it('hears nobody again who does not pause', () => {
    const hammering = Array.from({ length: 100 }, (_, i) => i * 900);
    const heard = passes([0, 0, 0, ...hammering]).filter((pass) => pass !== 'still');
    assert.deepEqual(heard, ['free', 'free', 'free', 'first']);
  });

  it('is whole again after a calm', () => {
    assert.deepEqual(passes([0, 0, 0, 0, 4000, 9000, 9000, 9000, 9000]), [
      ...['free', 'free', 'free', 'first', 'still'],
      ...['free', 'free', 'free', 'first'],
    ]);
  });

  it('never lets more through than the burst and what has flowed in since', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(3000), { maxLength: 200 }), (pauses) => {
        let now = 0;
        const times = pauses.map((pause) => {
          now += pause;
          return now;
        });
        const result = passes(times);
        // Between two calms the allowance is burst + rate × time.
        let since = times[0] ?? 0;
        let free = 0;
        for (const [i, pass] of result.entries()) {
          if (i > 0 && result[i - 1] !== 'free' && pass === 'free') {
            since = times[i] ?? 0;
            free = 0;
          }
          if (pass === 'free') free++;
          assert.ok(free <= ALLOWANCE.burst + ((times[i] ?? 0) - since) / 1000 + 1e-9);
        }
      }),
    );
  });

  it('is not confused by a clock that stands still or runs back', () => {
    assert.deepEqual(passes([1000, 500, 1000, 1000]), ['free', 'free', 'free', 'first']);
  });
});

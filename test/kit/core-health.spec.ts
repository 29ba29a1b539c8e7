import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  CORE_PARTS,
  type CorePart,
  type CoreWatch,
  type Stands,
  stuckParts,
  UNWATCHED,
  watchCore,
} from '../../nodes/kit/core-health.js';
import { judgeHealth } from '../../nodes/kit/health.js';

const NOW = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;
const LONGEST = 40_000;
const stand = (mark: string, patience = 60_000) => ({ mark, why: `${mark} is wrong`, patience });

/** Looks at the same stands every `step` ms for `ms`. */
function watched(watch: CoreWatch, stands: Stands, ms: number, step = 20_000): CoreWatch {
  let now = watch.looked ?? 0;
  const end = now + ms;
  let turned = watchCore(watch, stands, now, LONGEST);
  for (; now < end; turned = watchCore(turned, stands, now, LONGEST)) now = Math.min(end, now + step);
  return turned;
}

describe('health', () => {
  const judged = (at: number, now: number) =>
    judgeHealth((part) => ({ at: part === 'sampler' ? at : now, within: MINUTE }), now).parts.sampler;

  it('takes silence for trouble, and what was said before the clock was set back for silence', () => {
    assert.deepEqual(judged(NOW - 59_000, NOW), { ok: true, age: 59 });
    assert.deepEqual(judged(NOW - 61_000, NOW), { ok: false, reason: 'no sign of life for 61 s', age: 61 });
    assert.deepEqual(judged(NOW + 500, NOW), { ok: true, age: 0 });
    const { ok, reason } = judged(NOW + 86_400_000, NOW);
    assert.deepEqual([ok, reason], [false, 'no sign of life yet since the clock was set back']);
  });
});

describe('the core of Potion', () => {
  it('is stuck where a part stands the same for longer than its patience, and only that part', () => {
    const stands = { database: stand('10'), sampler: stand('5', 600_000) };
    assert.deepEqual(stuckParts(watched(UNWATCHED, stands, 59_000), stands), []);
    assert.deepEqual(stuckParts(watched(UNWATCHED, stands, 60_000), stands), [
      { part: 'database', why: '10 is wrong' },
    ]);
  });

  it('counts anew with each sign of life, and after a part had nothing to complain about', () => {
    const first = watched(UNWATCHED, { database: stand('1') }, 59_000);
    const next = { database: stand('2') };
    assert.deepEqual(stuckParts(watched(first, next, 59_000), next), []);
    const same = { database: stand('1') };
    assert.deepEqual(stuckParts(watched(watched(first, {}, 1000), same, 59_000), same), []);
  });

  it('is not taken for stuck after a time in which nobody looked: it stood still as well', () => {
    const stands = { flows: stand('stopped', 300_000) };
    const before = watched(UNWATCHED, stands, 100_000);
    const woken = watchCore(before, stands, 100_000 + 8 * 3_600_000, LONGEST);
    assert.deepEqual(stuckParts(woken, stands), []);
    assert.equal(stuckParts(watched(woken, stands, 160_000), stands).length, 1);
  });

  it('is never called stuck before its patience has been watched, whatever it does and however time goes', () => {
    const stands: fc.Arbitrary<Stands> = fc.dictionary(
      fc.constantFrom(...CORE_PARTS),
      fc.record({
        mark: fc.constantFrom('a', 'b'),
        why: fc.constant('why'),
        patience: fc.integer({ min: 1, max: 200_000 }),
      }),
    );
    const look = fc.record({ stands, passed: fc.integer({ min: -100_000, max: 10_000_000 }) });
    fc.assert(
      fc.property(fc.array(look, { maxLength: 60 }), (looks) => {
        let watch = UNWATCHED;
        let now = 0;
        const same = new Map<CorePart, { mark: string; ms: number }>();
        for (const { stands: current, passed } of looks) {
          now += passed;
          watch = watchCore(watch, current, now, LONGEST);
          for (const part of CORE_PARTS) {
            const mark = current[part]?.mark;
            const before = same.get(part);
            const most = Math.min(Math.max(0, passed), LONGEST);
            if (mark === undefined) same.delete(part);
            else same.set(part, { mark, ms: before?.mark === mark ? before.ms + most : 0 });
          }
          for (const { part } of stuckParts(watch, current))
            assert.ok((same.get(part)?.ms ?? -1) >= (current[part]?.patience ?? 0), part);
        }
      }),
    );
  });
});

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readNamed, target } from '../../nodes/act/kill/rules.js';
import { ancestorsOf, type ProcStatLine } from '../../nodes/host/process-table.js';
import { PotionError } from '../../nodes/kit/errors.js';

const line = (pid: number, more: Partial<ProcStatLine> = {}): ProcStatLine => ({
  pid,
  name: `p${pid}`,
  state: 'S',
  parent: 1,
  kernel: false,
  ticks: 0,
  threads: 1,
  start: pid * 10,
  pages: 1,
  ...more,
});

const table = (...lines: ProcStatLine[]) => new Map(lines.map((one) => [one.pid, one]));

const verdict = (work: () => unknown) => {
  try {
    work();
    return 'may';
  } catch (thrown) {
    assert.ok(thrown instanceof PotionError, String(thrown));
    return `${thrown.code} ${thrown.cause.text}`;
  }
};

/** Any tree: parents may be missing, or form a ring, as they can while processes come and go. */
const trees = fc
  .array(
    fc.record({
      pid: fc.integer({ min: 1, max: 12 }),
      parent: fc.integer({ min: 0, max: 12 }),
      kernel: fc.constantFrom(false, false, false, true),
      start: fc.integer({ min: 0, max: 2 }),
      state: fc.constantFrom('R', 'S', 'S', 'D', 'T', 'Z', 'X'),
    }),
    { maxLength: 30 },
  )
  .map((lines) => table(...lines.map(({ pid, ...more }) => line(pid, more))));

describe('which process may be ended', () => {
  it('is never one that the machine or Potion needs, nor another than the one that was shown', () => {
    const named = fc.record(
      { pid: fc.integer({ min: 1, max: 13 }), start: fc.integer({ min: 0, max: 2 }) },
      { requiredKeys: ['pid'] },
    );
    let passed = 0;
    fc.assert(
      fc.property(trees, named, fc.integer({ min: 2, max: 12 }), (all, asked, own) => {
        const before = structuredClone(all);
        let found: ProcStatLine | undefined;
        try {
          found = target(asked, all, own);
        } catch (thrown) {
          assert.ok(thrown instanceof PotionError, String(thrown));
        }
        assert.deepEqual(all, before);
        if (!found) return;
        passed++;
        assert.equal(found, all.get(asked.pid));
        assert.notEqual(found.pid, 1);
        assert.equal(found.kernel, false);
        assert.ok(!['Z', 'X'].includes(found.state));
        if (asked.start !== undefined) assert.equal(found.start, asked.start);
        assert.notEqual(found.pid, own);
        assert.ok(!ancestorsOf(own, all).includes(found.pid), 'Potion was started by it');
        assert.ok(!ancestorsOf(found.pid, all).includes(own), 'Potion has started it');
      }),
      { numRuns: 5000 },
    );
    assert.ok(passed > 100, `only ${passed} let through: the test says little`);
  });

  it('is told apart by what stands in the way', () => {
    const all = table(
      line(1, { parent: 0 }),
      line(2, { parent: 0, kernel: true }),
      line(10, { parent: 1 }),
      line(11, { parent: 10 }),
      line(12, { parent: 11 }),
      line(20),
      line(21, { state: 'Z', parent: 20 }),
    );
    const may = (pid: number, start?: number) =>
      verdict(() => target(start === undefined ? { pid } : { pid, start }, all, 11));
    assert.equal(may(20), 'may');
    assert.equal(may(20, 200), 'may');
    assert.equal(may(20, 201), 'NOT_FOUND kill.errors.another');
    assert.equal(may(1), 'DENIED kill.errors.first');
    assert.equal(may(2), 'DENIED kill.errors.kernel');
    assert.equal(may(10), 'DENIED kill.errors.own', 'its parent');
    assert.equal(may(11), 'DENIED kill.errors.own');
    assert.equal(may(12), 'DENIED kill.errors.own', 'its child');
    assert.equal(may(21), 'NOT_FOUND kill.errors.dead');
    assert.equal(may(99), 'NOT_FOUND errors.process-gone');
  });

  it('is named by whole numbers only', () => {
    assert.deepEqual(readNamed({ payload: { pid: 7, start: 70, args: ['7'] } }), { pid: 7, start: 70 });
    assert.deepEqual(readNamed({ payload: { pid: 7 } }), { pid: 7 });
    // kill(2) takes 0 for the own group, and what is below for groups and everybody.
    for (const payload of [0, -1, -7, 1.5, '7', Number.NaN, null, undefined, [7]].map((pid) => ({ pid })))
      assert.equal(
        verdict(() => readNamed({ payload })),
        'INVALID kill.errors.pid',
      );
    for (const payload of [undefined, null, 7, 'x', { pid: 7, start: '70' }, { pid: 7, start: -1 }])
      assert.equal(
        verdict(() => readNamed({ payload })),
        'INVALID kill.errors.pid',
      );
  });
});

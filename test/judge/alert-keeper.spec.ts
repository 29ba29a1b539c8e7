import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Delivery } from '../../nodes/judge/alert/delivery.js';
import { AlertKeeper } from '../../nodes/judge/alert/keeper.js';
import { sourceOf } from '../../nodes/judge/alert/series.js';
import type { Rule } from '../../nodes/judge/alert/state-machine.js';
import { ManualClock } from '../../nodes/kit/clock.js';
import { type Database, openDatabase } from '../../nodes/state/database.js';

const RULE: Rule = {
  operator: 'above',
  threshold: 5,
  clear: 3,
  for: 20_000,
  keepFiring: 10_000,
  repeat: 60_000,
  missing: 'resolve',
  missingAfter: 300_000,
};

/** One sample of two series, and what comes next. */
interface Turn {
  a: number;
  b: number;
  /** Milliseconds until the next. */
  gap: number;
  /** `crash`: Potion dies when the outcome is on record and before anything was sent; `kill`: just after. */
  next: 'goes on' | 'crash' | 'kill' | 'settles';
}

const value = fc.constantFrom(1, 4, 6, 9);
const turn: fc.Arbitrary<Turn> = fc.record({
  a: value,
  b: value,
  gap: fc.constantFrom(1000, 10_000, 30_000),
  next: fc.oneof(
    { weight: 6, arbitrary: fc.constant('goes on' as const) },
    { weight: 1, arbitrary: fc.constantFrom('crash' as const, 'kill' as const, 'settles' as const) },
  ),
});

/** All messages that left the node, each as what the outbox knows it by and what it says. */
async function messages(turns: readonly Turn[], crashes: boolean): Promise<string[]> {
  const db = await openDatabase(':memory:');
  const clock = new ManualClock();
  const sent: string[] = [];
  const send = (told: readonly Delivery[]) => {
    for (const { incident, payload } of told)
      sent.push(`${incident.id}#${payload.sequence} ${payload.state} ${payload.value} ${payload.at}`);
  };
  try {
    let keeper = await started(db, clock);
    for (const { a, b, gap, next } of turns) {
      const series = { a, b };
      const shown = Object.entries(series).map(([name, value]) => ({ code: `x:${name}`, name, value }));
      const { told } = await keeper.take(shown, clock.now());
      if (!crashes || next !== 'crash') send(told);
      if (crashes && (next === 'crash' || next === 'kill')) {
        keeper = await started(db, clock);
        send((await keeper.unsent()).told);
      }
      clock.advance(gap);
      if (next === 'settles') await keeper.settle();
    }
    return sent;
  } finally {
    await db.destroy();
  }
}

async function started(db: Database, clock: ManualClock): Promise<AlertKeeper> {
  const keeper = new AlertKeeper({
    judge: { node: 'n', rule: RULE, wording: { unit: '', label: '', severity: 'warning' }, env: {} },
    source: sourceOf('payload.*', 'x:{series}'),
    clock,
    database: async () => db,
    report: (thrown) => assert.fail(String(thrown)),
  });
  await keeper.start(0);
  return keeper;
}

describe('an alert node that crashes', () => {
  it('loses nothing, and repeats nothing under another name: without repetitions it says what it would have said', async function () {
    this.timeout(60_000);
    let crashes = 0;
    let events = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(turn, { minLength: 20, maxLength: 40 }), async (turns) => {
        const calm = await messages(turns, false);
        const crashed = await messages(turns, true);
        assert.deepEqual([...new Set(crashed)], calm);
        crashes += turns.filter(({ next }) => next === 'crash' || next === 'kill').length;
        events += calm.length;
      }),
      { numRuns: 60 },
    );
    assert.ok(crashes > 50 && events > 100, `${crashes} crashes, ${events} messages`);
  });
});

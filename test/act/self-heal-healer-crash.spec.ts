import assert from 'node:assert/strict';
import fc from 'fast-check';
import { openDatabase } from '../../nodes/state/database.js';
import { Bench, settle } from './self-heal-bench.ts';
import { LIMITS } from './self-heal-story.ts';

describe('healer, killed and started again', () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await Bench.open();
  });
  afterEach(() => bench.close());

  it('goes on with an episode after a crash, with the budget that is left', async () => {
    bench.unit.fates = [0, 0, 0, 0, 0];
    await bench.fall();
    bench.kill();
    await settle();
    await bench.start();
    await bench.pass(600_000);
    assert.equal(bench.unit.restarts.length, 3);
    assert.deepEqual(new Set(bench.told.map(({ episode }) => episode.since)).size, 1);
    assert.equal(bench.steps().at(-1), 'gave-up 3');
  });

  it('calls a unit healed that came up while Potion was down', async () => {
    bench.unit.fates = [0];
    await bench.fall();
    bench.kill();
    bench.unit.sight = 'up';
    bench.clock.advance(60_000);
    await bench.start();
    await bench.pass(40_000);
    assert.equal(bench.steps().at(-1), 'healed 1');
  });

  it('tells again what a crash may have swallowed, under the same number', async () => {
    bench.unit.denied = true;
    await bench.fall();
    bench.kill();
    await settle();
    await bench.start();
    const surrenders = bench.told.filter(({ step }) => step === 'gave-up');
    assert.deepEqual(
      surrenders.map(({ number }) => number),
      [2, 2],
    );
    await bench.pass(5_000);
    bench.kill();
    await bench.start();
    assert.equal(bench.told.filter(({ step }) => step === 'gave-up').length, 2, 'told and confirmed');
  });

  it('does not tell again what it has told itself before it went on with the past', async () => {
    bench.kill();
    await bench.start({ resume: false });
    bench.unit.denied = true;
    await bench.fall();
    await bench.healer().resume();
    await settle();
    assert.deepEqual(bench.steps(), ['trying 1', 'gave-up 1']);
  });

  it('tells what a crash may have swallowed before anything newer of that unit', async () => {
    bench.unit.denied = true;
    await bench.fall();
    bench.kill();
    bench.told.length = 0;
    bench.unit.sight = 'up';
    await bench.start({ resume: false });
    await bench.notice();
    await bench.pass(40_000);
    await bench.healer().resume();
    await settle();
    assert.deepEqual(bench.steps(), ['gave-up 1', 'healed 1']);
  });

  it('tells each step after the one before, however long that takes to be said', async () => {
    let journal = () => {};
    const read = new Promise<void>((resolve) => {
      journal = resolve;
    });
    bench.saying = ({ step }) => (step === 'gave-up' ? read : Promise.resolve());
    bench.unit.denied = true;
    await bench.fall();
    bench.unit.become('up');
    await bench.pass(40_000);
    assert.deepEqual(bench.steps(), ['trying 1']);
    journal();
    await settle();
    assert.deepEqual(bench.steps(), ['trying 1', 'gave-up 1', 'healed 1']);
  });

  it('forgets a healed unit once its restarts no longer count', async () => {
    bench.unit.fates = [Number.POSITIVE_INFINITY];
    await bench.fall();
    await bench.pass(40_000);
    bench.kill();
    bench.clock.advance(LIMITS.window);
    await bench.start();
    assert.deepEqual(await bench.db.selectFrom('heals').selectAll().execute(), []);
  });

  it('keeps its bounds however often it is killed, and always comes to an end', async function () {
    this.timeout(60_000);
    const fate = fc.oneof(
      fc.constant(0),
      fc.integer({ min: 1, max: 60_000 }),
      fc.constant(Number.POSITIVE_INFINITY),
    );
    const moment = fc.record({
      wait: fc.integer({ min: 0, max: 20_000 }),
      kill: fc.boolean(),
      turns: fc.integer({ min: 0, max: 6 }),
      fall: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fate, { maxLength: 12 }),
        fc.array(moment, { maxLength: 10 }),
        async (fates, moments) => {
          const own = await openDatabase(':memory:');
          const life = new Bench(own);
          try {
            await life.start();
            life.unit.fates = [...fates];
            await life.fall();
            for (const { wait, kill, turns, fall } of moments) {
              await life.pass(wait);
              if (fall) life.unit.become('failed');
              // Not settled: killed while something may be under way.
              for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
              if (kill) life.kill();
              await settle();
              if (kill) await life.start();
            }
            for (const [i, at] of life.unit.restarts.entries()) {
              const earlier = life.unit.restarts[i - LIMITS.tries];
              if (earlier !== undefined) assert.ok(at - earlier >= LIMITS.window);
            }
            await life.pass(400_000);
            const [phase] = [...life.healer().states().values()].map((heal) => heal.phase);
            assert.ok(phase === undefined || phase === 'gave-up', `still ${phase}`);
            const surrenders = life.told.filter(({ step }) => step === 'gave-up');
            const named = new Set(surrenders.map(({ episode, number }) => `${episode.since} ${number}`));
            const episodes = new Set(surrenders.map(({ episode }) => episode.since));
            assert.equal(named.size, episodes.size, 'given up twice in one episode');
            assert.deepEqual(life.failures, []);
          } finally {
            life.kill();
            await own.destroy();
          }
        },
      ),
      { numRuns: 25 },
    );
  });
});

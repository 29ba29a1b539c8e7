import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { Telling } from '../../nodes/act/self-heal/heal.js';
import { Healer } from '../../nodes/act/self-heal/healer.js';
import type { Limits } from '../../nodes/act/self-heal/limits.js';
import type { View } from '../../nodes/act/self-heal/view.js';
import { ManualClock } from '../../nodes/kit/clock.js';
import { readConfig, setConfig } from '../../nodes/kit/config.js';
import { PotionError } from '../../nodes/kit/errors.js';
import { type Database, openDatabase } from '../../nodes/state/database.js';

const LIMITS: Limits = {
  tries: 3,
  window: 1_800_000,
  backoff: 5_000,
  growth: 3,
  longestWait: 300_000,
  stable: 30_000,
  patience: 120_000,
  coolDown: 1_800_000,
};
const UNIT = 'nginx.service';

/** What a restart does to the unit: come up for so many ms, or fail at once (0). */
type Fate = number;

/** systemd as far as a healer sees it: one unit, on the same clock. */
class Unit {
  sight: View['sight'] = 'up';
  exempt: View['exempt'];
  limitHit = false;
  unreachable = false;
  denied = false;
  readonly restarts: number[] = [];
  resets = 0;
  fates: Fate[] = [];
  onChange = () => {};
  readonly clock: ManualClock;

  constructor(clock: ManualClock) {
    this.clock = clock;
  }

  view(): View {
    if (this.unreachable) throw new PotionError('UNAVAILABLE', 'errors.unexpected');
    return { sight: this.sight, exempt: this.exempt, limitHit: this.limitHit, auto: false };
  }

  become(sight: View['sight']): void {
    this.sight = sight;
    this.onChange();
  }

  async restart(): Promise<{ unit: string; result: 'done'; took: number }> {
    if (this.denied) throw new PotionError('DENIED', 'errors.unexpected', { detail: 'polkit' });
    this.restarts.push(this.clock.now());
    const life = this.fates.shift() ?? 0;
    if (life === 0) {
      this.become('failed');
      throw new PotionError('FAILED', 'errors.unexpected');
    }
    this.become('up');
    if (Number.isFinite(life)) this.clock.after(life, () => this.become('failed'));
    return { unit: UNIT, result: 'done', took: 0 };
  }

  async resetFailed(): Promise<void> {
    this.resets++;
    this.limitHit = false;
  }
}

/** A healer in a process that can be killed: what it told and what it failed with outlive it. */
class Bench {
  readonly clock = new ManualClock();
  readonly unit = new Unit(this.clock);
  readonly told: Telling[] = [];
  readonly failures: PotionError[] = [];
  readonly db: Database;
  limits = LIMITS;
  #healer: Healer | undefined;
  #alive = new AbortController();

  constructor(db: Database) {
    this.db = db;
    this.unit.onChange = () => void this.#healer?.notice(UNIT).catch(() => {});
  }

  async start({ resume = true } = {}): Promise<void> {
    const alive = new AbortController();
    this.#alive = alive;
    this.#healer = new Healer({
      node: 'healer',
      db: this.db,
      clock: this.clock,
      limits: this.limits,
      units: {
        // What a dead process has not ordered yet, it never orders.
        restart: () => (alive.signal.aborted ? new Promise(() => {}) : this.unit.restart()),
        resetFailed: () => (alive.signal.aborted ? new Promise(() => {}) : this.unit.resetFailed()),
      },
      look: async () => this.unit.view(),
      tell: async (_unit, telling) => {
        if (!alive.signal.aborted) this.told.push(telling);
      },
      fail: (error) => this.failures.push(error),
      changed: () => {},
      signal: alive.signal,
    });
    await this.#healer.load();
    if (resume) await this.#healer.resume();
    await settle();
  }

  /** As after SIGKILL: nothing more is done, nothing is kept; the unit goes on. */
  kill(): void {
    this.#alive.abort();
    this.#healer = undefined;
  }

  async notice(): Promise<void> {
    await this.#healer?.notice(UNIT);
    await settle();
  }

  async fall(): Promise<void> {
    this.unit.become('failed');
    await settle();
  }

  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 1000) {
      this.clock.advance(Math.min(1000, left));
      await settle();
    }
  }

  steps(): string[] {
    return this.told.map(({ step, try: number }) => `${step} ${number}`);
  }

  healer(): Healer {
    assert.ok(this.#healer);
    return this.#healer;
  }
}

async function settle(): Promise<void> {
  for (let i = 0; i < 8; i++) await new Promise((resolve) => setImmediate(resolve));
}

describe('healer', () => {
  let home: string;
  let db: Database;
  let bench: Bench;

  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'potion-heal-'));
    setConfig(readConfig({ DATA_DIR: home }, home));
    db = await openDatabase(':memory:');
    bench = new Bench(db);
    await bench.start();
  });

  afterEach(async () => {
    bench.kill();
    await db.destroy();
    setConfig(undefined);
    rmSync(home, { recursive: true, force: true });
  });

  it('restarts a unit that fell, without letting time pass', async () => {
    bench.unit.fates = [Number.POSITIVE_INFINITY];
    await bench.fall();
    assert.deepEqual(bench.unit.restarts, [bench.clock.now()]);
    await bench.pass(40_000);
    assert.deepEqual(bench.steps(), ['trying 1', 'healed 1']);
    assert.deepEqual(bench.failures, []);
  });

  it('has kept what it is about to do when the restart is ordered', async () => {
    let kept: unknown;
    const restart = bench.unit.restart.bind(bench.unit);
    bench.unit.fates = [Number.POSITIVE_INFINITY];
    bench.unit.restart = async () => {
      const row = await db.selectFrom('heals').select('state').executeTakeFirst();
      kept = row && JSON.parse(row.state).heal;
      return restart();
    };
    await bench.fall();
    assert.deepEqual((kept as { phase: string; restarts: number[] }).restarts, [bench.clock.now()]);
    assert.equal((kept as { phase: string }).phase, 'trying');
  });

  it('orders nothing that it could not keep', async () => {
    await db.schema.dropTable('heals').execute();
    await assert.rejects(async () => {
      bench.unit.sight = 'failed';
      await bench.notice();
    });
    assert.deepEqual(bench.unit.restarts, []);
  });

  it('leaves an audit entry for each restart and for what came of it', async () => {
    bench.unit.fates = [0, Number.POSITIVE_INFINITY];
    await bench.fall();
    await bench.pass(40_000);
    const rows = await db.selectFrom('audit').selectAll().orderBy('id').execute();
    assert.deepEqual(
      rows.map((row) => `${row.user_id} ${row.event} ${row.action} ${row.target} ${row.result}`),
      ['ordered', 'FAILED', 'ordered', 'ok'].map(
        (result, i) => `null ${i % 2 ? 'result' : 'heal'} self-heal ${UNIT} ${result}`,
      ),
    );
  });

  it('gives up on a crash loop with one incident', async () => {
    bench.unit.fates = [3000, 3000, 3000];
    await bench.fall();
    await bench.pass(120_000);
    assert.equal(bench.unit.restarts.length, 3);
    assert.deepEqual(bench.steps(), ['trying 1', 'trying 2', 'trying 3', 'gave-up 3']);
    assert.equal(new Set(bench.told.map(({ episode }) => episode.since)).size, 1);
  });

  it('resets the failure first where systemd refuses further starts', async () => {
    bench.unit.limitHit = true;
    bench.unit.fates = [Number.POSITIVE_INFINITY];
    await bench.fall();
    assert.equal(bench.unit.resets, 1);
    assert.equal(bench.unit.restarts.length, 1);
  });

  it('gives up at once where it has no right, without asking again before the cool-down', async () => {
    bench.unit.denied = true;
    await bench.fall();
    await bench.pass(600_000);
    assert.deepEqual(bench.steps(), ['trying 1', 'gave-up 1']);
    assert.equal(bench.told[1]?.reason, 'refused');
  });

  it('does not touch a unit that an admin stops while it waits', async () => {
    bench.unit.fates = [0];
    await bench.fall();
    bench.unit.exempt = 'admin';
    await bench.pass(60_000);
    assert.equal(bench.unit.restarts.length, 1);
    assert.deepEqual(bench.steps(), ['trying 1', 'trying 2', 'left-alone 1']);
  });

  it('while systemd can’t be asked it says so once, and goes on when it can', async () => {
    bench.unit.fates = [0, Number.POSITIVE_INFINITY];
    await bench.fall();
    bench.unit.unreachable = true;
    await bench.pass(60_000);
    assert.equal(bench.failures.length, 1);
    bench.unit.unreachable = false;
    await bench.pass(60_000);
    assert.deepEqual(bench.steps(), ['trying 1', 'trying 2', 'healed 2']);
  });

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

  it('forgets a healed unit once its restarts no longer count', async () => {
    bench.unit.fates = [Number.POSITIVE_INFINITY];
    await bench.fall();
    await bench.pass(40_000);
    bench.kill();
    bench.clock.advance(LIMITS.window);
    await bench.start();
    assert.deepEqual(await db.selectFrom('heals').selectAll().execute(), []);
  });

  it('tries again when a person asks for it', async () => {
    bench.unit.fates = [0, 0, 0, Number.POSITIVE_INFINITY];
    await bench.fall();
    await bench.pass(120_000);
    await bench.healer().retry(UNIT);
    await bench.pass(40_000);
    assert.deepEqual(bench.steps().slice(-3), ['gave-up 3', 'trying 1', 'healed 1']);
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

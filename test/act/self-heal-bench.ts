import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Telling } from '../../nodes/act/self-heal/heal.js';
import { Healer } from '../../nodes/act/self-heal/healer.js';
import type { View } from '../../nodes/act/self-heal/view.js';
import { ManualClock } from '../../nodes/kit/clock.js';
import { readConfig, setConfig } from '../../nodes/kit/config.js';
import { PotionError } from '../../nodes/kit/errors.js';
import { type Database, openDatabase } from '../../nodes/state/database.js';
import { LIMITS } from './self-heal-story.ts';

export const UNIT = 'nginx.service';

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
export class Bench {
  readonly clock = new ManualClock();
  readonly unit = new Unit(this.clock);
  readonly told: Telling[] = [];
  readonly failures: PotionError[] = [];
  readonly db: Database;
  limits = LIMITS;
  /** What saying a step waits for, e.g. the journal on giving up. */
  saying: (telling: Telling) => Promise<void> = async () => {};
  #home = '';
  #healer: Healer | undefined;
  #alive = new AbortController();

  constructor(db: Database) {
    this.db = db;
    this.unit.onChange = () => void this.#healer?.notice(UNIT).catch(() => {});
  }

  /** A bench with a database and a data folder of its own, and its healer at work. */
  static async open(): Promise<Bench> {
    const bench = new Bench(await openDatabase(':memory:'));
    bench.#home = mkdtempSync(join(tmpdir(), 'potion-heal-'));
    setConfig(readConfig({ DATA_DIR: bench.#home }, bench.#home));
    await bench.start();
    return bench;
  }

  async close(): Promise<void> {
    this.kill();
    await this.db.destroy();
    setConfig(undefined);
    rmSync(this.#home, { recursive: true, force: true });
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
        await this.saying(telling);
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

/** Lets everything go on that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 8; i++) await new Promise((resolve) => setImmediate(resolve));
}

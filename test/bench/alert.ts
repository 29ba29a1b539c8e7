import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AlertKeeper } from '../../nodes/judge/alert/keeper.js';
import { seriesOf, sourceOf } from '../../nodes/judge/alert/series.js';
import { type AlertState, type Rule, step } from '../../nodes/judge/alert/state-machine.js';
import { systemClock } from '../../nodes/kit/clock.js';
import { type Database, openDatabase } from '../../nodes/state/database.js';
import type { Row } from './table.ts';

const RULE: Rule = {
  operator: 'above',
  threshold: 0.9,
  clear: 0.8,
  for: 60_000,
  keepFiring: 30_000,
  repeat: 900_000,
  missing: 'resolve',
  missingAfter: 300_000,
};

/** Alert evaluations per second: the state machine alone, and a whole node with its database on disk. */
export async function alertEvaluations(): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'potion-bench-'));
  const db = await openDatabase(join(folder, 'potion.db'));
  try {
    const alone = pure(1_000_000);
    const whole = await withDatabase(db, 4000);
    const changes = await transitions(db, 1000);
    return [
      { what: 'alert evaluations, state machine alone', figure: `${format(alone)}/s` },
      {
        what: 'alert evaluations, with settings read from the database',
        figure: `${format(whole)}/s`,
        against: `state machine alone (${(alone / whole).toFixed(0)}× that)`,
      },
      { what: 'alert transitions, each on disk before its message', figure: `${format(changes)}/s` },
    ];
  } finally {
    await db.destroy();
    rmSync(folder, { recursive: true });
  }
}

const format = (perSecond: number) => Math.round(perSecond).toLocaleString('en-US');

function pure(count: number): number {
  let state: AlertState | undefined;
  const started = performance.now();
  for (let i = 0; i < count; i++)
    state = step(RULE, state, { at: i * 10_000, value: (i % 97) / 97 }, false).state;
  return (1000 * count) / (performance.now() - started);
}

async function withDatabase(db: Database, count: number): Promise<number> {
  const source = sourceOf('payload.cpu.load', 'cpu');
  const keeper = keeperOf(db, 'bench', RULE, 'payload.cpu.load');
  await keeper.start(0);
  const shown = seriesOf(source, { payload: { cpu: { load: 0.5 } } });
  const started = performance.now();
  for (let i = 0; i < count; i++) await keeper.take(shown, i * 10_000);
  return (1000 * count) / (performance.now() - started);
}

async function transitions(db: Database, count: number): Promise<number> {
  const keeper = keeperOf(db, 'changes', { ...RULE, for: 0, keepFiring: 0 }, 'payload');
  await keeper.start(0);
  let told = 0;
  const started = performance.now();
  for (let i = 0; i < count; i++)
    told += (await keeper.take([{ code: 'cpu', name: '', value: i % 2 }], i * 10_000)).told.length;
  return (1000 * told) / (performance.now() - started);
}

function keeperOf(db: Database, node: string, rule: Rule, property: string): AlertKeeper {
  return new AlertKeeper({
    judge: { node, rule, wording: { unit: '', label: '', severity: 'warning' }, env: {} },
    source: sourceOf(property, 'cpu'),
    clock: systemClock,
    database: async () => db,
    report(thrown) {
      throw thrown;
    },
  });
}

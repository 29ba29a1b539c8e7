import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { type AlertState, type Rule, step } from '../../nodes/judge/alert/state-machine.js';
import { needs, PROMTOOL } from '../support/needs.ts';

const STEP = 10_000;
const THRESHOLD = 5;
/** Prometheus takes a value for 5 minutes, unless it is marked as stale. */
const LOOKBACK = 300_000;

/** One sample of a series: a value, none, or none with a mark that there is no more to come. */
type Sample = number | '_' | 'stale';

interface Case {
  operator: 'above' | 'below';
  /** Steps, not necessarily whole ones. */
  for: number;
  keepFiring: number;
  samples: Sample[];
}

const LENGTH = 90;

// Runs of one value, because random single values hardly ever hold for long enough to fire.
const run = (sample: fc.Arbitrary<Sample>, longest: number) =>
  fc
    .tuple(sample, fc.integer({ min: 1, max: longest }))
    .map(([one, times]) => Array<Sample>(times).fill(one));
const value = fc.integer({ min: 3, max: 7 });
const samples = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: run(value, 12) },
      { weight: 3, arbitrary: run(value, 2) },
      { weight: 1, arbitrary: run(fc.constant<Sample>('_'), 3) },
      { weight: 1, arbitrary: run(fc.constant<Sample>('_'), 36) },
      { weight: 1, arbitrary: run(fc.constant<Sample>('stale'), 4) },
    ),
    { minLength: 40, maxLength: 40 },
  )
  .map((runs) => runs.flat().slice(0, LENGTH));
const durations = fc.constantFrom(0, 0, 1, 1.5, 3, 5, 8.2);
const cases: fc.Arbitrary<Case> = fc.record({
  operator: fc.constantFrom('above', 'below'),
  for: durations,
  keepFiring: durations,
  samples,
});

/** The phase after each sample, as Potion sees it. Stale is a value that is missing for good at once. */
function phases({ operator, for: hold, keepFiring, samples }: Case): string[] {
  const rule: Rule = {
    operator,
    threshold: THRESHOLD,
    for: hold * STEP,
    keepFiring: keepFiring * STEP,
    repeat: 0,
    missing: 'resolve',
    missingAfter: LOOKBACK,
  };
  let state: AlertState | undefined;
  let isStale = false;
  return samples.map((sample, i) => {
    if (sample !== '_') isStale = sample === 'stale';
    const missingAfter = isStale ? 0 : LOOKBACK;
    const observation = { at: i * STEP, value: typeof sample === 'number' ? sample : undefined };
    state = step({ ...rule, missingAfter }, state, observation, false).state;
    return state.phase;
  });
}

/** Rules and a unit test for promtool: each case is one rule over one series. */
function files(all: readonly Case[]) {
  const seconds = (steps: number) => `${(steps * STEP) / 1000}s`;
  const rules = all.map((one, i) => ({
    alert: `A${i}`,
    expr: `v{case="${i}"} ${one.operator === 'above' ? '>' : '<'} ${THRESHOLD}`,
    for: seconds(one.for),
    keep_firing_for: seconds(one.keepFiring),
  }));
  const seen = all.map(phases);
  const at = (n: number) => ({
    expr: 'ALERTS',
    eval_time: seconds(n),
    exp_samples: seen.flatMap((phase, i) =>
      phase[n] === 'inactive'
        ? []
        : [{ labels: `ALERTS{alertname="A${i}",alertstate="${phase[n]}",case="${i}"}`, value: 1 }],
    ),
  });
  const test = {
    interval: seconds(1),
    input_series: all.map((one, i) => ({ series: `v{case="${i}"}`, values: one.samples.join(' ') })),
    promql_expr_test: Array.from({ length: LENGTH }, (_, n) => at(n)),
  };
  return {
    rules: { groups: [{ name: 'potion', interval: seconds(1), rules }] },
    test: { rule_files: ['rules.yml'], evaluation_interval: seconds(1), tests: [test] },
    seen,
  };
}

describe('for and keep-firing, compared with Prometheus', function () {
  this.timeout(60_000);

  before(function () {
    needs(this, 'promtool');
  });

  it('pending, firing and inactive agree at every sample of 300 random series under random rules', () => {
    const seed = Number(process.env.SEED ?? Date.now());
    const all = fc.sample(cases, { numRuns: 300, seed });
    const { rules, test, seen } = files(all);
    const folder = mkdtempSync(join(tmpdir(), 'potion-promtool-'));
    try {
      writeFileSync(join(folder, 'rules.yml'), stringify(rules));
      writeFileSync(join(folder, 'test.yml'), stringify(test, { aliasDuplicateObjects: false }));
      const { status, stdout, stderr } = spawnSync(PROMTOOL, ['test', 'rules', 'test.yml'], {
        cwd: folder,
        encoding: 'utf8',
        maxBuffer: 1e8,
      });
      assert.equal(status, 0, `again with SEED=${seed}\n${stdout}\n${stderr}`.slice(0, 3000));
    } finally {
      rmSync(folder, { recursive: true });
    }
    // A comparison in which nothing happens would prove nothing.
    const count = (phase: string) => seen.flat().filter((one) => one === phase).length;
    for (const phase of ['inactive', 'pending', 'firing']) assert.ok(count(phase) > 1000, `${phase} is rare`);
  });
});

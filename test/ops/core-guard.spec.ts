import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Stands } from '../../nodes/kit/core-health.js';
import type { Part, Pulse } from '../../nodes/kit/pulse.js';
import { CoreGuard, type Judgement } from '../../ops/runtime/core-guard.js';
import { type CoreFacts, coreStands } from '../../ops/runtime/core-stands.js';
import { TriedRestarts } from '../../ops/runtime/tried-restarts.js';

const MINUTE = 60_000;
const EVERY = 20_000;
const NOW = Date.UTC(2026, 5, 1);

interface Life {
  /** How the parts stand, minute by minute or whenever asked. @param ms since the start */
  facts(ms: number): CoreFacts;
  tried?: TriedRestarts;
  /** Seconds since boot at the start. */
  up?: number;
  ms?: number;
}

/** Plays a life of Potion until it lets itself be restarted, or for `ms` (an hour). */
function live({ facts, tried = new TriedRestarts(undefined), up = 1000, ms = 60 * MINUTE }: Life) {
  const guard = new CoreGuard(tried, EVERY * 2);
  let last: Judgement = {};
  for (let now = 0; now <= ms; now += EVERY) {
    last = guard.look(coreStands(facts(now)), now, up + now / 1000);
    if (last.restart) return { ...last, after: now };
  }
  return { ...last, after: undefined };
}

const well = (ms: number): CoreFacts => ({
  flows: 'running',
  pulseOf: (part: Part): Pulse | undefined => ({
    at: NOW + ms,
    within: part === 'sampler' ? MINUTE : 30_000,
  }),
  free: 1e9,
  damaged: false,
  overdue: undefined,
});
const but = (part: Part, pulse: Pulse | undefined) => (ms: number) => ({
  ...well(ms),
  pulseOf: (asked: Part) => (asked === part ? pulse : well(ms).pulseOf(asked)),
});

describe('what Potion lets itself be restarted for', () => {
  it('is nothing while all is well', () => {
    assert.deepEqual(live({ facts: well }), { after: undefined });
  });

  it('is a database that can’t be written for five minutes though there is space', () => {
    const pulse = { at: NOW, within: 30_000, ailing: 'writing failed: disk I/O error' };
    const { restart, after } = live({ facts: but('database', pulse) });
    assert.equal(restart, "the database can't be written: writing failed: disk I/O error");
    assert.equal(after, 5 * MINUTE);
  });

  it('is a database that does not answer at all', () => {
    assert.match(live({ facts: but('database', undefined) }).restart ?? '', /no answer/);
  });

  it('is not a full disk', () => {
    const pulse = { at: NOW, within: 30_000, ailing: 'writing failed: database or disk is full' };
    const full = (ms: number) => ({ ...but('database', pulse)(ms), free: 4096 });
    assert.deepEqual(live({ facts: full }), { after: undefined });
  });

  it('is a damaged database, as soon as that could be told', () => {
    const { restart, after } = live({ facts: (ms) => ({ ...well(ms), damaged: true }) });
    assert.equal(restart, 'the database is damaged');
    assert.equal(after, EVERY);
  });

  it('is a metrics node that has sampled and no longer does', () => {
    const { restart, after } = live({ facts: but('sampler', { at: NOW, within: MINUTE }) });
    assert.equal(restart, 'the metrics node has stopped sampling');
    assert.equal(after, 10 * MINUTE);
  });

  it('is neither a metrics node that was never there, nor one that finds nothing to read', () => {
    assert.deepEqual(live({ facts: but('sampler', undefined) }), { after: undefined });
    const blind = { at: NOW, within: MINUTE, ailing: 'no reading could be taken' };
    assert.deepEqual(live({ facts: but('sampler', blind) }), { after: undefined });
  });

  it('is neither Telegram away nor its token refused', () => {
    assert.deepEqual(live({ facts: but('telegram', undefined) }), { after: undefined });
    assert.deepEqual(live({ facts: but('telegram', { at: NOW, within: 1, ailing: 'refused' }) }), {
      after: undefined,
    });
  });

  it('is flows that stay stopped for no reason, but not those that miss a node type', () => {
    const stopped = live({ facts: (ms) => ({ ...well(ms), flows: 'stopped' }) });
    assert.equal(stopped.restart, 'the flows have stopped without a reason');
    const excused = (ms: number): CoreFacts => ({ ...but('sampler', undefined)(ms), flows: 'excused' });
    assert.deepEqual(live({ facts: excused }), { after: undefined });
  });

  it('is a message that is due and not tried for half an hour, but not one that is tried in vain', () => {
    const stuck = live({ facts: (ms) => ({ ...well(ms), overdue: '7/0/0/0' }) });
    assert.deepEqual([stuck.restart, stuck.after], ['a message that is due is not sent', 30 * MINUTE]);
    const tried = (ms: number) => ({ ...well(ms), overdue: `7/${Math.floor(ms / (10 * MINUTE))}/0/0` });
    assert.deepEqual(live({ facts: tried }), { after: undefined });
  });

  it('is the same whatever the wall clock does', () => {
    const jumping = (ms: number) => ({
      ...well(ms),
      pulseOf: (part: Part) => {
        const pulse = well(ms).pulseOf(part);
        return pulse && { ...pulse, at: pulse.at + (ms > 10 * MINUTE ? -86_400_000 : 86_400_000) };
      },
    });
    assert.deepEqual(live({ facts: jumping }), { after: undefined });
  });
});

describe('a restart that mends nothing', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'potion-tried-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const stopped = (ms: number): CoreFacts => ({ ...well(ms), flows: 'stopped' });

  it('is tried once; after it Potion stays, and says what it is', () => {
    assert.ok(live({ facts: stopped, tried: new TriedRestarts(folder) }).restart);
    const second = live({ facts: stopped, tried: new TriedRestarts(folder), up: 2000 });
    assert.deepEqual(second, { hopeless: 'the flows have stopped without a reason', after: undefined });
  });

  it('is not tried again for a part that fails again soon, but is for another part', () => {
    live({ facts: stopped, tried: new TriedRestarts(folder) });
    const soon = (ms: number) => (ms > 10 * MINUTE ? stopped(ms) : well(ms));
    assert.equal(live({ facts: soon, tried: new TriedRestarts(folder), up: 2000 }).restart, undefined);
    const other = (ms: number) => ({ ...stopped(ms), damaged: true });
    const { restart, hopeless } = live({ facts: other, tried: new TriedRestarts(folder), up: 2000 });
    assert.equal(restart, 'the database is damaged');
    assert.equal(hopeless, undefined);
  });

  it('may be tried again once the part has worked six hours later', () => {
    live({ facts: stopped, tried: new TriedRestarts(folder) });
    const later = { tried: new TriedRestarts(folder), up: 1000 + 7 * 3600 };
    assert.ok(live({ facts: (ms) => (ms > MINUTE ? stopped(ms) : well(ms)), ...later }).restart);
  });

  it('is forgotten, at worst, with a record that was cut short', () => {
    writeFileSync(join(folder, 'tried-restarts.json'), '{"flo');
    assert.ok(live({ facts: stopped, tried: new TriedRestarts(folder) }).restart);
    const nowhere = new TriedRestarts(join(folder, 'gone'));
    assert.ok(live({ facts: stopped, tried: nowhere }).restart);
  });

  it('is taken back when the part recovers in the meantime', () => {
    const guard = new CoreGuard(new TriedRestarts(folder), EVERY * 2);
    const look = (stands: Stands, now: number) => guard.look(stands, now, 1000 + now / 1000);
    const ill: Stands = { flows: { mark: 'stopped', why: 'stopped', patience: EVERY } };
    look(ill, 0);
    assert.equal(look(ill, EVERY).restart, 'stopped');
    assert.deepEqual(look({}, 2 * EVERY), {});
  });
});

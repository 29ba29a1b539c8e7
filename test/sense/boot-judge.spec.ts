import assert from 'node:assert/strict';
import fc from 'fast-check';
import { askedFor, isWorthTelling, judgeStart, type Now } from '../../nodes/sense/boot/judge-start.js';
import type { Life } from '../../nodes/state/lifecycle.js';
import type { PowerIntent } from '../../nodes/state/power-intent.js';

const NOON = Date.UTC(2026, 0, 5, 12);
const NOW: Now = { bootId: 'second', bootTime: NOON - 20_000, startedAt: NOON, clock: 'sure' };
const life = (more: Partial<Life>): Life => ({
  bootId: 'first',
  startedAt: NOON - 9e6,
  aliveAt: NOON - 900_000,
  clean: false,
  ...more,
});
const ON_DEMAND = { restarts: false, long: 300 };

describe('what happened before a start', () => {
  it('first: nothing was known before', () => {
    const start = judgeStart(undefined, NOW);
    assert.deepEqual([start.kind, start.off, start.clean], ['first', null, true]);
  });

  it('boot: the machine was off since the last sign of life', () => {
    const start = judgeStart(life({}), NOW);
    assert.equal(start.kind, 'boot');
    assert.equal(start.clean, false);
    assert.deepEqual(start.off, { from: NOON - 900_000, to: NOON, took: 900 });
  });

  it('restart: the machine stayed on', () => {
    assert.equal(judgeStart(life({ bootId: 'second' }), NOW).kind, 'restart');
  });

  it('does not know for how long when the clock lies before the last sign of life', () => {
    assert.equal(judgeStart(life({ aliveAt: NOON + 60_000 }), NOW).off, null);
  });

  it('does not know for how long when the battery of the clock is empty', () => {
    assert.equal(judgeStart(life({}), { ...NOW, clock: 'wrong' }).off, null);
  });

  it('forgives a clock that was set back by less than a second', () => {
    assert.deepEqual(judgeStart(life({ aliveAt: NOON + 500 }), NOW).off, { from: NOON, to: NOON, took: 0 });
  });

  it('never tells of a time that ends before it begins', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), (aliveAt, startedAt) => {
        const { off } = judgeStart(life({ aliveAt }), { ...NOW, startedAt });
        assert.ok(off === null || (off.from <= off.to && off.took >= 0));
      }),
    );
  });

  it('is worth a message, unless Potion alone was restarted in order and soon back', () => {
    const restart = (more: Partial<Life>) =>
      judgeStart(life({ bootId: 'second', clean: true, ...more }), NOW);
    assert.equal(isWorthTelling(restart({ aliveAt: NOON - 5_000 }), ON_DEMAND), false);
    assert.equal(isWorthTelling(restart({ aliveAt: NOON - 5_000 }), { ...ON_DEMAND, restarts: true }), true);
    assert.equal(isWorthTelling(restart({ aliveAt: NOON - 301_000 }), ON_DEMAND), true);
    assert.equal(isWorthTelling(restart({ aliveAt: NOON - 5_000, clean: false }), ON_DEMAND), true);
    assert.equal(isWorthTelling(judgeStart(life({ clean: true }), NOW), ON_DEMAND), true);
    assert.equal(isWorthTelling(judgeStart(undefined, NOW), ON_DEMAND), true);
  });
});

describe('whether a boot was wanted', () => {
  const request = { id: 'cb:1', user: 42, chat: 42, command: 'reboot', args: [], startedAt: 0 };
  const intent = (more: Partial<PowerIntent> = {}): PowerIntent => ({
    action: 'reboot',
    phase: 'begun',
    at: NOON - 45_000,
    bootId: 'first',
    request,
    ...more,
  });
  const boot = judgeStart(life({ clean: true }), NOW);

  it('is so when the machine was asked to go down in the boot before, by whom and how long it took', () => {
    assert.deepEqual(askedFor(boot, intent()), { action: 'reboot', user: 42, took: 45 });
    const wrong = judgeStart(life({ clean: true }), { ...NOW, clock: 'wrong' });
    assert.deepEqual(askedFor(wrong, intent()), { action: 'reboot', user: 42, took: null });
  });

  it('is not so for a countdown, a restart of Potion alone, or without such a wish', () => {
    assert.equal(askedFor(boot, undefined), undefined);
    assert.equal(askedFor(boot, intent({ phase: 'countdown' })), undefined);
    assert.equal(askedFor(boot, intent({ bootId: 'second' })), undefined);
    assert.equal(askedFor(judgeStart(life({ bootId: 'second' }), NOW), intent()), undefined);
  });
});

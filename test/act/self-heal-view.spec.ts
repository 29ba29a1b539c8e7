import assert from 'node:assert/strict';
import { type Heal, IDLE } from '../../nodes/act/self-heal/heal.js';
import { summaryOf } from '../../nodes/act/self-heal/status.js';
import { type Circumstances, viewOf } from '../../nodes/act/self-heal/view.js';
import { ownUnit, unitOfCgroup } from '../../nodes/host/own-unit.js';
import { type UnitProps, unitState } from '../../nodes/host/unit-state.js';

const AROUND: Circumstances = {
  whitelist: ['nginx.service'],
  ownUnit: 'potion.service',
  stoppedByAdmin: false,
  healEnded: false,
};
const RAN = { InvocationID: Buffer.from('ab', 'hex'), ConditionResult: true };
const look = (props: UnitProps, around: Partial<Circumstances> = {}, unit = 'nginx.service') =>
  viewOf(unitState(unit, { Id: unit, LoadState: 'loaded', Type: 'simple', ...RAN, ...props }), {
    ...AROUND,
    ...around,
  });
const FAILED = { ActiveState: 'failed', SubState: 'failed', Result: 'exit-code' };
const ENDED = { ActiveState: 'inactive', SubState: 'dead', Result: 'success' };

describe('self-heal looks at a unit', () => {
  it('that failed', () => {
    assert.deepEqual(look(FAILED), { sight: 'failed', exempt: undefined, limitHit: false, auto: false });
    assert.equal(look({ ...FAILED, Result: 'start-limit-hit' }).limitHit, true);
  });

  it('that runs, or did its work and counts as up', () => {
    for (const SubState of ['running', 'exited'])
      assert.equal(look({ ActiveState: 'active', SubState }).sight, 'up');
    assert.equal(look({ ActiveState: 'reloading', SubState: 'reload' }).sight, 'up');
  });

  it('that systemd is busy with', () => {
    const view = look({ ActiveState: 'activating', SubState: 'auto-restart' });
    assert.deepEqual([view.sight, view.auto], ['busy', true]);
    assert.deepEqual(look({ ActiveState: 'deactivating', SubState: 'stop-sigterm' }).auto, false);
  });

  it('that ended without an error: off, or failed where that is to be healed', () => {
    assert.equal(look(ENDED).sight, 'off');
    assert.equal(look(ENDED, { healEnded: true }).sight, 'failed');
  });

  it('that never ran, was kept from starting, is a job or was stopped: off in any case', () => {
    const healEnded = true;
    assert.equal(look({ ...ENDED, InvocationID: Buffer.alloc(0) }, { healEnded }).sight, 'off');
    const unmet = { ...ENDED, ConditionResult: false, ConditionTimestamp: 1n };
    assert.equal(look(unmet, { healEnded }).sight, 'off');
    assert.equal(look({ ...ENDED, Type: 'oneshot' }, { healEnded }).sight, 'off');
    assert.equal(look(ENDED, { healEnded, stoppedByAdmin: true }).sight, 'off');
  });

  for (const [exempt, props, around, unit] of [
    ['admin', FAILED, { stoppedByAdmin: true }],
    ['masked', { ...FAILED, LoadState: 'masked' }, {}],
    ['missing', { ...FAILED, LoadState: 'not-found' }, {}],
    ['oneshot', { ...FAILED, Type: 'oneshot' }, {}],
    ['broken', { ...ENDED, LoadState: 'bad-setting', LoadError: ['x', 'no ExecStart'] }, {}],
    ['not-listed', FAILED, { whitelist: [] }],
    ['own', FAILED, { whitelist: ['potion.service'] }, 'potion.service'],
  ] as const)
    it(`that failed and is left alone: ${exempt}`, () => {
      const view = look(props, around, unit);
      assert.deepEqual([view.sight, view.exempt], ['failed', exempt]);
    });
});

describe('Potion’s own unit', () => {
  it('is read from the control group of the process', () => {
    assert.equal(unitOfCgroup('0::/system.slice/potion.service\n'), 'potion.service');
    assert.equal(unitOfCgroup('0::/system.slice/potion.service/inner\n'), 'potion.service');
    const user = '0::/user.slice/user-1000.slice/user@1000.service/app.slice/potion.service\n';
    assert.equal(unitOfCgroup(user), 'user@1000.service');
    assert.equal(unitOfCgroup('1:name=systemd:/system.slice/potion.service\n2:cpu:/\n'), 'potion.service');
  });

  it('is none in a shell or where there are no control groups', () => {
    assert.equal(unitOfCgroup('0::/user.slice/user-0.slice/session-1.scope\n'), undefined);
    assert.equal(unitOfCgroup(''), undefined);
    assert.equal(ownUnit('/nonexistent'), undefined);
  });
});

describe('self-heal shows', () => {
  const LIMITS = {
    tries: 3,
    window: 1,
    backoff: 1,
    growth: 1,
    longestWait: 1,
    stable: 1,
    patience: 1,
    coolDown: 1,
  };
  const heal = (phase: Heal['phase'], more: object = {}): Heal => ({
    ...IDLE,
    phase,
    episode: { since: 0, tries: 2, told: 1, ...more },
  });
  const shown = (states: Record<string, Heal>) => summaryOf(new Map(Object.entries(states)), LIMITS);

  it('that all is well, also while systemd itself is busy', () => {
    assert.equal(shown({}).key, 'well');
    assert.equal(shown({ 'a.service': { phase: 'settling', restarts: [] } }).key, 'well');
  });

  it('the weightiest of what is going on, and how much more there is', () => {
    const states = {
      'a.service': heal('left'),
      'b.service': heal('waiting'),
      'c.service': heal('proving', { gaveUp: 1 }),
    };
    const { fill, key, data } = shown(states);
    assert.deepEqual([fill, key, data.unit, data.more], ['red', 'gave-up', 'c', 2]);
    const { 'c.service': _, ...rest } = states;
    assert.deepEqual([shown(rest).key, shown(rest).data.try], ['busy', 2]);
  });
});

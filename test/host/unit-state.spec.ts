import assert from 'node:assert/strict';
import fc from 'fast-check';
import { BusError } from '../../nodes/host/dbus.js';
import { hitStartLimit, isPassing } from '../../nodes/host/start-limit.js';
import { checkedUnit } from '../../nodes/host/systemd.js';
import { jobFailure, refusal } from '../../nodes/host/systemd-errors.js';
import {
  conditionOf,
  countHealth,
  type UnitProps,
  unitPath,
  unitState,
} from '../../nodes/host/unit-state.js';
import { unitName } from '../../nodes/kit/config.js';
import { PotionError } from '../../nodes/kit/errors.js';
import { LANGUAGES, render } from '../../nodes/kit/locale.js';

const UP: UnitProps = { LoadState: 'loaded', ActiveState: 'active', SubState: 'running', Result: 'success' };

describe('the condition of a unit', () => {
  const cases: [string, UnitProps, string][] = [
    ['runs', {}, 'active'],
    ['is mounted', { SubState: 'mounted' }, 'active'],
    ['waits as a timer', { SubState: 'waiting' }, 'active'],
    ['has done its work and stays up', { SubState: 'exited' }, 'exited'],
    ['reloads', { ActiveState: 'reloading', SubState: 'reload' }, 'reloading'],
    ['is on its way up', { ActiveState: 'activating', SubState: 'start-pre' }, 'activating'],
    ['waits for its restart', { ActiveState: 'activating', SubState: 'auto-restart' }, 'auto-restart'],
    [
      'waits for its restart, newer',
      { ActiveState: 'activating', SubState: 'auto-restart-queued' },
      'auto-restart',
    ],
    ['is on its way down', { ActiveState: 'deactivating', SubState: 'stop-sigterm' }, 'deactivating'],
    ['is down', { ActiveState: 'inactive', SubState: 'dead' }, 'inactive'],
    ['has failed', { ActiveState: 'failed', SubState: 'failed', Result: 'exit-code' }, 'failed'],
    ['ran into its limit', { ActiveState: 'failed', Result: 'start-limit-hit' }, 'start-limit-hit'],
    ['has an unusable file', { LoadState: 'bad-setting', ActiveState: 'inactive' }, 'failed'],
    ['does not exist', { LoadState: 'not-found', ActiveState: 'inactive' }, 'missing'],
    ['lost its file after it failed', { LoadState: 'not-found', ActiveState: 'failed' }, 'missing'],
    ['lost its file while it runs', { LoadState: 'not-found' }, 'active'],
    ['is masked', { LoadState: 'masked', ActiveState: 'inactive' }, 'masked'],
    ['was masked while it runs', { LoadState: 'masked' }, 'active'],
    ['says nothing', { LoadState: undefined, ActiveState: undefined }, 'inactive'],
  ];
  for (const [what, props, condition] of cases)
    it(`is "${condition}" when it ${what}`, () => assert.equal(conditionOf({ ...UP, ...props }), condition));

  it('counts a oneshot that is down as well, and any other as off', () => {
    const down = { ...UP, ActiveState: 'inactive', SubState: 'dead' };
    assert.equal(unitState('a.service', { ...down, Type: 'oneshot' }).health, 'ok');
    assert.equal(unitState('a.service', { ...down, Type: 'simple' }).health, 'off');
    const states = ['oneshot', 'simple', 'simple'].map((Type) => unitState('a.service', { ...down, Type }));
    assert.deepEqual(countHealth(states), { ok: 1, busy: 0, off: 2, failed: 0, missing: 0 });
  });

  it('has words and a badge in every language', () => {
    const conditions = [...new Set(cases.map(([, , condition]) => condition))];
    assert.equal(conditions.length, 11);
    for (const lang of LANGUAGES)
      for (const condition of conditions) {
        const words = render(lang, `unit.condition.${condition}`);
        assert.notEqual(words, `unit.condition.${condition}`);
        const line = render(lang, 'unit.line', { condition, unit: 'a', words });
        assert.match(line, /^(🟢|🟡|🔴|⚪|🚫|❓) <b>a<\/b> /u);
      }
  });

  it('is put into plain values, whatever systemd leaves out', () => {
    const state = unitState('nick.service', {
      ...UP,
      Id: 'name.service',
      StateChangeTimestamp: 1_700_000_000_123_456,
      InvocationID: Buffer.from('00ff', 'hex'),
      LoadError: ['', ''],
    });
    assert.partialDeepStrictEqual(state, {
      unit: 'nick.service',
      id: 'name.service',
      since: 1_700_000_000_123,
      invocation: '00ff',
      restarts: 0,
      type: '',
    });
    assert.deepEqual(JSON.parse(JSON.stringify(state)), state);
  });
});

// Figures as seen on systemd 252, µs since boot.
const failed = { ...UP, ActiveState: 'failed', SubState: 'failed', Result: 'exit-code' };
const ends = (exit: number, down: number, changed: number) => ({
  ExecMainExitTimestampMonotonic: exit,
  InactiveEnterTimestampMonotonic: down,
  StateChangeTimestampMonotonic: changed,
});

describe('the start limit', () => {
  const loop = {
    Restart: 'on-failure',
    RestartUSec: 50_000,
    NRestarts: 5,
    ExecMainCode: 1,
    ExecMainStatus: 1,
  };

  it('was hit when the state changed after the unit had gone down: a start was refused', () => {
    assert.equal(hitStartLimit({ ...failed, ...loop, ...ends(1_000_000, 1_228_102, 1_228_622) }), true);
    assert.equal(hitStartLimit({ ...failed, Restart: 'no', ...ends(1_000_000, 1_000_133, 1_030_056) }), true);
  });

  it('was hit when systemd waited for the restart and did not do it (254 and later)', () => {
    assert.equal(hitStartLimit({ ...failed, ...loop, ...ends(1_000_000, 1_060_000, 1_060_000) }), true);
  });

  it('was not hit by a service that failed once, or while it was stopped', () => {
    assert.equal(
      hitStartLimit({ ...failed, Restart: 'no', ...ends(1_000_000, 1_000_142, 1_000_142) }),
      false,
    );
    assert.equal(hitStartLimit({ ...failed, ...loop, ...ends(1_000_000, 1_000_537, 1_000_537) }), false);
  });

  it('was not hit by a service that Restart= does not cover, or that could not even be tried', () => {
    const waited = ends(1_000_000, 1_060_000, 1_060_000);
    assert.equal(hitStartLimit({ ...failed, ...loop, Restart: 'on-abort', ...waited }), false);
    const exempt = { RestartPreventExitStatus: [[1], []] };
    assert.equal(hitStartLimit({ ...failed, ...loop, ...exempt, ...waited }), false);
    assert.equal(hitStartLimit({ ...failed, Result: 'resources', ...ends(0, 1_000_000, 2_000_000) }), false);
  });
});

describe('a state on the way', () => {
  it('is what a service with Restart= shows for an instant, or a unit with a job', () => {
    assert.equal(isPassing({ ...failed, Restart: 'always' }), true);
    assert.equal(isPassing({ ...failed, Restart: 'no', Job: [7, '/job/7'] }), true);
    assert.equal(isPassing({ ...failed, Restart: 'no', Job: [0, '/'] }), false);
    assert.equal(isPassing({ ...failed }), false);
    assert.equal(isPassing({ ...UP, Restart: 'always', Job: [7, '/job/7'] }), false);
  });
});

describe('the name of a unit', () => {
  it('is a service unless it says otherwise', () => {
    const names = { nginx: 'nginx.service', 'php8.2-fpm': 'php8.2-fpm.service', 'web@1': 'web@1.service' };
    for (const [name, unit] of Object.entries(names)) assert.equal(unitName(name), unit);
    for (const name of ['a.timer', '-.mount', '-.slice', 'dev-sda1.swap', 'a\\x2db.mount', 'a@b@c.socket'])
      assert.equal(unitName(name), name);
  });

  it('is never an option, a path, a list or a line of a shell', () => {
    const bad = [
      '',
      '.',
      '--help',
      '-H host',
      '-a',
      'a;b',
      'a b',
      'a\nb',
      'a\n',
      '../x',
      '/etc/passwd',
      'a*',
      '$(id)',
    ];
    for (const name of [...bad, 'web@', '@', '@1.service', 'é', 'a\0', 'x'.repeat(250)])
      assert.equal(unitName(name), undefined, JSON.stringify(name));
    for (const name of [undefined, null, 7, ['nginx'], { unit: 'nginx' }, 'a;b'])
      assert.throws(
        () => checkedUnit(name),
        (thrown: PotionError) => thrown.code === 'INVALID',
      );
  });

  it('if it is taken, is one word of systemd’s letters and no option', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), (name) => {
        const unit = unitName(name);
        if (unit === undefined) return;
        assert.match(unit, /^(?!-[^.])[A-Za-z0-9:_.\\@-]+\.[a-z]+$/);
        assert.ok(unit.startsWith(name) && unit.length < 256);
      }),
    );
  });

  it('has a place on the bus, escaped as systemd does', () => {
    assert.equal(unitPath('a-b@1.service'), '/org/freedesktop/systemd1/unit/a_2db_401_2eservice');
    assert.equal(unitPath('1a.mount'), '/org/freedesktop/systemd1/unit/_31a_2emount');
  });
});

describe('what systemd refuses', () => {
  const code = (name: string) => {
    const error = refusal(new BusError(name, 'why'), 'a.service', 'restart');
    assert.ok(error instanceof PotionError);
    assert.notEqual(error.hint, '');
    return error.code;
  };

  it('is told apart by what can be done about it', () => {
    const bus = 'org.freedesktop.DBus.Error';
    const systemd = 'org.freedesktop.systemd1';
    assert.equal(code(`${bus}.AccessDenied`), 'DENIED');
    assert.equal(code(`${bus}.InteractiveAuthorizationRequired`), 'DENIED');
    assert.equal(code(`${systemd}.NoSuchUnit`), 'NOT_FOUND');
    assert.equal(code(`${systemd}.UnitMasked`), 'FAILED');
    assert.equal(code(`${systemd}.LoadFailed`), 'FAILED');
    assert.equal(code(`${systemd}.TransactionIsDestructive`), 'BUSY');
    assert.equal(code(`${bus}.ServiceUnknown`), 'UNAVAILABLE');
    assert.equal(code(`${systemd}.SomethingNew`), 'FAILED');
  });

  it('is left alone when it is no answer of systemd', () => {
    const own = new PotionError('TIMEOUT', 'errors.bus-timeout', { member: 'StartUnit', seconds: 10 });
    assert.equal(refusal(own, 'a.service', 'start'), own);
  });

  it('names what became of a job that was accepted', () => {
    const state = unitState('a.service', { ...failed, ExecMainStatus: 3 });
    const ended = (result: string) => jobFailure(result, 'restart', state).code;
    assert.equal(ended('canceled'), 'CANCELLED');
    assert.equal(ended('timeout'), 'TIMEOUT');
    assert.equal(ended('dependency'), 'FAILED');
    assert.match(jobFailure('failed', 'restart', state).message, /exit code 3/);
    const slow = unitState('a.service', { ...failed, Result: 'timeout' });
    assert.equal(jobFailure('failed', 'start', slow).code, 'TIMEOUT');
  });
});

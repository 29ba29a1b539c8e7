import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Condition, Health, UnitState } from '../../../nodes/host/unit-state.js';
import { type Facts, judge, LATE } from '../../../nodes/judge/overview/concerns.js';
import { remediesOf } from '../../../nodes/judge/overview/remedies.js';
import type { Incident } from '../../../nodes/kit/messages.js';

const NOW = Date.UTC(2026, 0, 5, 12);
const MINUTE = 60_000;

const unit = (name: string, health: Health, condition: Condition, since = 0) =>
  ({ unit: `${name}.service`, health, condition, since }) as UnitState;
const incident = (code: string, severity: Incident['severity'], minutes: number): Incident => ({
  id: `${code}@${minutes}`,
  code,
  severity,
  state: 'firing',
  since: NOW - minutes * MINUTE,
});
const facts = (more: Partial<Facts> = {}): Facts => ({
  now: NOW,
  missing: {},
  firing: [],
  silences: [],
  backlog: { count: 0 },
  ...more,
});
const names = (more: Partial<Facts>) =>
  judge(facts(more)).concerns.map(({ kind, name }) => `${kind} ${name}`.trim());
const level = (more: Partial<Facts>) => judge(facts(more)).level;

const RANK = { ok: 0, warning: 1, critical: 2 } as const;

const states = fc.constantFrom<[Health, Condition]>(
  ['ok', 'active'],
  ['ok', 'exited'],
  ['busy', 'activating'],
  ['busy', 'auto-restart'],
  ['off', 'inactive'],
  ['failed', 'failed'],
  ['failed', 'start-limit-hit'],
  ['missing', 'missing'],
);
const anyFacts: fc.Arbitrary<Facts> = fc.record({
  now: fc.constant(NOW),
  missing: fc.dictionary(
    fc.constantFrom('cpu', 'temperature', 'disk:/mnt/x', 'disk:/'),
    fc.constantFrom('first-sample', 'none', 'timeout', 'not-mounted', 'skipped', 'EIO'),
  ),
  services: fc.oneof(
    fc.constant(undefined),
    fc.constant(null),
    fc
      .uniqueArray(
        fc.tuple(fc.constantFrom('web', 'db', 'cron', 'mail'), states, fc.integer({ min: 0, max: 90 })),
        { selector: ([name]) => name },
      )
      .map((all) =>
        all.map(([name, [health, condition], ago]) => unit(name, health, condition, ago && NOW - ago)),
      ),
  ),
  firing: fc.array(
    fc
      .tuple(
        fc.constantFrom('cpu', 'disk:/', 'disk:/mnt/x', 'service:web.service', 'odd'),
        fc.constantFrom('info', 'warning', 'critical'),
        fc.integer({ min: 0, max: 90 }),
      )
      .map((parts) => incident(...(parts as [string, Incident['severity'], number]))),
  ),
  silences: fc.array(
    fc.constantFrom('cpu', 'disk', '*').map((code) => ({ code, until: NOW + MINUTE, user: null })),
    { maxLength: 2 },
  ),
  backlog: fc.oneof(
    fc.constant({ count: 0 }),
    fc.integer({ min: 0, max: 2 * LATE }).map((age) => ({ count: 3, oldest: NOW - age })),
  ),
});

describe('what a person should look at', () => {
  it('is nothing when nothing is wrong', () => {
    const calm = { services: [unit('web', 'ok', 'active'), unit('old', 'off', 'inactive')] };
    assert.deepEqual(judge(facts(calm)), { level: 'ok', concerns: [] });
    assert.equal(level({ missing: { cpu: 'first-sample', temperature: 'none' } }), 'ok');
    assert.equal(level({ firing: [incident('cpu', 'info', 5)] }), 'ok');
    assert.equal(level({ backlog: { count: 1, oldest: NOW - LATE + 1 } }), 'ok', 'it is on its way');
  });

  it('is a failed service first of all, and one that is missing or restarts in circles', () => {
    const services = [
      unit('gone', 'missing', 'missing'),
      unit('loop', 'busy', 'auto-restart', NOW - MINUTE),
      unit('web', 'failed', 'failed', NOW - MINUTE),
    ];
    assert.equal(level({ services }), 'critical');
    assert.deepEqual(names({ services }), [
      'service web.service',
      'service loop.service',
      'service gone.service',
    ]);
    assert.equal(level({ services: services.slice(0, 2) }), 'warning');
  });

  it('is every alert that rings, the longest first, one that is silenced last and never critical', () => {
    const firing = [
      incident('cpu', 'warning', 3),
      incident('disk:/', 'critical', 5),
      incident('memory', 'warning', 9),
    ];
    assert.deepEqual(names({ firing }), ['alert disk:/', 'alert memory', 'alert cpu']);
    const silences = [{ code: 'disk', until: NOW + MINUTE, user: 1 }];
    const { level, concerns } = judge(facts({ firing, silences }));
    assert.equal(level, 'warning');
    assert.deepEqual(concerns.at(-1), {
      level: 'warning',
      kind: 'alert',
      name: 'disk:/',
      since: NOW - 5 * MINUTE,
      silenced: true,
    });
  });

  it('names a failed service once, also where an alert watches it', () => {
    const firing = [incident('service:web.service', 'warning', 3)];
    assert.deepEqual(names({ firing, services: [unit('web', 'failed', 'failed')] }), ['service web.service']);
    assert.deepEqual(names({ firing, services: [unit('web', 'ok', 'active')] }), [
      'alert service:web.service',
    ]);
  });

  it('is a disk that is not there, what can’t be measured, systemd that can’t be asked, and mail that lies there', () => {
    const more = {
      missing: { 'disk:/mnt/dre': 'not-mounted', memory: 'EIO' },
      services: null,
      backlog: { count: 2, oldest: NOW - LATE },
    };
    assert.deepEqual(names(more), ['backlog', 'disk /mnt/dre', 'systemd', 'reading memory']);
    assert.equal(level(more), 'warning');
    assert.equal(level({ services: undefined }), 'ok', 'nobody has asked');
  });

  it('comes worst first, and the level is that of the worst', () => {
    fc.assert(
      fc.property(anyFacts, (any) => {
        const { level, concerns } = judge(any);
        const ranks = concerns.map((one) => RANK[one.level]);
        assert.deepEqual(
          ranks,
          ranks.toSorted((a, b) => b - a),
        );
        assert.equal(RANK[level], Math.max(0, ...ranks));
      }),
    );
  });

  it('is in the same order however the facts come', () => {
    fc.assert(
      fc.property(anyFacts, (any) => {
        const other = {
          ...any,
          services: any.services?.toReversed() ?? any.services,
          firing: any.firing.toReversed(),
          missing: Object.fromEntries(Object.entries(any.missing).reverse()),
        };
        assert.deepEqual(judge(other), judge(any));
      }),
    );
  });

  it('never gets better by more trouble, nor worse by a silence', () => {
    fc.assert(
      fc.property(anyFacts, (any) => {
        const before = RANK[judge(any).level];
        assert.ok(
          RANK[judge({ ...any, firing: [...any.firing, incident('more', 'warning', 1)] }).level] >= before,
        );
        const silenced = { ...any, silences: [{ code: '*', until: NOW + MINUTE, user: null }] };
        assert.ok(RANK[judge(silenced).level] <= before);
        assert.equal(judge(silenced).concerns.length, judge(any).concerns.length, 'nothing is hidden');
      }),
    );
  });
});

describe('where to go from there', () => {
  const all = () => true;
  const lines = (more: Partial<Facts>, exists = all) =>
    remediesOf(judge(facts(more)).concerns, exists).map(({ line }) => line);

  it('is the panel of a service, and the processes that take most', () => {
    const services = [unit('web', 'failed', 'failed')];
    const firing = [
      incident('cpu', 'warning', 9),
      incident('memory', 'warning', 5),
      incident('swap', 'warning', 4),
    ];
    assert.deepEqual(lines({ services, firing }), ['/services web.service', '/top cpu', '/top ram']);
    assert.deepEqual(lines({ firing: [incident('service:db.service', 'critical', 1)] }), [
      '/services db.service',
    ]);
    assert.deepEqual(lines({ firing: [incident('disk:/', 'critical', 1)] }), []);
  });

  it('is only what there is a command for', () => {
    const services = [unit('web', 'failed', 'failed')];
    assert.deepEqual(
      lines(
        { services, firing: [incident('cpu', 'warning', 1)] },
        ((name: string) => name === 'top') as never,
      ),
      ['/top cpu'],
    );
  });

  it('fits below a message', () => {
    const services = Array.from({ length: 30 }, (_, i) => unit(`s${i}`, 'failed', 'failed'));
    assert.equal(lines({ services }).length, 6);
  });
});

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type AlertConfig, ruleOf, withThreshold } from '../../nodes/judge/alert/rule.js';
import { parsePath, seriesOf, sourceOf } from '../../nodes/judge/alert/series.js';
import { parseQuantity } from '../../nodes/kit/quantity.js';
import { thresholdOf } from '../../nodes/state/thresholds.js';

const invalid = { code: 'INVALID' };

describe('the series of a message', () => {
  const disks = { '/': { ratio: 0.5 }, '/mnt/a.b': { ratio: 0.9 }, '/mnt/dead': {} };

  it('are one where the path names one', () => {
    const source = sourceOf('payload.cpu.load', 'cpu');
    assert.deepEqual(seriesOf(source, { payload: { cpu: { load: 0.5 } } }), [
      { code: 'cpu', name: '', value: 0.5 },
    ]);
    assert.deepEqual(seriesOf(source, { payload: {} }), [{ code: 'cpu', name: '', value: undefined }]);
  });

  it('are as many as there are entries where the path has a *', () => {
    const source = sourceOf('payload.disks.*.ratio', 'disk:{series}');
    assert.deepEqual(seriesOf(source, { payload: { disks } }), [
      { code: 'disk:/', name: '/', value: 0.5 },
      { code: 'disk:/mnt/a.b', name: '/mnt/a.b', value: 0.9 },
      { code: 'disk:/mnt/dead', name: '/mnt/dead', value: undefined },
    ]);
    assert.deepEqual(seriesOf(source, { payload: {} }), []);
  });

  it('are named by a property of the entry, or of the message', () => {
    const list = sourceOf('payload.*.condition', 'service:{item.unit}');
    assert.deepEqual(seriesOf(list, { payload: [{ unit: 'nginx.service', condition: 'failed' }] }), [
      { code: 'service:nginx.service', name: '0', value: 'failed' },
    ]);
    const event = sourceOf('payload.condition', 'service:{payload.unit}');
    assert.deepEqual(seriesOf(event, { payload: { unit: 'x.service', condition: 'active' } }), [
      { code: 'service:x.service', name: '', value: 'active' },
    ]);
    assert.throws(() => seriesOf(event, { payload: { condition: 'active' } }), invalid);
  });

  it('have no value where there is none that can be judged', () => {
    const source = sourceOf('payload', 'x');
    for (const payload of [undefined, null, {}, [], Number.NaN, Number.POSITIVE_INFINITY])
      assert.equal(seriesOf(source, { payload })[0]?.value, undefined);
    assert.equal(seriesOf(source, { payload: true })[0]?.value, 'true');
    assert.equal(seriesOf(source, { payload: 0 })[0]?.value, 0);
  });

  it('never reach what a message inherits', () => {
    assert.equal(seriesOf(sourceOf('payload.length', 'x'), { payload: 'abc' })[0]?.value, undefined);
    assert.equal(seriesOf(sourceOf('constructor.name', 'x'), {})[0]?.value, undefined);
  });

  it('need a code that fits: each series its own, and one that is always there for a single value', () => {
    for (const [property, code] of [
      ['payload.disks.*.ratio', 'disk'],
      ['payload.*.*', 'x:{series}'],
      ['payload.cpu', 'x:{series}'],
      ['payload.cpu', '{item.x}'],
      ['payload.cpu', ' '],
    ] as const)
      assert.throws(() => sourceOf(property, code), invalid, `${property} ${code}`);
    assert.equal(sourceOf('payload.cpu', 'cpu').only, 'cpu');
    assert.equal(sourceOf('payload.condition', 'service:{payload.unit}').isWhole, false);
    assert.equal(sourceOf('payload.disks.*.ratio', 'disk:{series}').isWhole, true);
  });

  it('are found by paths with dots and brackets; any name can be written in brackets', () => {
    assert.deepEqual(parsePath('payload.disks["/mnt/a.b"].ratio'), ['payload', 'disks', '/mnt/a.b', 'ratio']);
    assert.deepEqual(parsePath("payload['x y'][0]"), ['payload', 'x y', '0']);
    for (const text of ['', '.', 'a.', 'a..b', 'a[', 'a["x]', '.a', 'a b["c"'])
      assert.throws(() => parsePath(text), invalid, text);
    const name = fc.string({ minLength: 1 }).filter((text) => !text.includes('"'));
    fc.assert(
      fc.property(fc.array(name, { minLength: 1 }), (names) => {
        assert.deepEqual(parsePath(`payload${names.map((one) => `["${one}"]`).join('')}`), [
          'payload',
          ...names,
        ]);
      }),
    );
  });
});

describe('a quantity', () => {
  it('is what a person writes, in base units', () => {
    const written: Record<string, number> = {
      '0.9': 0.9,
      '90%': 0.9,
      '57 %': 0.57,
      '0,5': 0.5,
      '500 MB': 524_288_000,
      '1.5gb': 1_610_612_736,
      '85 °C': 85,
      '-5': -5,
      '1000': 1000,
      '12 B': 12,
    };
    for (const [text, value] of Object.entries(written)) assert.equal(parseQuantity(text), value, text);
  });

  it('is none when it makes no sense', () => {
    for (const text of ['', 'x', '1.2.3', '5 MB/s', '1e3', '--1', '%', 'NaN', 'Infinity', '1 000'])
      assert.equal(parseQuantity(text), undefined, text);
  });

  it('in percent is the nearest ratio, whole or not', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100_000 }), (n) => {
        assert.equal(parseQuantity(`${n / 100}%`), n / 10_000);
      }),
    );
  });
});

describe('a rule', () => {
  const config: AlertConfig = {
    version: 1,
    property: 'payload.x',
    code: 'x',
    label: '',
    unit: '',
    severity: 'warning',
    operator: 'above',
    threshold: '90%',
    clear: '',
    values: '',
    for: '300',
    keepFiring: 0,
    repeat: '',
    missing: 'resolve',
    missingAfter: 300,
  };

  it('is what the editor has saved, in milliseconds', () => {
    assert.deepEqual(ruleOf(config), {
      operator: 'above',
      threshold: 0.9,
      clear: undefined,
      for: 300_000,
      keepFiring: 0,
      repeat: 0,
      missing: 'resolve',
      missingAfter: 300_000,
    });
    const words = ruleOf({ ...config, operator: 'oneOf', values: ' failed , start-limit-hit,' });
    assert.deepEqual(words.threshold, ['failed', 'start-limit-hit']);
  });

  it('names the field that makes no sense', () => {
    for (const [field, value] of [
      ['threshold', 'a lot'],
      ['threshold', ''],
      ['clear', '95%'],
      ['for', '-1'],
      ['repeat', 'often'],
      ['operator', 'over'],
      ['severity', ''],
      ['missing', 'ignore'],
    ] as const)
      assert.throws(() => ruleOf({ ...config, [field]: value }), {
        ...invalid,
        message: `${field} can't be used: "${value}"`,
      });
    assert.throws(() => ruleOf({ ...config, operator: 'below', clear: '80%' }), invalid);
    assert.throws(() => ruleOf({ ...config, operator: 'oneOf', values: ' , ' }), invalid);
  });

  it('takes its hysteresis along to another threshold', () => {
    const rule = withThreshold(ruleOf({ ...config, threshold: '500', clear: '400' }), 300);
    assert.deepEqual([rule.threshold, rule.clear], [300, 200]);
    assert.equal(withThreshold(ruleOf(config), 0.5).clear, undefined);
  });
});

describe('a threshold', () => {
  const none = new Map();
  const of = (code: string, stored: Map<string, unknown>, env: Record<string, string> = {}) => {
    const { value, source } = thresholdOf(code, 0.9, stored, env);
    return [value, source];
  };

  it('is a person’s setting, or else the environment’s, or else the node’s', () => {
    assert.deepEqual(of('cpu', none), [0.9, 'default']);
    assert.deepEqual(of('cpu', none, { THRESHOLD_CPU: '95%' }), [0.95, 'env']);
    assert.deepEqual(of('cpu', new Map([['threshold.cpu', 0.8]]), { THRESHOLD_CPU: '95%' }), [
      0.8,
      'setting',
    ]);
  });

  it('is looked for under its own name first, then under that of its family', () => {
    const stored = new Map([
      ['threshold.disk', 0.8],
      ['threshold.disk:/', 0.7],
    ]);
    assert.deepEqual(of('disk:/', stored), [0.7, 'setting']);
    assert.deepEqual(of('disk:/mnt/x', stored), [0.8, 'setting']);
    const env = { THRESHOLD_DISK: '0.6', THRESHOLD_DISK_MNT_X: '0.5' };
    assert.deepEqual(of('disk:/', none, env), [0.6, 'env']);
    assert.deepEqual(of('disk:/mnt/x', none, env), [0.5, 'env']);
  });

  it('that makes no sense is passed over', () => {
    assert.deepEqual(of('cpu', new Map([['threshold.cpu', 'a lot']]), { THRESHOLD_CPU: '?' }), [
      0.9,
      'default',
    ]);
    assert.deepEqual(of('cpu', new Map([['threshold.cpu', null]])), [0.9, 'default']);
  });
});

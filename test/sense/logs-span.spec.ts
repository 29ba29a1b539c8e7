import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseSpan, parseTime, takeSpan } from '../../nodes/sense/logs/span.js';

/** A Friday, at half past two in the afternoon. */
const NOW = new Date(2026, 10, 20, 14, 30, 0).getTime();
const local = (...parts: [number, number, number, number?, number?, number?]) =>
  new Date(parts[0], parts[1] - 1, ...(parts.slice(2) as [number])).getTime();
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe('a time as people write it', () => {
  const times: Record<string, number> = {
    '1h': NOW - HOUR,
    '30m': NOW - 30 * MINUTE,
    '45s': NOW - 45_000,
    '2 jam': NOW - 2 * HOUR,
    '2 jam yang lalu': NOW - 2 * HOUR,
    '3 hours ago': NOW - 3 * HOUR,
    '1h30m': NOW - 90 * MINUTE,
    '1 jam 30 menit': NOW - 90 * MINUTE,
    '1,5 jam': NOW - 90 * MINUTE,
    '2d': NOW - 48 * HOUR,
    '1 minggu': NOW - 7 * 24 * HOUR,
    sekarang: NOW,
    now: NOW,
    Kemarin: local(2026, 11, 19),
    yesterday: local(2026, 11, 19),
    'hari ini': local(2026, 11, 20),
    'kemarin 10:00': local(2026, 11, 19, 10, 0),
    'kemarin 10.15': local(2026, 11, 19, 10, 15),
    '10:00': local(2026, 11, 20, 10, 0),
    '15:00': local(2026, 11, 19, 15, 0),
    '2026-11-20 10:00': local(2026, 11, 20, 10, 0),
    '2026-11-20 10:00:05': local(2026, 11, 20, 10, 0, 5),
    '2026-11-20T10:00': local(2026, 11, 20, 10, 0),
    '2026-11-20': local(2026, 11, 20),
    '2026-11-20T10:00:00Z': Date.UTC(2026, 10, 20, 10),
    '2026-11-20T10:00:00+07:00': Date.UTC(2026, 10, 20, 3),
    '2026-11-20 10:00:00.500+0700': Date.UTC(2026, 10, 20, 3) + 500,
  };
  for (const [text, time] of Object.entries(times))
    it(`${JSON.stringify(text)} is understood`, () => assert.equal(parseTime(text, NOW, 'since'), time));

  it('is not what only looks like one', () => {
    for (const text of [
      ...[
        '',
        'besok',
        'soon',
        '10',
        '-1h',
        '1x',
        'h',
        '25:00',
        '10:60',
        '2026-02-30',
        '2026-13-01',
        '2026-11-20 24:01',
      ],
      ...['constructor', '1 constructor', 'toString', '__proto__', '10:00:00:00', '--since=x', '1h; reboot'],
    ])
      assert.equal(parseTime(text, NOW, 'since'), undefined, text);
  });

  it('that is a day ends with it where it is an end', () => {
    assert.equal(parseTime('kemarin', NOW, 'until'), local(2026, 11, 20) - 1);
    assert.equal(parseTime('2026-11-01', NOW, 'until'), local(2026, 11, 2) - 1);
    assert.equal(parseTime('kemarin 10:00', NOW, 'until'), local(2026, 11, 19, 10, 0));
  });

  it('is so long ago as is said, in any unit', () => {
    const units = fc.constantFrom<[string, number]>(['s', 1], ['menit', 60], ['h', 3600], [' hari', 86_400]);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9999 }), units, (count, [unit, seconds]) => {
        assert.equal(parseTime(`${count}${unit}`, NOW, 'since'), NOW - count * seconds * 1000);
      }),
    );
  });

  it('is read back from how it is written, to the second', () => {
    const moment = fc
      .integer({ min: local(2000, 1, 1), max: local(2100, 1, 1) })
      .map((at) => at - (at % 1000));
    fc.assert(
      fc.property(moment, (at) => {
        const date = new Date(at);
        const two = (value: number) => String(value).padStart(2, '0');
        const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
        const clock = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
        assert.equal(parseTime(`${day} ${clock}`, NOW, 'since'), at);
        assert.equal(parseTime(date.toISOString(), NOW, 'since'), at);
      }),
    );
  });

  it('of day is never in the future', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }), (hour, minute) => {
        const time = parseTime(`${hour}:${String(minute).padStart(2, '0')}`, NOW, 'since') ?? Number.NaN;
        assert.ok(time <= NOW && time > NOW - 25 * HOUR);
        assert.equal(new Date(time).getHours(), hour);
      }),
    );
  });
});

describe('a span of time', () => {
  const since = NOW - HOUR;
  const until = NOW - 30 * MINUTE;
  const spans: Record<string, object> = {
    '': {},
    '1h': { since },
    '1h..30m': { since, until },
    '1h ... 30m': { since, until },
    '..30m': { until },
    '1h..': { since },
    'since=1h until=30m': { since, until },
    'until=30m since=1h': { since, until },
    'sejak=1h sampai=30m': { since, until },
    'since="2026-11-20 10:00"': { since: local(2026, 11, 20, 10, 0) },
    'since=2026-11-20 10:00 until=2026-11-20 11:00': {
      since: local(2026, 11, 20, 10, 0),
      until: local(2026, 11, 20, 11, 0),
    },
    kemarin: { since: local(2026, 11, 19) },
    'kemarin..kemarin': { since: local(2026, 11, 19), until: local(2026, 11, 20) - 1 },
  };
  for (const [text, span] of Object.entries(spans))
    it(`${JSON.stringify(text)} is understood`, () => assert.deepEqual(parseSpan(text, NOW), span));

  it('is not one that ends before it begins, or makes no sense', () => {
    for (const text of ['30m..1h', 'a..b', '1h..30m..10m', 'since=x', '1h since=2h', 'besok', 'since='])
      assert.equal(parseSpan(text, NOW), undefined, text);
  });

  it('is taken out of what is searched for', () => {
    const found = (text: string) => takeSpan(text, NOW);
    assert.deepEqual(found('disk full since=1h'), { rest: 'disk full', span: { since } });
    assert.deepEqual(found('since=1h disk  full until=30m'), { rest: 'disk  full', span: { since, until } });
    assert.deepEqual(found('/a since=b/'), undefined);
    assert.deepEqual(found('plain 10:00 text'), { rest: 'plain 10:00 text', span: {} });
  });

  it('never throws, and never ends before it begins', () => {
    const words = fc.constantFrom(
      '1h',
      'since=',
      'until=',
      '..',
      ' ',
      '2026-11-20',
      '10:00',
      '"',
      'kemarin',
      'x',
      '30m',
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(words).map((all) => all.join('')),
    );
    fc.assert(
      fc.property(text, (text) => {
        const span = parseSpan(text, NOW);
        takeSpan(text, NOW);
        if (span?.since !== undefined && span.until !== undefined) assert.ok(span.since <= span.until);
      }),
      { numRuns: 2000 },
    );
  });
});

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isQuiet, isWithin, parseQuiet, parseTimeOfDay } from '../../nodes/kit/time-of-day.js';

const two = (value: number) => String(value).padStart(2, '0');
const time = fc
  .tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
  .map(([hour, minute]) => `${two(hour)}:${two(minute)}`);
/** Epoch ms of a local time of day. */
const at = (hour: number, minute: number) => new Date(2026, 0, 15, hour, minute).getTime();

describe('a time of day', () => {
  it('is read with a colon, a full stop or a comma', () => {
    for (const text of ['02:30', '02.30', '02,30', '2:30', ' 2.30 '])
      assert.equal(parseTimeOfDay(text), '02:30');
    assert.equal(parseTimeOfDay('7'), '07:00');
    assert.equal(parseTimeOfDay('23:59'), '23:59');
  });

  it('is nothing else', () => {
    for (const text of [
      '',
      '24:00',
      '12:60',
      '2:3',
      '2:300',
      '-1:00',
      '1e1',
      '２:30',
      '02:30:00',
      '02 30',
      'now',
    ])
      assert.equal(parseTimeOfDay(text), undefined, text);
  });

  it('comes back as it was written, whatever stands between', () => {
    fc.assert(
      fc.property(time, fc.constantFrom(':', '.', ','), (written, sign) => {
        assert.equal(parseTimeOfDay(written.replace(':', sign)), written);
      }),
    );
  });

  it('never throws, and what is read reads the same again', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' })), (text) => {
        const read = parseTimeOfDay(text);
        if (read !== undefined) assert.equal(parseTimeOfDay(read), read);
      }),
    );
  });
});

describe('quiet hours', () => {
  it('are two times with a dash or a space between', () => {
    for (const text of ['22:00-06:00', '22.00 – 6.00', '22 6', '22,00  06,00'])
      assert.deepEqual(parseQuiet(text), { from: '22:00', to: '06:00' }, text);
    for (const text of ['22:00', '22:00-22:00', '22-6-8', '25-6', '', 'off'])
      assert.equal(parseQuiet(text), undefined, text);
  });

  it('go past midnight, and end when they end', () => {
    const night = { from: '22:00', to: '06:00' };
    const inside = [at(22, 0), at(23, 59), at(0, 0), at(5, 59)];
    const outside = [at(6, 0), at(12, 0), at(21, 59)];
    for (const moment of inside) assert.ok(isWithin(night, moment));
    for (const moment of outside) assert.ok(!isWithin(night, moment));
    assert.ok(isWithin({ from: '13:00', to: '14:00' }, at(13, 30)));
    assert.ok(!isWithin({ from: '13:00', to: '14:00' }, at(14, 0)));
  });

  it('and the hours that they leave out fill the day, never both at once', () => {
    fc.assert(
      fc.property(time, time, fc.integer({ min: 0, max: 1439 }), (from, to, minute) => {
        fc.pre(from !== to);
        const moment = at(Math.floor(minute / 60), minute % 60);
        assert.notEqual(isWithin({ from, to }, moment), isWithin({ from: to, to: from }, moment));
      }),
    );
  });

  it('are known again as they are kept, and nothing else is taken for them', () => {
    assert.ok(isQuiet({ from: '22:00', to: '06:00' }));
    for (const value of [
      null,
      undefined,
      1,
      'x',
      {},
      { from: '22:00' },
      { from: '22.00', to: '06:00' },
      { from: 5, to: 6 },
    ])
      assert.ok(!isQuiet(value), JSON.stringify(value));
  });
});

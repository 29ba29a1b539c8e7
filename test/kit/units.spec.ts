import assert from 'node:assert/strict';
import { bytes, clockTime, duration, gauge, number, percent, when } from '../../nodes/kit/units.js';

describe('units', () => {
  it('writes bytes in the reader’s notation', () => {
    assert.equal(bytes(0, 'id'), '0\u00a0B');
    assert.equal(bytes(1536, 'id'), '1,5\u00a0KB');
    assert.equal(bytes(1536, 'en-US'), '1.5\u00a0KB');
    assert.equal(bytes(500 * 1024 ** 3, 'id'), '500\u00a0GB');
    assert.equal(bytes(-2048, 'en-US'), '-2\u00a0KB');
  });

  it('writes ratios as percent', () => {
    assert.equal(percent(0.914, 'id'), '91%');
    assert.equal(percent(0.914, 'id', 1), '91,4%');
  });

  it('writes durations with their two largest parts', () => {
    assert.equal(duration(0, 'id'), '0 detik');
    assert.equal(duration(93_784, 'id'), '1 hari 2 jam');
    assert.equal(duration(93_784, 'en-US'), '1 day 2 hours');
    assert.equal(duration(61, 'en-US'), '1 minute 1 second');
    assert.equal(duration(86_400 + 59, 'id'), '1 hari');
    assert.equal(duration(-5, 'id'), '0 detik');
  });

  it('draws a gauge that stays inside its ten blocks', () => {
    assert.equal(gauge(0.42), '▰▰▰▰▱▱▱▱▱▱');
    assert.equal(gauge(7), '▰▰▰▰▰▰▰▰▰▰');
    assert.equal(gauge(-1), '▱▱▱▱▱▱▱▱▱▱');
  });

  it('writes times of day with 24 hours', () => {
    const evening = Date.UTC(2026, 10, 20, 21, 5);
    assert.equal(clockTime(evening, 'id', 'UTC'), '21.05');
    assert.equal(clockTime(evening, 'en-US', 'UTC'), '21:05');
    assert.equal(when(evening, 'id', 'Asia/Jakarta'), '21 Nov 2026, 04.05');
    assert.equal(number(1234.56, 'id'), '1.234,6');
  });
});

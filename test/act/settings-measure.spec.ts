import assert from 'node:assert/strict';
import fc from 'fast-check';
import { boundsOf, readMeasure, stepped, stepsOf, writeMeasure } from '../../nodes/act/settings/measure.js';
import { argument, shifted } from '../../nodes/act/settings/views.js';
import { splitArgs } from '../../nodes/tell/gate/parse.js';

const MB = 2 ** 20;
const UNITS = ['ratio', 'bytes', 'rate', 'celsius', 'seconds', 'number', ''];
const MEMORY = 8 * 2 ** 30;

describe('a threshold as a person writes it', () => {
  it('is a share in percent or as a number up to 1', () => {
    for (const text of ['90%', '0.9', '0,9', '90', ' 90 % ', '90 persen'])
      assert.equal(readMeasure(text, 'ratio'), 0.9, text);
    assert.equal(readMeasure('1', 'ratio'), 1);
    assert.equal(readMeasure('57%', 'ratio'), 0.57);
  });

  it('is a size, a rate, degrees or a time with its unit', () => {
    assert.equal(readMeasure('500 MB', 'bytes'), 500 * MB);
    assert.equal(readMeasure('500mib', 'bytes'), 500 * MB);
    assert.equal(readMeasure('1,5G', 'bytes'), 1.5 * 2 ** 30);
    assert.equal(readMeasure('10 MB/s', 'rate'), 10 * MB);
    for (const text of ['85', '85°C', '85 c', '85 derajat'])
      assert.equal(readMeasure(text, 'celsius'), 85, text);
    assert.equal(readMeasure('5 menit', 'seconds'), 300);
    assert.equal(readMeasure('2h', 'seconds'), 7200);
    assert.equal(readMeasure('-3', 'number'), -3);
  });

  it('is not of another unit, nor anything else', () => {
    const wrong = [
      ['500 MB', 'ratio'],
      ['90%', 'bytes'],
      ['90%', 'celsius'],
      ['85°F', 'celsius'],
      ['5 weeks', 'seconds'],
      ['5 constructor', 'seconds'],
      ['5 toString', 'bytes'],
      ['9%', ''],
      ['', 'ratio'],
      ['NaN', ''],
      ['1e9', ''],
      ['0x10', 'bytes'],
      ['1 2', 'ratio'],
    ] as const;
    for (const [text, unit] of wrong) assert.equal(readMeasure(text, unit), undefined, `${text} as ${unit}`);
  });

  it('never throws, and is finite or nothing', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.string({ unit: 'binary' })),
        fc.constantFrom(...UNITS),
        (text, unit) => {
          const value = readMeasure(text, unit);
          assert.ok(value === undefined || Number.isFinite(value));
        },
      ),
    );
  });
});

describe('the steps of a threshold', () => {
  const codes = ['cpu', 'memory', 'disk:/', 'temperature', 'swap', 'load', 'other'];

  it('stay within the bounds, and what a button writes is read back as the very same value', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...codes),
        fc.constantFrom(...UNITS),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 20 }),
        (code, unit, start, presses) => {
          const bounds = boundsOf(code, unit, MEMORY);
          const [fine, coarse] = stepsOf(unit);
          let value = Number((bounds.min + start * (bounds.max - bounds.min)).toPrecision(12));
          for (const press of presses) {
            value = stepped(value, [-coarse, -fine, fine, coarse][press] ?? fine, bounds);
            assert.ok(value >= bounds.min && value <= bounds.max, `${value}`);
            // A ratio above 1 is only possible where the bounds are not those of a ratio.
            if (unit !== 'ratio' || bounds.max <= 1) {
              const read = readMeasure(writeMeasure(value, unit), unit);
              assert.ok(
                Math.abs((read ?? Number.NaN) - value) <= Math.abs(value) * 1e-9,
                `${value} as ${unit}`,
              );
            }
          }
        },
      ),
    );
  });

  it('go up and down by the step, and to whole steps from in between', () => {
    const bounds = { min: 0.1, max: 1 };
    assert.equal(stepped(0.9, 0.1, bounds), 1);
    assert.equal(stepped(0.9, -0.01, bounds), 0.89);
    assert.equal(stepped(0.873, 0.1, bounds), 0.9);
    assert.equal(stepped(0.873, -0.1, bounds), 0.8);
    assert.equal(stepped(0.1, -0.1, bounds), 0.1);
  });
});

describe('the bounds of a threshold', () => {
  it('fit what is measured', () => {
    assert.deepEqual(boundsOf('cpu', 'ratio', MEMORY), { min: 0.1, max: 1 });
    assert.deepEqual(boundsOf('temperature', 'celsius', MEMORY), { min: 40, max: 110 });
    assert.deepEqual(boundsOf('memory', 'bytes', MEMORY), { min: 50 * MB, max: MEMORY });
    assert.deepEqual(boundsOf('disk:/mnt/x', 'ratio', MEMORY), { min: 0.1, max: 0.99 });
  });
});

describe('a button’s command line', () => {
  it('gives back the argument that was put in, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, maxLength: 40 }).filter((text) => text.trim() !== ''),
        (text) => {
          assert.deepEqual(splitArgs(argument(text)), [text]);
        },
      ),
    );
  });

  it('moves a time of day around the clock', () => {
    assert.equal(shifted('23:30', 60), '00:30');
    assert.equal(shifted('00:10', -15), '23:55');
  });
});

import assert from 'node:assert/strict';
import { Tally } from '../../../nodes/tell/gate/tally.js';

describe('the tally of refusals', () => {
  it('writes the first of a kind, counts the rest, and gives the count when the window is over', () => {
    const tally = new Tally(1000, 10);
    assert.equal(tally.note('666', 0), '666');
    for (let at = 1; at <= 500; at++) assert.equal(tally.note('666', at), undefined);
    assert.deepEqual(tally.ended(999), []);
    assert.deepEqual(tally.ended(1000), [{ key: '666', times: 500 }]);
    assert.deepEqual(tally.ended(5000), []);
    assert.equal(tally.note('666', 5000), '666');
  });

  it('puts an army of different strangers under one key', () => {
    const tally = new Tally(1000, 3);
    const written = Array.from({ length: 10_000 }, (_, i) => tally.note(`stranger ${i}`, 0)).filter(Boolean);
    assert.deepEqual(written, ['stranger 0', 'stranger 1', 'stranger 2', 'others']);
    assert.deepEqual(tally.ended(1000), [{ key: 'others', times: 9996 }]);
  });

  it('gives everything at the end', () => {
    const tally = new Tally(1000, 3);
    tally.note('a', 0);
    tally.note('a', 1);
    tally.note('b', 1);
    assert.deepEqual(tally.ended(Number.POSITIVE_INFINITY), [{ key: 'a', times: 1 }]);
  });
});

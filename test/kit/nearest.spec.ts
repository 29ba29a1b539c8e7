import assert from 'node:assert/strict';
import fc from 'fast-check';
import { distance, nearest } from '../../nodes/kit/nearest.js';

const COMMANDS = ['status', 'services', 'svc', 'svc_list', 'help', 'start', 'reboot', 'backup_now'];

describe('the nearest command', () => {
  const meant = {
    stauts: 'status',
    sttus: 'status',
    svs: 'svc',
    rebbot: 'reboot',
    backupnow: 'backup_now',
    hlep: 'help',
  };
  for (const [word, command] of Object.entries(meant))
    it(`to ${word} is ${command}`, () => assert.equal(nearest(word, COMMANDS), command));
  for (const word of ['', 'x', 'zzz', 'completely', 'a'.repeat(4000)])
    it(`to ${JSON.stringify(word.slice(0, 12))} is none`, () =>
      assert.equal(nearest(word, COMMANDS), undefined));

  it('is measured by a distance: zero for the same, the same both ways, at most the longer length', () => {
    const word = fc.string({ maxLength: 12 });
    fc.assert(
      fc.property(word, word, (a, b) => {
        assert.equal(distance(a, b), distance(b, a));
        assert.equal(distance(a, b) === 0, a === b);
        assert.ok(distance(a, b) >= Math.abs(a.length - b.length));
        assert.ok(distance(a, b) <= Math.max(a.length, b.length));
      }),
    );
  });
});

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseJournal } from '../../nodes/host/journalctl.js';

const entry = (fields: object) => JSON.stringify({ __REALTIME_TIMESTAMP: '1767225600123456', ...fields });
const messageOf = (field: unknown) => parseJournal(entry({ MESSAGE: field }))[0]?.message;

describe('journalctl', () => {
  it('reads time, words, weight and author of each line', () => {
    const output = [
      entry({ MESSAGE: 'one', PRIORITY: '3', SYSLOG_IDENTIFIER: 'nginx' }),
      entry({ MESSAGE: 'two' }),
    ].join('\n');
    assert.deepEqual(parseJournal(output), [
      { at: 1767225600123, message: 'one', priority: 3, from: 'nginx' },
      { at: 1767225600123, message: 'two', priority: 6, from: '' },
    ]);
  });

  it('reads a message that is not plain text, as an array of bytes', () => {
    assert.equal(messageOf([...Buffer.from('kopi \u{1b}[31mpanas\u{1b}[0m')]), 'kopi panas');
    assert.equal(messageOf([0xff, 0x41]), '\ufffdA');
  });

  it('reads a field that an entry has several times', () => {
    assert.equal(messageOf(['one', [0x32]]), 'one 2');
  });

  it('stands in for a message that journalctl leaves out as too long', () => {
    assert.equal(messageOf(null), '[…]');
  });

  it('keeps a long message short and one line', () => {
    assert.equal(messageOf('a\n\tb'), 'a b');
    assert.equal(messageOf('x'.repeat(10_000))?.length, 501);
  });

  it('leaves out what is no entry: a line cut off, a notice', () => {
    assert.deepEqual(parseJournal(`-- No entries --\n${entry({ MESSAGE: 'x' }).slice(0, -5)}`), []);
  });

  it('takes anything without failing', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.json().map((json) => entry({ MESSAGE: JSON.parse(json) })),
        ),
        (output) => {
          for (const line of parseJournal(output)) assert.equal(typeof line.message, 'string');
        },
      ),
    );
  });
});

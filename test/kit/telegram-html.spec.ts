import assert from 'node:assert/strict';
import fc from 'fast-check';
import { cut, escapeHtml, firstLine, plain } from '../../nodes/kit/telegram-html.js';

describe('Telegram HTML as a reader sees it', () => {
  it('has no tags and no entities', () => {
    assert.equal(plain('<b>CPU</b> &gt; 90% <a href="x>y">why?</a> &#128512;'), 'CPU > 90% why? 😀');
  });

  it('keeps what only looks like markup', () => {
    assert.equal(
      plain('a < b, <nginx>, &nbsp; and &#0; &#xd800;'),
      'a < b, <nginx>, &nbsp; and &#0; &#xd800;',
    );
  });

  it('is the text that was escaped', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => assert.equal(plain(escapeHtml(text)), text)),
    );
  });

  it('has a first line: the first with words in it', () => {
    assert.equal(firstLine('<b>🔴</b>\n  <i>CPU is high</i>\nmore'), 'CPU is high');
    assert.equal(firstLine('🔴\n'), '🔴');
    assert.equal(firstLine('abcdef', 4), 'abc…');
  });

  it('is never cut within a character', () => {
    assert.equal(cut('a😀b', 2), 'a');
    assert.equal(cut('a😀b', 3), 'a😀');
    assert.equal(cut('ab', 5), 'ab');
  });
});

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { escapeHtml, pieces, plain } from '../../../nodes/kit/telegram-html.js';
import { splitHtml } from '../../../nodes/tell/outbox/split-html.js';

/** Whether every tag that is opened is closed in the right order, as Telegram demands. */
function isBalanced(html: string): boolean {
  const open: string[] = [];
  for (const { kind, tag } of pieces(html)) {
    if (kind === 'open') open.push(tag as string);
    if (kind === 'close' && open.pop() !== tag) return false;
  }
  return open.length === 0;
}

const words = fc.string({ unit: 'binary', minLength: 1, maxLength: 30 });
const TAGS = ['b', 'i', 'u', 's', 'code', 'pre', 'blockquote', 'a href="https://example.org/?a=1&amp;b=2"'];

/** Valid Telegram HTML: escaped texts, entities, lines, and tags within tags. */
const { html: validHtml } = fc.letrec<{ html: string; node: string }>((tie) => ({
  node: fc.oneof(
    { weight: 5, arbitrary: words.map(escapeHtml) },
    { weight: 2, arbitrary: fc.constantFrom(' ', '\n', '&lt;', '&#39;', '👩‍👩‍👧', '😀', '&amp;amp;') },
    {
      weight: 2,
      arbitrary: fc
        .tuple(fc.constantFrom(...TAGS), tie('html'))
        .map(([tag, inner]) => `<${tag}>${inner}</${tag.split(' ')[0]}>`),
    },
  ),
  html: fc.array(tie('node'), { maxLength: 12 }).map((nodes) => nodes.join('')),
}));

describe('splitting a message for Telegram', () => {
  it('leaves a short one as it is', () => {
    assert.deepEqual(splitHtml('<b>Disk</b> is <i>full</i>', 4096), ['<b>Disk</b> is <i>full</i>']);
  });

  it('counts what the reader sees, not the markup', () => {
    const html = `<a href="https://example.org/a-long-address">${'&amp;'.repeat(10)}</a>`;
    assert.deepEqual(splitHtml(html, 10), [html]);
  });

  it('cuts after a line, closes what is open and opens it again', () => {
    assert.deepEqual(splitHtml('<pre>one two\nthree\nfour five</pre>', 15), [
      '<pre>one two\nthree\n</pre>',
      '<pre>four five</pre>',
    ]);
  });

  it('cuts after a word where there is no line, and within one where there is no word', () => {
    assert.deepEqual(splitHtml('alpha beta gamma', 12), ['alpha beta ', 'gamma']);
    assert.deepEqual(splitHtml('abcdefghij', 4), ['abcd', 'efgh', 'ij']);
  });

  it('never halves an emoji or an entity', () => {
    assert.deepEqual(splitHtml('abc😀def', 4), ['abc', '😀de', 'f']);
    assert.deepEqual(splitHtml('abc&lt;def', 4), ['abc&lt;', 'def']);
  });

  it('leaves out a part without words, which Telegram would refuse', () => {
    assert.deepEqual(
      splitHtml(`one${'\n'.repeat(40)}two`, 10)
        .map(plain)
        .join('')
        .split(/\n+/),
      ['one', 'two'],
    );
    for (const part of splitHtml(`one${'\n'.repeat(40)}two`, 10)) assert.notEqual(plain(part).trim(), '');
    assert.deepEqual(splitHtml(' \n ', 10), []);
  });

  it('gives for any message parts that are whole, within the limit, and together say the same', () => {
    fc.assert(
      fc.property(validHtml, fc.integer({ min: 2, max: 60 }), (html, limit) => {
        const parts = splitHtml(html, limit);
        for (const part of parts) {
          assert.ok(plain(part).length <= limit, 'too long');
          assert.ok(isBalanced(part), `not balanced: ${part}`);
          assert.ok(plain(part).isWellFormed() || !plain(html).isWellFormed(), 'half a character');
          assert.ok(plain(part).trim() !== '', 'empty');
        }
        const dense = (text: string) => text.replace(/\s+/g, '');
        assert.equal(dense(parts.map(plain).join('')), dense(plain(html)));
      }),
      { numRuns: 500 },
    );
  });

  it('loses nothing but parts of mere white space', () => {
    fc.assert(
      fc.property(
        fc.array(
          words.map((word) => `x${word}`),
          { maxLength: 40 },
        ),
        (list) => {
          const html = escapeHtml(list.join(' '));
          assert.equal(splitHtml(html, 40).map(plain).join(''), plain(html));
        },
      ),
    );
  });

  it('copes with any text at all, valid or not', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 200 }),
        fc.integer({ min: 2, max: 50 }),
        (text, limit) => {
          for (const part of splitHtml(text, limit)) assert.ok(plain(part).length <= limit);
        },
      ),
    );
  });
});

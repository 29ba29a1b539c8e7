import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseHtml } from '../../ops/sandbox/html.js';
import { ApiError } from '../../ops/sandbox/telegram.js';

const refused = (html: string) => {
  try {
    parseHtml(html);
  } catch (thrown) {
    assert.ok(thrown instanceof ApiError, String(thrown));
    return thrown.message.replace("Bad Request: can't parse entities: ", '');
  }
  return undefined;
};

describe('sandbox: Telegram HTML', () => {
  const MARKED: [html: string, text: string, ...entities: object[]][] = [
    ['plain', 'plain'],
    [
      '<b>a</b> <strong>b</strong>',
      'a b',
      { type: 'bold', offset: 0, length: 1 },
      { type: 'bold', offset: 2, length: 1 },
    ],
    [
      '<i>a</i><em>b</em>',
      'ab',
      { type: 'italic', offset: 0, length: 1 },
      { type: 'italic', offset: 1, length: 1 },
    ],
    [
      '<u>a</u><ins>b</ins>',
      'ab',
      { type: 'underline', offset: 0, length: 1 },
      { type: 'underline', offset: 1, length: 1 },
    ],
    ['<s>a</s>', 'a', { type: 'strikethrough', offset: 0, length: 1 }],
    ['<strike>a</strike>', 'a', { type: 'strikethrough', offset: 0, length: 1 }],
    ['<del>a</del>', 'a', { type: 'strikethrough', offset: 0, length: 1 }],
    ['<code>a</code>', 'a', { type: 'code', offset: 0, length: 1 }],
    ['<pre>a</pre>', 'a', { type: 'pre', offset: 0, length: 1 }],
    [
      '<pre><code class="language-ts">a</code></pre>',
      'a',
      { type: 'pre', offset: 0, length: 1, language: 'ts' },
    ],
    ['<code class="language-ts">a</code>', 'a', { type: 'code', offset: 0, length: 1 }],
    ['<tg-spoiler>a</tg-spoiler>', 'a', { type: 'spoiler', offset: 0, length: 1 }],
    ['<span class="tg-spoiler">a</span>', 'a', { type: 'spoiler', offset: 0, length: 1 }],
    ['<blockquote>a</blockquote>', 'a', { type: 'blockquote', offset: 0, length: 1 }],
    ['<blockquote expandable>a</blockquote>', 'a', { type: 'expandable_blockquote', offset: 0, length: 1 }],
    [
      '<a href="https://example.org/x?a=1&amp;b=2">a</a>',
      'a',
      { type: 'text_link', offset: 0, length: 1, url: 'https://example.org/x?a=1&b=2' },
    ],
    [
      '<a href=example.org>a</a>',
      'a',
      { type: 'text_link', offset: 0, length: 1, url: 'http://example.org/' },
    ],
    ['<a href="http://localhost:1880">a</a>', 'a'],
    ['<a href="javascript:alert(1)">a</a>', 'a'],
    [
      '<a href="tg://user?id=7">a</a>',
      'a',
      { type: 'text_mention', offset: 0, length: 1, user: { id: 7, is_bot: false, first_name: '' } },
    ],
    [
      '<tg-emoji emoji-id="5">👍</tg-emoji>',
      '👍',
      { type: 'custom_emoji', offset: 0, length: 2, custom_emoji_id: '5' },
    ],
    ['🟢 <b>🟢 x</b>', '🟢 🟢 x', { type: 'bold', offset: 3, length: 4 }],
    ['<B>a</b>', 'a', { type: 'bold', offset: 0, length: 1 }],
    ['<b>a</>', 'a', { type: 'bold', offset: 0, length: 1 }],
    [
      '<b>a<i>b</i></b>',
      'ab',
      { type: 'bold', offset: 0, length: 2 },
      { type: 'italic', offset: 1, length: 1 },
    ],
    ['<b></b>x', 'x'],
    ['&lt;&gt;&amp;&quot;&#65;&#x1F7E2;', '<>&"A🟢'],
    ['&lt without its end', '< without its end'],
    // Not refused by Telegram: what it doesn't know stays as written.
    ['&nbsp;&apos;&#0;&;', '&nbsp;&apos;&#0;&;'],
    ['a > b "c"', 'a > b "c"'],
  ];

  for (const [html, text, ...entities] of MARKED)
    it(`reads ${html}`, () => assert.deepEqual(parseHtml(html), { text, entities }));

  const REFUSED: [html: string, why: string][] = [
    ['<foo>x</foo>', 'Unsupported start tag "foo" at byte offset 0'],
    ['🟢 a <x', 'Unclosed start tag at byte offset 7'],
    ['a < b', 'Unsupported start tag "" at byte offset 2'],
    ['load <5%', 'Unclosed start tag at byte offset 5'],
    ['<br/>', 'Unsupported start tag "br/" at byte offset 0'],
    ['ä<div class="x">', 'Unsupported start tag "div" at byte offset 2'],
    ['<b>x', 'Can\'t find end tag corresponding to start tag "b"'],
    ['<b><i>x</i>', 'Can\'t find end tag corresponding to start tag "b"'],
    ['x</b>', 'Unexpected end tag at byte offset 1'],
    ['<b>x</i>', 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'],
    ['<b><i>x</b></i>', 'Unmatched end tag at byte offset 7, expected "</i>", found "</b>"'],
    ['<i>a</i   ', 'Unclosed end tag at byte offset 4'],
    ['<a href="x>y</a>', 'Unclosed start tag at byte offset 0'],
    ['<a href', 'Unclosed start tag at byte offset 0'],
    ['<a href=', 'Unclosed start tag "a" at byte offset 0'],
    ['<i =x>', 'Empty attribute name in the tag "i" at byte offset 0'],
    ['<a href=x/y>z</a>', 'Unexpected end of name token at byte offset 8'],
    ['<span>x</span>', 'Tag "span" must have class "tg-spoiler" at byte offset 0'],
    ['<tg-emoji emoji-id="x">y</tg-emoji>', 'Invalid custom emoji identifier specified'],
    [
      '&#xDFDF;',
      'Bad Request: text contains invalid Unicode characters after decoding HTML entities, check for unmatched surrogate code units',
    ],
  ];

  for (const [html, why] of REFUSED) it(`refuses ${html}`, () => assert.equal(refused(html), why));

  it('gives any plain text back that was escaped', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
        assert.deepEqual(parseHtml(escaped), { text, entities: [] });
      }),
    ));

  const soup = fc
    .array(
      fc.oneof(
        fc.constantFrom('<', '>', '/', '"', "'", '=', '&', ';', '#', ' ', '<b>', '</b>', '<a href=', '<pre>'),
        fc.constantFrom('</pre>', '<code class="language-c">', '</code>', '</>', '&lt', '&#x41;', 'tg-emoji'),
        fc.string({ unit: 'binary', maxLength: 4 }),
      ),
    )
    .map((parts) => parts.join(''));

  it('ends every text with an answer or a refusal in words, and entities stay within the text', () =>
    fc.assert(
      fc.property(soup, (html) => {
        if (refused(html) !== undefined) return;
        const { text, entities } = parseHtml(html);
        for (const { offset, length } of entities)
          assert.ok(offset >= 0 && length > 0 && offset + length <= text.length);
      }),
      { numRuns: 2000 },
    ));

  const nested = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 4 },
      fc.string({ unit: 'grapheme' }).map((text) => ({
        html: text.replaceAll('&', '&amp;').replaceAll('<', '&lt;'),
        text,
        marks: 0,
      })),
      fc
        .tuple(
          fc.constantFrom('b', 'i', 'u', 's', 'tg-spoiler', 'blockquote'),
          fc.array(tie('node'), { maxLength: 3 }),
        )
        .map(([tag, inner]) => {
          const parts = inner as { html: string; text: string; marks: number }[];
          const text = parts.map((part) => part.text).join('');
          return {
            html: `<${tag}>${parts.map((part) => part.html).join('')}</${tag}>`,
            text,
            marks: parts.reduce((sum, part) => sum + part.marks, text === '' ? 0 : 1),
          };
        }),
    ),
  })).node as fc.Arbitrary<{ html: string; text: string; marks: number }>;

  it('reads well-formed HTML of any depth: the text without tags, one entity per tag with text', () =>
    fc.assert(
      fc.property(nested, ({ html, text, marks }) => {
        const parsed = parseHtml(html);
        assert.equal(parsed.text, text);
        assert.equal(parsed.entities.length, marks);
      }),
    ));
});

import { PotionError } from '../../kit/errors.js';

export type Matcher = (text: string) => boolean;

/**
 * What a person searches for: a text, small and capital letters alike, or a regular expression between slashes,
 * `/time(d )?out/`, with an `i` behind it for the same.
 *
 * Regular expressions are RE2's: matching takes time in proportion to the text whatever the expression is, so
 * none can bring Potion to a halt as JavaScript's own could. Look-arounds and back-references are the price.
 * @throws PotionError INVALID for what is no such expression
 */
export async function matcherOf(wanted: string): Promise<Matcher> {
  const [, source, flags] = /^\/(.+)\/(i?)$/s.exec(wanted) ?? [];
  if (source === undefined) {
    const small = wanted.toLowerCase();
    return (text) => text.toLowerCase().includes(small);
  }
  // Loaded when it is first needed: 260 KB that a start can do without.
  const { RE2JS } = await import('re2js');
  try {
    const expression = RE2JS.compile(source, flags ? RE2JS.CASE_INSENSITIVE : 0);
    return (text) => expression.test(text);
  } catch (thrown) {
    const detail = (thrown as Error).message.replace(/^error parsing regexp: /, '');
    throw new PotionError('INVALID', 'logs.errors.pattern', { detail: detail.slice(0, 200) });
  }
}

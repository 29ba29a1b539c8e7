/**
 * One indivisible piece of a Telegram HTML text: a tag, an entity or a character.
 * https://core.telegram.org/bots/api#html-style
 */
export interface Piece {
  kind: 'open' | 'close' | 'text';
  /** As it stands in the HTML. */
  raw: string;
  /** What a reader sees of it; empty for a tag. */
  text: string;
  /** Lower-case name of a tag. */
  tag?: string;
}

const TAGS = new Set(
  'b strong i em u ins s strike del span tg-spoiler tg-emoji tg-time a code pre blockquote'.split(' '),
);

const PIECE =
  /<(\/?)([a-zA-Z][a-zA-Z-]*)((?:"[^"]*"|'[^']*'|[^'"<>])*)>|&(#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|lt|gt|amp|quot);|[\s\S]/gu;

const NAMED: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"' };

/** Cuts a text into its pieces. What is not Telegram HTML counts as plain characters. */
export function pieces(html: string): Piece[] {
  return [...html.matchAll(PIECE)].map(([raw, slash, name, , entity]) => {
    const tag = name?.toLowerCase();
    if (tag !== undefined && TAGS.has(tag)) return { kind: slash ? 'close' : 'open', raw, text: '', tag };
    return { kind: 'text', raw, text: entity === undefined ? raw : (decoded(entity) ?? raw) };
  });
}

/** What a reader sees of it: no tags, entities decoded. Telegram's length limits count this, in UTF-16 units. */
export function plain(html: string): string {
  return pieces(html)
    .map((piece) => piece.text)
    .join('');
}

/** A plain text made safe inside Telegram HTML. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** The first line with words in it, plain, at most `longest` UTF-16 units. */
export function firstLine(html: string, longest = 120): string {
  const lines = plain(html)
    .split('\n')
    .map((line) => line.trim());
  const line = lines.find((line) => /[\p{L}\p{N}]/u.test(line)) ?? lines.find(Boolean) ?? '';
  return line.length <= longest ? line : `${cut(line, longest - 1)}…`;
}

/** At most `longest` UTF-16 units of a text, never half a character. */
export function cut(text: string, longest: number): string {
  const end = /[\ud800-\udbff]/.test(text.charAt(longest - 1)) ? longest - 1 : longest;
  return text.slice(0, end);
}

function decoded(entity: string): string | undefined {
  if (!entity.startsWith('#')) return NAMED[entity];
  const code = /^#[xX]/.test(entity) ? Number.parseInt(entity.slice(2), 16) : Number(entity.slice(1));
  const isCharacter = code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
  return isCharacter ? String.fromCodePoint(code) : undefined;
}

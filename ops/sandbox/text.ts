import { type FormattedText, linkTarget, parseHtml } from './html.js';
import { badRequest, type MessageEntity } from './telegram.js';

export type { FormattedText } from './html.js';

/** Longest text and caption, https://core.telegram.org/bots/api#sendmessage. */
export const TEXT_LIMIT = 4096;
export const CAPTION_LIMIT = 1024;

/**
 * What a bot gave as text, as Telegram keeps it: parsed, cleaned, trimmed, with commands and addresses marked.
 *
 * Lengths are counted in UTF-16 code units, the stricter of the two readings of "characters".
 * @param field 'text', or 'caption', which may be empty
 */
export function botText(
  raw: string | undefined,
  parseMode: string | undefined,
  given: MessageEntity[] | undefined,
  field: 'text' | 'caption',
): FormattedText {
  if (!raw && field === 'text') throw badRequest('message text is empty');
  const parsed = trimmed(cleaned(parsedBy(parseMode, raw ?? '', given)));
  if (parsed.text === '' && field === 'text') throw badRequest('text must be non-empty');
  if (field === 'text' && parsed.text.length > TEXT_LIMIT) throw badRequest('message is too long');
  if (field === 'caption' && parsed.text.length > CAPTION_LIMIT)
    throw badRequest('message caption is too long');
  return withFound(parsed);
}

/** What a person typed: no markup, but commands and addresses are marked. */
export function personText(text: string): FormattedText {
  return withFound(trimmed(cleaned({ text, entities: [] })));
}

function parsedBy(mode: string | undefined, raw: string, given: MessageEntity[] | undefined): FormattedText {
  if (given !== undefined && !Array.isArray(given))
    throw badRequest("can't parse entities: Expected an Array of MessageEntity");
  if (!mode) return { text: raw, entities: given ?? [] };
  if (mode.toLowerCase() === 'html') return parseHtml(raw);
  // Potion writes HTML alone; better a clear word than a Markdown parser that nearly agrees with Telegram's.
  if (/^markdown(v2)?$/i.test(mode)) throw badRequest('the chat sandbox reads parse_mode HTML only');
  throw badRequest('unsupported parse_mode');
}

/** Telegram replaces control characters by spaces, except the line feed. */
function cleaned({ text, entities }: FormattedText): FormattedText {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return { text: text.toWellFormed().replace(/[\0-\x09\x0b-\x1f]/g, ' '), entities };
}

function trimmed({ text, entities }: FormattedText): FormattedText {
  const start = text.length - text.trimStart().length;
  const clean = text.trim();
  return {
    text: clean,
    entities: entities.flatMap((entity) => {
      const offset = Math.max(0, entity.offset - start);
      const end = Math.min(clean.length, entity.offset - start + entity.length);
      return end > offset ? [{ ...entity, offset, length: end - offset }] : [];
    }),
  };
}

const FOUND: [MessageEntity['type'], RegExp][] = [
  ['bot_command', /(?<![\w/.@<>])\/\w{1,64}(?:@\w{3,32})?(?![\w/])/g],
  ['mention', /(?<![\w@/.])@[a-z]\w{3,31}(?!\w)/gi],
  ['url', /(?<!\w)https?:\/\/[^\s<>"]*[^\s<>".,;:!?)\]}']/gi],
];

/** Adds what Telegram finds by itself: commands, mentions and addresses outside code and links. */
function withFound({ text, entities }: FormattedText): FormattedText {
  const taken = entities.filter(({ type }) => ['code', 'pre', 'text_link', 'text_mention'].includes(type));
  const found = FOUND.flatMap(([type, pattern]) =>
    [...text.matchAll(pattern)].map((match) => ({ type, offset: match.index, length: match[0].length })),
  ).filter(
    (entity) =>
      !taken.some((other) => overlap(entity, other)) &&
      (entity.type !== 'url' || linkTarget(text.slice(entity.offset, entity.offset + entity.length))),
  );
  const urls = found.filter(({ type }) => type === 'url');
  const apart = found.filter((entity) => entity.type === 'url' || !urls.some((url) => overlap(entity, url)));
  return {
    text,
    entities: [...entities, ...apart].sort((a, b) => a.offset - b.offset || b.length - a.length),
  };
}

function overlap(a: MessageEntity, b: MessageEntity): boolean {
  return a.offset < b.offset + b.length && b.offset < a.offset + a.length;
}

import { type ApiError, badRequest, type MessageEntity } from './telegram.js';

export interface FormattedText {
  text: string;
  entities: MessageEntity[];
}

/** Telegram's tags and what each marks; `a`, `span` and `tg-emoji` get theirs from an attribute. */
const TAGS: Record<string, MessageEntity['type']> = {
  b: 'bold',
  strong: 'bold',
  i: 'italic',
  em: 'italic',
  u: 'underline',
  ins: 'underline',
  s: 'strikethrough',
  strike: 'strikethrough',
  del: 'strikethrough',
  'tg-spoiler': 'spoiler',
  span: 'spoiler',
  code: 'code',
  pre: 'pre',
  blockquote: 'blockquote',
  a: 'text_link',
  'tg-emoji': 'custom_emoji',
};

/** The only named references that Telegram decodes; any other stays in the text as written. */
const REFERENCES: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"' };

const END = '';

interface Open {
  tag: string;
  attributes: Map<string, string>;
  offset: number;
}

/**
 * Reads a text with `parse_mode=HTML` as Telegram does, into plain text and entities.
 * @throws ApiError 400 in the words of Telegram's own parser
 */
export function parseHtml(html: string): FormattedText {
  return new HtmlReader(html).read();
}

class HtmlReader {
  readonly #html: string;
  readonly #open: Open[] = [];
  readonly #entities: MessageEntity[] = [];
  #at = 0;
  #text = '';
  #halfCharacter = false;

  constructor(html: string) {
    this.#html = html;
  }

  read(): FormattedText {
    while (this.#at < this.#html.length) {
      if (this.#peek() !== '<') this.#text += this.#character();
      else if (this.#html[this.#at + 1] === '/') this.#endTag();
      else this.#startTag();
    }
    const open = this.#open.at(-1);
    if (open) throw refuse(`Can't find end tag corresponding to start tag "${open.tag}"`);
    if (this.#halfCharacter)
      throw badRequest(
        'text contains invalid Unicode characters after decoding HTML entities, check for unmatched surrogate code units',
      );
    return { text: this.#text, entities: sorted(this.#entities) };
  }

  #peek(): string {
    return this.#html[this.#at] ?? END;
  }

  /** Takes characters until `stop` holds or the text ends. */
  #until(stop: (character: string) => boolean): string {
    const start = this.#at;
    while (this.#at < this.#html.length && !stop(this.#peek())) this.#at++;
    return this.#html.slice(start, this.#at);
  }

  /** One code unit, or what a character reference stands for. */
  #character(): string {
    const reference = this.#peek() === '&' ? this.#reference() : undefined;
    return reference ?? (this.#html[this.#at++] as string);
  }

  #reference(): string | undefined {
    const rest = this.#html.slice(this.#at, this.#at + 12);
    const [whole, hex, decimal, name] = /^&(?:#x([\da-fA-F]*)|#(\d*)|([a-zA-Z]*));?/.exec(rest) ?? [];
    if (whole === undefined) return undefined;
    const decoded =
      name === undefined
        ? this.#numeric(hex, decimal, whole)
        : Object.hasOwn(REFERENCES, name) && REFERENCES[name];
    if (!decoded) return undefined;
    this.#at += whole.length;
    return decoded;
  }

  #numeric(hex: string | undefined, decimal: string | undefined, whole: string): string | undefined {
    const code = hex === undefined ? Number.parseInt(decimal || '0', 10) : Number.parseInt(hex || '0', 16);
    if (code === 0 || code >= 0x10ffff || whole.replace(';', '').length >= 10) return undefined;
    if (code >= 0xd800 && code <= 0xdfff) this.#halfCharacter = true;
    return String.fromCodePoint(code);
  }

  #startTag(): void {
    const begin = this.#at++;
    const tag = this.#until((c) => isSpace(c) || c === '>').toLowerCase();
    if (this.#peek() === END) throw refuse(`Unclosed start tag ${this.#offset(begin)}`);
    if (!Object.hasOwn(TAGS, tag)) throw refuse(`Unsupported start tag "${tag}" ${this.#offset(begin)}`);
    const attributes = this.#attributes(tag, begin);
    this.#at++;
    if (tag === 'span' && attributes.get('class') !== 'tg-spoiler')
      throw refuse(`Tag "span" must have class "tg-spoiler" ${this.#offset(begin)}`);
    this.#open.push({ tag, attributes, offset: this.#text.length });
  }

  #attributes(tag: string, begin: number): Map<string, string> {
    const attributes = new Map<string, string>();
    for (;;) {
      this.#until((c) => !isSpace(c));
      if (this.#peek() === '>') return attributes;
      const name = this.#until((c) => isSpace(c) || c === '=' || c === '>');
      if (name === '' && this.#peek() !== END)
        throw refuse(`Empty attribute name in the tag "${tag}" ${this.#offset(begin)}`);
      this.#until((c) => !isSpace(c));
      let value = '';
      if (this.#peek() === '=') {
        this.#at++;
        this.#until((c) => !isSpace(c));
        if (this.#peek() === END) throw refuse(`Unclosed start tag "${tag}" ${this.#offset(begin)}`);
        value = this.#attributeValue();
      }
      if (this.#peek() === END) throw refuse(`Unclosed start tag ${this.#offset(begin)}`);
      attributes.set(name, value);
    }
  }

  #attributeValue(): string {
    const quote = this.#peek();
    if (quote !== '"' && quote !== "'") {
      const begin = this.#at;
      const token = this.#until((c) => !/[\da-z.-]/i.test(c));
      if (this.#peek() !== '>' && this.#peek() !== END && !isSpace(this.#peek()))
        throw refuse(`Unexpected end of name token ${this.#offset(begin)}`);
      return token.toLowerCase();
    }
    this.#at++;
    let value = '';
    while (this.#peek() !== quote && this.#peek() !== END) value += this.#character();
    if (this.#peek() === quote) this.#at++;
    return value;
  }

  #endTag(): void {
    const begin = this.#at;
    const open = this.#open.pop();
    if (!open) throw refuse(`Unexpected end tag ${this.#offset(begin)}`);
    this.#at += 2;
    const tag = this.#until((c) => isSpace(c) || c === '>').toLowerCase();
    this.#until((c) => !isSpace(c));
    if (this.#peek() !== '>') throw refuse(`Unclosed end tag ${this.#offset(begin)}`);
    this.#at++;
    if (tag !== '' && tag !== open.tag)
      throw refuse(`Unmatched end tag ${this.#offset(begin)}, expected "</${open.tag}>", found "</${tag}>"`);
    const length = this.#text.length - open.offset;
    if (length > 0) this.#mark(open, length);
  }

  #mark({ tag, attributes, offset }: Open, length: number): void {
    const entity: MessageEntity = { type: TAGS[tag] as MessageEntity['type'], offset, length };
    if (tag === 'a') {
      const target = linkTarget(attributes.get('href') || this.#text.slice(offset));
      if (target) this.#entities.push({ ...entity, ...target });
      return;
    }
    if (tag === 'tg-emoji') {
      const id = attributes.get('emoji-id') ?? '';
      if (!/^[1-9]\d{0,18}$/.test(id)) throw refuse('Invalid custom emoji identifier specified');
      entity.custom_emoji_id = id;
    }
    if (tag === 'blockquote' && attributes.has('expandable')) entity.type = 'expandable_blockquote';
    if (tag === 'code') entity.language = /^language-(.+)/s.exec(attributes.get('class') ?? '')?.[1];
    if (!this.#joinPreAndCode(entity)) this.#entities.push(entity);
  }

  /** `<pre><code class="language-x">` around the same text is one entity with a language. */
  #joinPreAndCode(entity: MessageEntity): boolean {
    const inner = this.#entities.at(-1);
    if (!inner || inner.offset !== entity.offset || inner.length !== entity.length) return false;
    const language = entity.type === 'code' ? entity.language : inner.language;
    const pair = new Set([inner.type, entity.type]);
    if (!language || !pair.has('pre') || !pair.has('code')) return false;
    inner.type = 'pre';
    inner.language = language;
    return true;
  }

  #offset(at: number): string {
    return `at byte offset ${Buffer.byteLength(this.#html.slice(0, at))}`;
  }
}

function isSpace(character: string): boolean {
  return ' \t\r\n\v\0'.includes(character);
}

function refuse(why: string): ApiError {
  return badRequest(`can't parse entities: ${why}`);
}

/** A web address with Telegram's rules (a host needs a dot), or the user that a `tg://user` link means. */
export function linkTarget(href: string): Pick<MessageEntity, 'type' | 'url' | 'user'> | undefined {
  const user = /^tg:\/\/user\?id=([1-9]\d{0,15})$/i.exec(href)?.[1];
  if (user) return { type: 'text_mention', user: { id: Number(user), is_bot: false, first_name: '' } };
  const address = /^[a-z][a-z\d+.-]*:\/\//i.test(href) ? href : `http://${href}`;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (!url || /\s/.test(href)) return undefined;
  if (url.protocol === 'tg:') return { type: 'text_link', url: address };
  const web = /^https?:$/.test(url.protocol) && /[.\]]/.test(url.hostname);
  return web ? { type: 'text_link', url: url.href } : undefined;
}

/** In Telegram's order: by place, the longer first. A language on `code` alone means nothing. */
function sorted(entities: MessageEntity[]): MessageEntity[] {
  return entities
    .map(({ language, ...entity }) => (entity.type === 'pre' && language ? { ...entity, language } : entity))
    .sort((a, b) => a.offset - b.offset || b.length - a.length);
}

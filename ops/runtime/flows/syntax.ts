/** The first place where a text stops being JSON. */
export interface SyntaxFault {
  offset: number;
  what: string;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids exactly these in a string
const STRING = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y;
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const SPACE = /[ \t\n\r]*/y;

/** Thrown inside the reader only. */
class Stop {
  readonly offset: number;
  readonly what: string;

  constructor(offset: number, what: string) {
    this.offset = offset;
    this.what = what;
  }
}

/**
 * Says where and why a text is not JSON; undefined when it is. Needed because JSON.parse keeps the place to
 * itself for some mistakes.
 */
export function syntaxFault(text: string): SyntaxFault | undefined {
  const reader = new Reader(text);
  try {
    reader.value();
    reader.end();
    return undefined;
  } catch (thrown) {
    if (thrown instanceof Stop) return { offset: thrown.offset, what: thrown.what };
    throw thrown;
  }
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(): void {
    this.#take(SPACE);
    const char = this.#text[this.#at];
    if (char === '{') this.#entries('}', () => this.#property());
    else if (char === '[') this.#entries(']', () => this.value());
    else if (char === '"') this.#string();
    else if (!this.#take(SCALAR)) this.#stop('a value is expected');
    this.#take(SPACE);
  }

  end(): void {
    if (this.#at < this.#text.length) this.#stop('the text should end');
  }

  #entries(close: string, entry: () => void): void {
    const open = this.#at++;
    this.#take(SPACE);
    if (this.#text[this.#at] === close) {
      this.#at++;
      return;
    }
    for (;;) {
      entry();
      const next = this.#text[this.#at];
      if (next === close) break;
      if (next === undefined) throw new Stop(open, `the ${this.#text[open]} is never closed`);
      if (next !== ',') this.#stop(`"," or "${close}" is expected`);
      this.#at++;
      this.#take(SPACE);
      if (this.#text[this.#at] === close) this.#stop(`no "," may stand before "${close}"`);
    }
    this.#at++;
  }

  #property(): void {
    this.#take(SPACE);
    if (this.#text[this.#at] !== '"') this.#stop('a property name in double quotes is expected');
    this.#string();
    this.#take(SPACE);
    if (this.#text[this.#at] !== ':') this.#stop('":" is expected');
    this.#at++;
    this.value();
  }

  #string(): void {
    if (!this.#take(STRING)) this.#stop('this text in quotes is not closed, or holds a character it may not');
  }

  #take(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    if (!pattern.test(this.#text)) return false;
    this.#at = pattern.lastIndex;
    return true;
  }

  #stop(expected: string): never {
    const found = this.#text[this.#at];
    const but = found === undefined ? 'the file ends here' : `here is ${JSON.stringify(found)}`;
    throw new Stop(this.#at, /expected/.test(expected) ? `${expected}, but ${but}` : expected);
  }
}

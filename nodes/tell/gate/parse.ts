/** A command line taken apart. */
export interface CommandLine {
  /** Lower case, without slash. */
  name: string;
  /** The bot named after `@`, if any. */
  bot?: string;
  args: string[];
  /** What follows the command, as it was typed. */
  text: string;
}

const COMMAND = /^\/([A-Za-z0-9_]{1,32})(?:@([A-Za-z0-9_]{1,64}))?(?=\s|$)/;

/**
 * Reads `/name@bot arg "quoted arg"`. Quotes may be straight, or curly as phones put them; `\"` and `\\` stand
 * for themselves inside quotes. A quote that is never closed is a character like any other.
 * @returns undefined when it is no command line
 */
export function parseCommand(line: string): CommandLine | undefined {
  const clean = printable(line).trim();
  const head = COMMAND.exec(clean);
  if (!head?.[1]) return undefined;
  const text = clean.slice(head[0].length).trim();
  return { name: head[1].toLowerCase(), bot: head[2], args: splitArgs(text), text };
}

/** Closing quotes by their opening one. */
const QUOTES: Record<string, string> = { '"': '"', "'": "'", '“': '”', '„': '“', '‘': '’', '«': '»' };

/** Splits at white space; what stands in quotes is one argument, even when empty. */
export function splitArgs(text: string): string[] {
  const args: string[] = [];
  let at = 0;
  while (at < text.length) {
    if (/\s/.test(text[at] ?? '')) {
      at++;
      continue;
    }
    const quoted = quotedAt(text, at);
    if (quoted) {
      args.push(quoted.value);
      at = quoted.end;
      continue;
    }
    const start = at;
    while (at < text.length && !/\s/.test(text[at] ?? '')) at++;
    args.push(text.slice(start, at));
  }
  return args;
}

/** A quoted argument that starts here, when it is closed and nothing but white space follows. */
function quotedAt(text: string, start: number): { value: string; end: number } | undefined {
  const close = QUOTES[text[start] ?? ''];
  if (close === undefined || text.indexOf(close, start + 1) < 0) return undefined;
  let value = '';
  for (let at = start + 1; at < text.length; at++) {
    const sign = text[at] ?? '';
    const next = text[at + 1];
    if (sign === '\\' && (next === close || next === '\\')) {
      value += next;
      at++;
    } else if (sign === close) {
      if (next !== undefined && !/\s/.test(next)) return undefined;
      return { value, end: at + 1 };
    } else value += sign;
  }
  return undefined;
}

/** A command line that `parseCommand` reads back to the same name and arguments. */
export function commandLine(name: string, args: readonly string[]): string {
  return [`/${name}`, ...args.map(quote)].join(' ');
}

function quote(arg: string): string {
  if (arg !== '' && !/[\s\\]/.test(arg) && QUOTES[arg.charAt(0)] === undefined) return arg;
  return `"${arg.replace(/[\\"]/g, '\\$&')}"`;
}

/**
 * Without characters that a program's arguments or a terminal would trip over: controls other than white
 * space, and signs that turn the reading direction.
 */
export function printable(text: string): string {
  return text.toWellFormed().replace(/[^\P{Cc}\s]|[\u202a-\u202e\u2066-\u2069]/gu, '');
}

/** A word that answers a question: YA or YES; TIDAK, NO or BATAL. Case and punctuation at the end don't matter. */
export function verdict(text: string): boolean | undefined {
  const word = text
    .trim()
    .toLowerCase()
    .replace(/[\s.,!?…~👍🙏]+$/u, '');
  if (word === 'ya' || word === 'yes') return true;
  if (word === 'tidak' || word === 'no' || word === 'batal') return false;
  return undefined;
}

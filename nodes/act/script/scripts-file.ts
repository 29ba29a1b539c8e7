import { readFileSync, statSync } from 'node:fs';
import { isMap, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { distrustOf, trustedOwners } from '../../host/trusted-file.js';
import { PotionError } from '../../kit/errors.js';
import { type Compile, Fault, readScript, type Script } from './definition.js';

/** Something in the file that can't be used. */
export interface Problem {
  line: number;
  /** Name of the script, if it has one. */
  name?: string;
  /** A text of `script.problems`. */
  text: string;
  data: Record<string, unknown>;
}

/** What the file says: the scripts that are sound, and what is wrong with the others. */
export interface Scripts {
  scripts: Script[];
  problems: Problem[];
}

const LARGEST = 256 * 1024;
const MOST = 60;

/**
 * The scripts that may be run, read anew each time, so that a change counts at once.
 * @returns undefined when there is no such file
 * @throws PotionError DENIED when somebody else than root may have written it, INVALID when it is no YAML
 */
export async function scriptsOf(file: string): Promise<Scripts | undefined> {
  const text = readTrusted(file);
  if (text === undefined) return undefined;
  // Loaded when it is first needed, as with the search in logs: 260 KB that a start can do without.
  const { RE2JS } = await import('re2js');
  return parseScripts(text, (pattern) => {
    const expression = RE2JS.compile(pattern);
    return (word) => expression.matches(word);
  });
}

function readTrusted(file: string): string | undefined {
  try {
    const distrust = distrustOf(file, trustedOwners());
    if (distrust)
      throw new PotionError('DENIED', `script.errors.untrusted-${distrust.why}`, { file, ...distrust });
    const { size } = statSync(file);
    if (size > LARGEST)
      throw new PotionError('INVALID', 'script.errors.too-large', { file, size, most: LARGEST });
    return readFileSync(file, 'utf8');
  } catch (thrown) {
    if (thrown instanceof PotionError) throw thrown;
    if (['ENOENT', 'ENOTDIR'].includes(String((thrown as NodeJS.ErrnoException).code))) return undefined;
    throw new PotionError('UNAVAILABLE', 'script.errors.unreadable', { file }, thrown);
  }
}

/**
 * Reads the text of the file.
 * @throws PotionError INVALID when it is no YAML, or not a list of scripts
 */
export function parseScripts(text: string, compile: Compile): Scripts {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const [error] = document.errors;
  if (error)
    throw new PotionError('INVALID', 'script.errors.yaml', {
      line: lines.linePos(error.pos[0]).line,
      detail: error.message.split('\n')[0],
    });
  const lineOf = (node: unknown) => lines.linePos((node as Node | undefined)?.range?.[0] ?? 0).line;
  const list = isMap(document.contents) ? document.get('scripts', true) : undefined;
  if (
    document.contents !== null &&
    !(isSeq(list) && isMap(document.contents) && document.contents.items.length === 1)
  )
    throw new PotionError('INVALID', 'script.errors.no-list', { line: lineOf(document.contents) });
  const items = isSeq(list) ? list.items : [];
  const found: Scripts = { scripts: [], problems: [] };
  for (const [i, item] of items.entries()) {
    const entry = plain(item as Node, document);
    const name = typeof entry?.name === 'string' ? entry.name.slice(0, 64) : undefined;
    try {
      if (entry === undefined) throw new Fault('alias', []);
      if (i >= MOST) throw new Fault('too-many', [], { most: MOST });
      const script = readScript(entry, compile);
      if (found.scripts.some((other) => other.name === script.name)) throw new Fault('name-twice', ['name']);
      found.scripts.push(script);
    } catch (thrown) {
      if (!(thrown instanceof Fault)) throw thrown;
      const { text: key, data } = thrown;
      found.problems.push({ line: lineOf(deepest(item, thrown.at)), name, text: key, data });
    }
  }
  return found;
}

/** An entry as plain values; undefined when it refers to another, which makes files hard to read and bombs easy. */
function plain(item: Node, document: ReturnType<typeof parseDocument>): Record<string, unknown> | undefined {
  try {
    return item.toJS(document, { maxAliasCount: 0 });
  } catch {
    return undefined;
  }
}

/** The node at a path, or the last one on the way there. */
function deepest(item: unknown, at: readonly (string | number)[]): unknown {
  let node = item;
  for (const key of at) {
    const inner = isMap(node) || isSeq(node) ? node.get(key, true) : undefined;
    if (inner === undefined || inner === null) break;
    node = inner;
  }
  return node;
}

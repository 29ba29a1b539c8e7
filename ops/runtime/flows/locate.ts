/** A place in a text, both counted from 1. */
export interface Place {
  line: number;
  column: number;
}

/** Line and column of a character. */
export function placeOf(text: string, offset: number): Place {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: offset - lineStart + 1 };
}

/**
 * Where the entry at `path` starts in a valid JSON text, e.g. `[3, 'token']` for that property of the fourth
 * element: the key for a property, the value for an element. The last entry of this path that exists.
 */
export function locate(json: string, path: readonly (string | number)[]): Place {
  let offset = skipSpace(json, 0);
  let start = offset;
  for (const step of path) {
    const entry = entries(json, offset).find(({ key }) => key === step);
    if (!entry) break;
    start = entry.start;
    offset = entry.value;
  }
  return placeOf(json, start);
}

interface Entry {
  key: string | number;
  /** Of the key in an object, of the value in an array. */
  start: number;
  value: number;
}

/** The direct entries of the object or array that starts at `offset`. */
function entries(json: string, offset: number): Entry[] {
  const object = json[offset] === '{';
  if (!object && json[offset] !== '[') return [];
  const found: Entry[] = [];
  let at = skipSpace(json, offset + 1);
  while (at < json.length && json[at] !== '}' && json[at] !== ']') {
    const start = at;
    if (object) at = skipSpace(json, skipSpace(json, endOfString(json, at)) + 1);
    const key = object ? (JSON.parse(json.slice(start, endOfString(json, start))) as string) : found.length;
    found.push({ key, start, value: at });
    at = skipSpace(json, endOfValue(json, at));
    if (json[at] === ',') at = skipSpace(json, at + 1);
  }
  return found;
}

function skipSpace(json: string, offset: number): number {
  let at = offset;
  while (at < json.length && /\s/.test(json[at] as string)) at++;
  return at;
}

function endOfString(json: string, offset: number): number {
  let at = offset + 1;
  while (at < json.length && json[at] !== '"') at += json[at] === '\\' ? 2 : 1;
  return at + 1;
}

function endOfValue(json: string, offset: number): number {
  let depth = 0;
  let at = offset;
  while (at < json.length) {
    const char = json[at] as string;
    if (char === '"') at = endOfString(json, at);
    else if (char === '{' || char === '[') {
      depth++;
      at++;
    } else if (char === '}' || char === ']' || char === ',') {
      if (depth === 0) return at;
      if (char !== ',') depth--;
      at++;
      if (depth === 0) return at;
    } else at++;
    if (depth === 0 && char === '"') return at;
  }
  return at;
}

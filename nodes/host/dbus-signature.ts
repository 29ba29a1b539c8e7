/** What came is not D-Bus, or not what was expected of it. */
export class WireError extends Error {
  override name = 'WireError';
}

/** What each type is aligned to, in bytes, by its first letter. */
export const ALIGNMENT: Readonly<Record<string, number>> = {
  y: 1,
  g: 1,
  v: 1,
  n: 2,
  q: 2,
  b: 4,
  i: 4,
  u: 4,
  s: 4,
  o: 4,
  a: 4,
  x: 8,
  t: 8,
  d: 8,
  '(': 8,
  '{': 8,
};

/** Splits a signature into its complete types: `sa{sv}u` is `s`, `a{sv}`, `u`. */
export function typesOf(signature: string): string[] {
  const types: string[] = [];
  for (let at = 0; at < signature.length; ) {
    const end = endOfType(signature, at);
    types.push(signature.slice(at, end));
    at = end;
  }
  return types;
}

function endOfType(signature: string, start: number): number {
  const code = signature[start] ?? '';
  if (code === 'a') return endOfType(signature, start + 1);
  if (code === '(' || code === '{') {
    let at = start + 1;
    while (at < signature.length && signature[at] !== ')' && signature[at] !== '}')
      at = endOfType(signature, at);
    // An empty struct would take no room, so that an array of them would never end.
    if (at < signature.length && at > start + 1) return at + 1;
  } else if (code in ALIGNMENT) return start + 1;
  throw new WireError(`"${signature}" is not a signature that Potion reads`);
}

/** The next multiple of `to`. */
export function padded(length: number, to: number): number {
  return Math.ceil(length / to) * to;
}

import { PotionError } from '../../kit/errors.js';

/** One value that is judged by itself, under a code of its own. */
export interface Series {
  /** Stable name of what is watched, e.g. `cpu` or `disk:/`. */
  code: string;
  /** What `*` stood for, e.g. `/`; '' without one. */
  name: string;
  /** A finite number or a word; absent when there is no such value. */
  value?: number | string;
}

/** Where values are found in a message, and what they are called. */
export interface Source {
  path: readonly string[];
  code: string;
  /** A message shows all there is, so that what it does not show is missing. */
  isWhole: boolean;
  /** The only code there can be, where the template has no blanks. */
  only?: string;
}

const PLACEHOLDER = /\{([^{}]*)\}/g;

/**
 * @param property path to the value in the message; `*` stands for every entry: `payload.disks.*.ratio`
 * @param code template of the code. `{series}` is what `*` stood for, `{item.x}` a property of that entry,
 *             `{payload.x}` one of the message.
 * @throws PotionError INVALID
 */
export function sourceOf(property: string, code: string): Source {
  const path = parsePath(property);
  const blanks = [...code.matchAll(PLACEHOLDER)].map(([, blank = '']) => blank);
  const stars = path.filter((part) => part === '*').length;
  const fits = stars === 0 ? !blanks.some(isOfStar) : stars === 1 && blanks.some(isOfStar);
  if (!fits || code.trim() === '') throw new PotionError('INVALID', 'errors.alert-code', { code, property });
  for (const blank of blanks) if (blank !== 'series') parsePath(blank);
  return {
    path,
    code: code.trim(),
    isWhole: blanks.every(isOfStar),
    only: blanks.length === 0 ? code.trim() : undefined,
  };
}

const isOfStar = (blank: string) => blank === 'series' || blank.startsWith('item.');

/**
 * `payload.disks.*.ratio` or `payload.disks["/mnt/x.y"].ratio` as its parts.
 * @throws PotionError INVALID
 */
export function parsePath(text: string): string[] {
  const part = /(?:^|(?<!^)\.)([^.[\]"']+)|\[(\d+)\]|\["([^"]+)"\]|\['([^']+)'\]/y;
  const parts: string[] = [];
  let end = 0;
  while (end < text.length) {
    part.lastIndex = end;
    const match = part.exec(text);
    if (!match) break;
    parts.push(match.slice(1).find((found) => found !== undefined) ?? '');
    end = part.lastIndex;
  }
  if (end < text.length || parts.length === 0)
    throw new PotionError('INVALID', 'errors.alert-path', { path: text });
  return parts;
}

/**
 * The series that a message shows. Code names are unique; of two entries with one name the first counts.
 * @throws PotionError INVALID when the message lacks what the code is made of
 */
export function seriesOf(source: Source, msg: object): Series[] {
  const star = source.path.indexOf('*');
  if (star < 0) {
    const code = fill(source.code, msg, '', undefined);
    return [{ code, name: '', value: asValue(read(msg, source.path)) }];
  }
  const entries = read(msg, source.path.slice(0, star));
  if (!entries || typeof entries !== 'object') return [];
  const found = new Map<string, Series>();
  for (const [name, item] of Object.entries(entries)) {
    const code = fill(source.code, msg, name, item);
    if (!found.has(code))
      found.set(code, { code, name, value: asValue(read(item, source.path.slice(star + 1))) });
  }
  return [...found.values()];
}

function fill(template: string, msg: object, series: string, item: unknown): string {
  return template.replace(PLACEHOLDER, (_, blank: string) => {
    if (blank === 'series') return series;
    const found = isOfStar(blank) ? read(item, parsePath(blank).slice(1)) : read(msg, parsePath(blank));
    if (typeof found !== 'string' && typeof found !== 'number')
      throw new PotionError('INVALID', 'errors.alert-blank', { blank, code: template });
    return String(found);
  });
}

function read(from: unknown, path: readonly string[]): unknown {
  let value = from;
  for (const part of path) {
    if (value === null || typeof value !== 'object' || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string, unknown>)[part];
  }
  return value;
}

function asValue(found: unknown): number | string | undefined {
  if (typeof found === 'boolean') return String(found);
  if (typeof found === 'string') return found;
  return typeof found === 'number' && Number.isFinite(found) ? found : undefined;
}

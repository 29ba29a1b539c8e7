import { PotionError } from '../../kit/errors.js';

/** What an argument may be. */
export type Kind =
  | { type: 'choice'; of: string[] }
  /** A unit of SERVICES_WHITELIST; `.service` may be left out. */
  | { type: 'unit' }
  | { type: 'integer'; min: number; max: number }
  | { type: 'word' }
  /** All that follows, as one text. */
  | { type: 'rest' }
  /** No argument at all. */
  | { type: 'nothing' };

/** One argument of a command. */
export interface Parameter {
  /** Name of the field in msg.payload. */
  name: string;
  kind: Kind;
  optional: boolean;
  /** Taken when an optional one is left out. */
  fallback?: string;
}

/** What arguments are checked against. */
export interface Allowed {
  /** Units that may be named. */
  units: readonly string[];
}

const SLOT = /^(?:<([^<>[\]]+)>|\[([^<>[\]]+)\])$/;
const NAME = /^[a-z][a-zA-Z0-9_]*$/;
const RESERVED = new Set(['args', 'text', 'constructor']);

/**
 * Reads a pattern such as `<start|stop|restart> <unit> [lines:1..500=50]`: `<…>` must be there, `[…]` may be;
 * `name:kind` with the kinds `unit`, `int`, `1..500`, `word`, `rest` or a choice `a|b|c`. A name alone is a word,
 * `unit` alone a unit, a choice alone is named `action`. A lone `-` takes no arguments, where the empty pattern takes any.
 * @throws PotionError INVALID naming the part that makes no sense
 */
export function parsePattern(pattern: string): Parameter[] {
  if (pattern.trim() === '-') return [{ name: '', kind: { type: 'nothing' }, optional: true }];
  const parameters: Parameter[] = [];
  for (const part of pattern.split(/\s+/).filter(Boolean)) {
    const parameter = parsePart(part);
    const before = parameters.at(-1);
    const wrong =
      !parameter ||
      parameters.some(({ name }) => name === parameter.name) ||
      before?.kind.type === 'rest' ||
      (before?.optional && !parameter.optional);
    if (wrong) throw new PotionError('INVALID', 'command.bad-pattern', { part, pattern });
    parameters.push(parameter);
  }
  return parameters;
}

function parsePart(part: string): Parameter | undefined {
  const slot = SLOT.exec(part);
  const inside = slot?.[1] ?? slot?.[2];
  if (!inside) return undefined;
  const [words = '', fallback, ...more] = inside.split('=');
  const [first = '', second, ...rest] = words.split(':');
  if (more.length > 0 || rest.length > 0) return undefined;
  const optional = slot?.[2] !== undefined;
  if (fallback !== undefined && !optional) return undefined;
  const isChoice = second === undefined && first.includes('|');
  const name = isChoice ? 'action' : first;
  const kind = parseKind(second ?? (isChoice || first === 'unit' ? first : 'word'));
  if (!kind || !NAME.test(name) || RESERVED.has(name)) return undefined;
  if (fallback !== undefined && kind.type !== 'unit' && read(kind, fallback, { units: [] }) === undefined)
    return undefined;
  return { name, kind, optional, fallback };
}

function parseKind(kind: string): Kind | undefined {
  if (kind === 'unit' || kind === 'word' || kind === 'rest') return { type: kind };
  if (kind === 'int') return { type: 'integer', min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER };
  const range = /^(-?\d{1,15})\.\.(-?\d{1,15})$/.exec(kind);
  if (range) {
    const [min, max] = [Number(range[1]), Number(range[2])];
    return min <= max ? { type: 'integer', min, max } : undefined;
  }
  const of = kind.split('|');
  return of.length > 1 && of.every((word) => /^[\w.-]+$/.test(word)) ? { type: 'choice', of } : undefined;
}

/**
 * Reads the forms that a command line may have, one pattern each, between lone `|`:
 * `<start|stop|restart> <unit> | [unit]`.
 * @throws PotionError INVALID
 */
export function parseForms(patterns: string): Parameter[][] {
  const forms = patterns.trim().split(/\s+\|\s+/);
  if (forms.length > 1 && forms.some((form) => /^\|?$/.test(form)))
    throw new PotionError('INVALID', 'command.bad-pattern', { part: '|', pattern: patterns });
  return forms.map(parsePattern);
}

/** Forms as people read them in help. */
export function usageOfForms(command: string, forms: readonly (readonly Parameter[])[]): string {
  return forms.map(usageOf).join(` | ${command} `).trim();
}

/**
 * The arguments by name, of the first form that they fit. When they fit none, the form that was meant says what
 * is wrong: the one that gets furthest, else the one of this length.
 * @throws PotionError INVALID or DENIED, with the usage as its hint
 */
export function readForms(
  command: string,
  forms: readonly (readonly Parameter[])[],
  args: readonly string[],
  allowed: Allowed,
): Record<string, unknown> {
  const failures: { fit: number; thrown: unknown }[] = [];
  for (const form of forms) {
    try {
      return readArguments(command, form, args, allowed);
    } catch (thrown) {
      failures.push({ fit: fitOf(form, args, allowed), thrown });
    }
  }
  throw failures.sort((a, b) => b.fit - a.fit)[0]?.thrown;
}

/** How far the arguments fit a form; half a point for being as many as it takes. */
function fitOf(form: readonly Parameter[], args: readonly string[], allowed: Allowed): number {
  const wrong = form.findIndex(({ kind }, i) => read(kind, args[i] ?? '', allowed) === undefined || !args[i]);
  const least = form.filter(({ optional }) => !optional).length;
  return (wrong < 0 ? form.length : wrong) + (args.length >= least && args.length <= form.length ? 0.5 : 0);
}

/** A pattern as people read it in help: names and choices only. */
export function usageOf(parameters: readonly Parameter[]): string {
  return parameters
    .filter(({ kind }) => kind.type !== 'nothing')
    .map(({ name, kind, optional }) => {
      const words = kind.type === 'choice' ? kind.of.join('|') : name;
      return optional ? `[${words}]` : `<${words}>`;
    })
    .join(' ');
}

/**
 * The arguments by name.
 * @param command as people type it, for the error text
 * @throws PotionError INVALID or DENIED, with the usage as its hint
 */
export function readArguments(
  command: string,
  parameters: readonly Parameter[],
  args: readonly string[],
  allowed: Allowed,
): Record<string, unknown> {
  const usage = [`/${command}`, usageOf(parameters)].filter(Boolean).join(' ');
  const values: Record<string, unknown> = {};
  let at = 0;
  for (const { name, kind, optional, fallback } of parameters) {
    const given = kind.type === 'rest' ? args.slice(at).join(' ') : args[at];
    at = kind.type === 'rest' ? args.length : at + 1;
    const word = given === undefined || given === '' ? fallback : given;
    if (word === undefined && optional) continue;
    if (word === undefined) throw new PotionError('INVALID', 'command.missing', { name, usage });
    const value = read(kind, word, allowed);
    if (value === undefined) throw refusal(kind, name, word, usage, allowed);
    values[name] = value;
  }
  if (args.length > at && parameters.length > 0)
    throw new PotionError('INVALID', 'command.too-many', { extra: args[at], usage });
  return values;
}

function read(kind: Kind, word: string, allowed: Allowed): string | number | undefined {
  switch (kind.type) {
    case 'choice':
      return kind.of.find((one) => one.toLowerCase() === word.toLowerCase());
    case 'unit':
      return (
        allowed.units.find((unit) => unit === word) ??
        allowed.units.find((unit) => unit === `${word}.service`)
      );
    case 'integer': {
      const value = /^[+-]?\d{1,15}$/.test(word) ? Number(word) : Number.NaN;
      return value >= kind.min && value <= kind.max ? value : undefined;
    }
    case 'nothing':
      return undefined;
    default:
      return word;
  }
}

function refusal(kind: Kind, name: string, given: string, usage: string, allowed: Allowed): PotionError {
  const short = given.length > 64 ? `${given.slice(0, 64).toWellFormed()}…` : given;
  const facts = { name, given: short, usage };
  if (kind.type === 'nothing') return new PotionError('INVALID', 'command.too-many', { extra: short, usage });
  if (kind.type === 'unit')
    return new PotionError('DENIED', 'command.not-allowed', { ...facts, allowed: allowed.units.join(', ') });
  if (kind.type === 'choice')
    return new PotionError('INVALID', 'command.no-choice', { ...facts, choices: kind.of.join(', ') });
  const bounded = kind.type === 'integer' && kind.max < Number.MAX_SAFE_INTEGER;
  const range = bounded ? { min: kind.min, max: kind.max } : {};
  return new PotionError('INVALID', 'command.no-number', { ...facts, ...range });
}

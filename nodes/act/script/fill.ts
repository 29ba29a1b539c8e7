import { realpath } from 'node:fs/promises';
import { isAbsolute, relative, resolve } from 'node:path';
import { PotionError } from '../../kit/errors.js';
import { type Parameter, placeholder, type Script } from './definition.js';

/** Characters of one value. */
const LONGEST = 512;

/** How a script is called, for people: `disk-usage <dir>`. */
export function usageOf({ name, parameters }: Script): string {
  return [
    name,
    ...parameters.map((one) => (one.type === 'choice' ? `<${one.of.join('|')}>` : `<${one.name}>`)),
  ].join(' ');
}

/**
 * The command line for these words, one for each argument.
 * @throws PotionError INVALID or NOT_FOUND, naming the argument, with the usage as its hint
 */
export async function fill(script: Script, words: readonly string[]): Promise<string[]> {
  const usage = `/script ${usageOf(script)}`;
  const { parameters } = script;
  const missing = parameters[words.length];
  if (missing) throw new PotionError('INVALID', 'script.errors.missing', { name: missing.name, usage });
  if (words.length > parameters.length)
    throw new PotionError('INVALID', 'script.errors.too-many', {
      extra: shown(words[parameters.length] ?? ''),
      usage,
    });
  const values = new Map<string, string>();
  for (const [i, parameter] of parameters.entries()) {
    const word = words[i] ?? '';
    const value =
      word.length <= LONGEST && !/[\0\p{Cc}]/u.test(word) ? await valueFor(parameter, word) : undefined;
    if (value === undefined)
      throw new PotionError('INVALID', `script.errors.bad-${parameter.type}`, {
        ...facts(parameter),
        given: shown(word),
        usage,
      });
    values.set(parameter.name, value);
  }
  return script.argv.map((element) => {
    const name = placeholder(element);
    return name === undefined ? element : (values.get(name) ?? '');
  });
}

/** The argument itself, as the program gets it; undefined when the word is none of its kind. */
async function valueFor(parameter: Parameter, word: string): Promise<string | undefined> {
  switch (parameter.type) {
    case 'int': {
      const value = /^-?\d{1,15}$/.test(word) ? Number(word) : Number.NaN;
      return value >= parameter.min && value <= parameter.max ? String(value) : undefined;
    }
    case 'word':
      // A program would take it for an option, whatever the pattern lets through.
      return !word.startsWith('-') && word !== '' && parameter.matches(word) ? word : undefined;
    case 'choice':
      return parameter.of.find((one) => one === word);
    case 'date':
      return isDay(word) ? word : undefined;
    case 'path':
      return pathInside(parameter.root, word);
  }
}

/** Whether it is a day of the calendar, `2024-02-29`. */
function isDay(word: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(word)) return false;
  const at = new Date(`${word}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(word);
}

/** The real path of something below a folder; undefined when it is elsewhere, behind a link perhaps. */
async function pathInside(root: string, word: string): Promise<string | undefined> {
  if (word === '' || word.startsWith('-')) return undefined;
  try {
    const top = await realpath(root);
    const real = await realpath(resolve(top, word));
    const inside = relative(top, real);
    return inside === '..' || inside.startsWith('../') || isAbsolute(inside) ? undefined : real;
  } catch {
    return undefined;
  }
}

function facts(parameter: Parameter): Record<string, unknown> {
  const { name } = parameter;
  if (parameter.type === 'int') return { name, min: parameter.min, max: parameter.max };
  if (parameter.type === 'choice') return { name, choices: parameter.of.join(', ') };
  if (parameter.type === 'path') return { name, root: parameter.root };
  return { name };
}

function shown(word: string): string {
  return word.length > 64 ? `${word.slice(0, 64).toWellFormed()}…` : word;
}

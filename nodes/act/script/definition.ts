import { isAbsolute, normalize } from 'node:path';
import type { Language } from '../../kit/units.js';
import { whyNoProgram } from './programs.js';

/** One argument of a script. */
export type Parameter = { name: string } & (
  | { type: 'int'; min: number; max: number }
  /** `matches` takes time in proportion to the text, whatever the pattern is. */
  | { type: 'word'; pattern: string; matches: (text: string) => boolean }
  | { type: 'choice'; of: string[] }
  /** Something that exists below `root`. */
  | { type: 'path'; root: string }
  /** A day, `2026-12-31`. */
  | { type: 'date' }
);

/** A program that may be run from the chat, as root has written it down. */
export interface Script {
  name: string;
  description: Record<Language, string>;
  /** The program and its arguments; `{{name}}` stands for a whole one. */
  argv: string[];
  parameters: Parameter[];
  /** Seconds. */
  timeout: number;
  confirm: boolean;
  output: 'text' | 'file';
}

/** What is wrong with an entry: a text of `script.problems`, and its values. */
export class Fault extends Error {
  readonly text: string;
  readonly data: Record<string, unknown>;
  /** Path of the entry to blame, e.g. `['args', 0, 'type']`. */
  readonly at: (string | number)[];

  constructor(text: string, at: (string | number)[], data: Record<string, unknown> = {}) {
    super(text);
    this.text = text;
    this.data = data;
    this.at = at;
  }
}

const NAME = /^[a-z0-9][a-z0-9_-]{0,31}$/;
const ARGUMENT = /^[a-z][a-z0-9_]{0,31}$/;
const PLACE = /^\{\{\s*([a-z][a-z0-9_]*)\s*\}\}$/;
const LONGEST_TIMEOUT = 3600;
const DEFAULT_TIMEOUT = 60;
/** No path, no option, no blank: what most names and ids are. */
const WORD = '[A-Za-z0-9][A-Za-z0-9._@:+-]{0,63}';

const KEYS = ['name', 'description', 'argv', 'args', 'timeout', 'confirm', 'output'];
const ARGUMENT_KEYS: Record<Parameter['type'], string[]> = {
  int: ['min', 'max'],
  word: ['pattern'],
  choice: ['of'],
  path: ['root'],
  date: [],
};

type Facts = Record<string, unknown>;
export type Compile = (pattern: string) => (text: string) => boolean;

/** The argument that an element of argv stands for, if it is a placeholder. */
export function placeholder(element: string): string | undefined {
  return PLACE.exec(element)?.[1];
}

/**
 * Reads one entry of the file.
 * @param compile makes a check of the whole text out of a pattern, or throws
 * @throws Fault
 */
export function readScript(entry: unknown, compile: Compile): Script {
  const facts = record(entry, []);
  known(facts, KEYS, []);
  const { name, confirm = true, output = 'text', timeout = DEFAULT_TIMEOUT } = facts;
  if (typeof name !== 'string' || !NAME.test(name)) throw new Fault('name', ['name']);
  if (typeof confirm !== 'boolean') throw new Fault('confirm', ['confirm']);
  if (output !== 'text' && output !== 'file') throw new Fault('output', ['output']);
  if (typeof timeout !== 'number' || !(timeout >= 1 && timeout <= LONGEST_TIMEOUT))
    throw new Fault('timeout', ['timeout'], { most: LONGEST_TIMEOUT });
  const parameters = parametersOf(facts.args, compile);
  return {
    name,
    description: descriptionOf(facts.description),
    argv: argvOf(facts.argv, parameters),
    parameters,
    timeout,
    confirm,
    output,
  };
}

function descriptionOf(value: unknown): Script['description'] {
  const { id, 'en-US': en, ...others } = record(value, ['description']);
  const isText = (text: unknown) => typeof text === 'string' && text.trim() !== '' && text.length <= 200;
  if (!isText(id) || !isText(en) || Object.keys(others).length > 0)
    throw new Fault('description', ['description']);
  return { id: String(id).trim(), 'en-US': String(en).trim() };
}

function argvOf(value: unknown, parameters: readonly Parameter[]): string[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > 64) throw new Fault('argv', ['argv']);
  const used = new Set<string>();
  const argv = value.map((element, i) => {
    if (typeof element !== 'string' || element.length > 4096 || element.includes('\0'))
      throw new Fault('element', ['argv', i]);
    const name = placeholder(element);
    if (name === undefined && element.includes('{{'))
      throw new Fault('part-of-element', ['argv', i], { element });
    if (name === undefined) return element;
    if (!parameters.some((parameter) => parameter.name === name))
      throw new Fault('no-such-argument', ['argv', i], { name });
    used.add(name);
    return element;
  });
  const [program = ''] = argv;
  if (!isAbsolute(program) || normalize(program) !== program)
    throw new Fault('program', ['argv', 0], { program });
  const wrong = whyNoProgram(argv);
  if (wrong) throw new Fault(wrong.text, ['argv', wrong.index], { program: wrong.name });
  const idle = parameters.findIndex(({ name }) => !used.has(name));
  if (idle >= 0) throw new Fault('unused', ['args', idle], { name: parameters[idle]?.name });
  return argv;
}

function parametersOf(value: unknown, compile: Compile): Parameter[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.length > 16) throw new Fault('args', ['args']);
  const seen = new Set<string>();
  return value.map((entry, i) => {
    const parameter = parameterOf(record(entry, ['args', i]), ['args', i], compile);
    if (seen.has(parameter.name)) throw new Fault('twice', ['args', i], { name: parameter.name });
    seen.add(parameter.name);
    return parameter;
  });
}

function parameterOf(facts: Facts, at: (string | number)[], compile: Compile): Parameter {
  const { name, type } = facts;
  if (typeof name !== 'string' || !ARGUMENT.test(name)) throw new Fault('argument-name', [...at, 'name']);
  if (typeof type !== 'string' || !Object.hasOwn(ARGUMENT_KEYS, type))
    throw new Fault('type', [...at, 'type']);
  known(facts, ['name', 'type', ...ARGUMENT_KEYS[type as Parameter['type']]], at);
  switch (type as Parameter['type']) {
    case 'int':
      return { name, type: 'int', ...rangeOf(facts, at) };
    case 'word':
      return { name, type: 'word', ...patternOf(facts.pattern ?? WORD, at, compile) };
    case 'choice':
      return { name, type: 'choice', of: choicesOf(facts.of, at) };
    case 'path': {
      const { root } = facts;
      if (typeof root !== 'string' || !isAbsolute(root) || root === '/')
        throw new Fault('root', [...at, 'root']);
      return { name, type: 'path', root: normalize(root) };
    }
    case 'date':
      return { name, type: 'date' };
  }
}

function rangeOf({ min, max }: Facts, at: (string | number)[]): { min: number; max: number } {
  if (!Number.isSafeInteger(min) || !Number.isSafeInteger(max) || Number(min) > Number(max))
    throw new Fault('range', at);
  return { min: Number(min), max: Number(max) };
}

function patternOf(pattern: unknown, at: (string | number)[], compile: Compile) {
  if (typeof pattern !== 'string' || pattern.length > 500) throw new Fault('pattern', [...at, 'pattern']);
  try {
    return { pattern, matches: compile(pattern) };
  } catch (thrown) {
    throw new Fault('pattern', [...at, 'pattern'], { detail: (thrown as Error).message });
  }
}

function choicesOf(of: unknown, at: (string | number)[]): string[] {
  const isChoice = (one: unknown) => typeof one === 'string' && /^[^\s\p{Cc}]{1,64}$/u.test(one);
  if (!Array.isArray(of) || of.length === 0 || of.length > 50 || !of.every(isChoice))
    throw new Fault('of', [...at, 'of']);
  return of;
}

function record(value: unknown, at: (string | number)[]): Facts {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Fault('no-map', at);
  return value as Facts;
}

/** A slip of the pen in a key must not silently leave out a limit. */
function known(facts: Facts, keys: readonly string[], at: (string | number)[]): void {
  const unknown = Object.keys(facts).find((key) => !keys.includes(key));
  if (unknown !== undefined) throw new Fault('unknown-key', [...at, unknown], { key: unknown });
}

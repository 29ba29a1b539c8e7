import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Liquid, type Template } from 'liquidjs';
import { parse } from 'yaml';
import { bytes, clockTime, duration, gauge, type Language, number, percent, when } from './units.js';

export { LANGUAGES, type Language } from './units.js';

/** `html` escapes every value for a Telegram HTML message; `plain` leaves them as they are. */
export type Mode = 'html' | 'plain';

type Texts = Map<string, string>;

const WINGS = ['kit', 'host', 'state', 'sense', 'judge', 'act', 'tell'];
const NODES = join(__dirname, '..');
/** Where texts are, each folder with those one below it. */
const HOMES = [...WINGS.map((wing) => join(NODES, wing)), join(NODES, '..', 'ops')];

const texts = new Map<Language, Texts>();
const engines = new Map<string, Liquid>();
const templates = new Map<string, Template[]>();

const STATE_BADGE: Record<string, string> = {
  active: '🟢',
  running: '🟢',
  ok: '🟢',
  exited: '🟢',
  resolved: '✅',
  activating: '🟡',
  busy: '🟡',
  'auto-restart': '🟡',
  pending: '🟡',
  reloading: '🟡',
  deactivating: '🟡',
  warning: '🟠',
  firing: '🔴',
  failed: '🔴',
  'start-limit-hit': '🔴',
  critical: '🔴',
  inactive: '⚪',
  masked: '🚫',
  missing: '❓',
};

/**
 * Renders the text `key` for a reader.
 *
 * Texts are Liquid templates in `locales/<language>/chat.yaml` of the kit, of each node and of ops; the nested
 * keys of all those files form one tree. An unknown key renders as itself, so that a message is never lost
 * over a missing text; a test keeps that from happening.
 */
export function render(lang: Language, key: string, data: object = {}, mode: Mode = 'html'): string {
  const source = textsOf(lang).get(key);
  return source === undefined ? key : renderTemplate(lang, source, data, mode);
}

/** Renders a Liquid template that a person wrote into a node. Throws what Liquid throws on bad syntax. */
export function renderTemplate(lang: Language, source: string, data: object, mode: Mode = 'html'): string {
  const engine = engineFor(lang, mode);
  const cached = `${lang} ${mode} ${source}`;
  let template = templates.get(cached);
  if (!template) {
    template = engine.parse(source);
    // Texts are few; only templates made up at run time could grow this without end.
    if (templates.size > 1000) templates.clear();
    templates.set(cached, template);
  }
  return String(engine.renderSync(template, data)).trim();
}

/** Whether a text of this name exists in the language. */
export function hasText(lang: Language, key: string): boolean {
  return textsOf(lang).has(key);
}

/** Every key of the language with its template, for checks. */
export function allTexts(lang: Language): ReadonlyMap<string, string> {
  return textsOf(lang);
}

function textsOf(lang: Language): Texts {
  const known = texts.get(lang);
  if (known) return known;
  const all: Texts = new Map();
  for (const file of chatFiles(lang)) flatten(parse(readFileSync(file, 'utf8')), '', all);
  texts.set(lang, all);
  return all;
}

function chatFiles(lang: Language): string[] {
  const found: string[] = [];
  for (const home of HOMES.flatMap((home) => [home, ...subfolders(home).map((name) => join(home, name))])) {
    const folder = join(home, 'locales', lang);
    if (filesIn(folder).includes('chat.yaml')) found.push(join(folder, 'chat.yaml'));
  }
  return found;
}

function subfolders(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name !== 'locales')
      .map((entry) => entry.name);
  } catch {
    return [];
  }
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function flatten(value: unknown, path: string, into: Texts): void {
  if (typeof value === 'string') {
    if (into.has(path)) throw new Error(`the text ${path} is defined twice`);
    into.set(path, value);
  } else if (value && typeof value === 'object') {
    for (const [name, inner] of Object.entries(value)) flatten(inner, path ? `${path}.${name}` : name, into);
  }
}

function engineFor(lang: Language, mode: Mode): Liquid {
  const name = `${lang} ${mode}`;
  const known = engines.get(name);
  if (known) return known;
  const engine = new Liquid({
    ...(mode === 'html' ? { outputEscape: 'escape' as const } : {}),
    ownPropertyOnly: true,
    renderLimit: 10_000,
    memoryLimit: 1e7,
  });
  const missing = (value: unknown) => typeof value !== 'number' || !Number.isFinite(value);
  const filter = (name: string, format: (value: number, ...rest: never[]) => string) =>
    engine.registerFilter(name, (value, ...rest) =>
      missing(value) ? '–' : format(value, ...(rest as never[])),
    );
  filter('bytes', (value) => bytes(value, lang));
  filter('rate', (value) => `${bytes(value, lang)}/s`);
  filter('percent', (value, digits?: number) => percent(value, lang, digits));
  filter('number', (value, digits?: number) => number(value, lang, digits));
  filter('duration', (value) => duration(value, lang));
  filter('gauge', (value) => gauge(value));
  filter('when', (value) => when(value, lang));
  filter('clock', (value, precision?: 'seconds') => clockTime(value, lang, undefined, precision));
  engine.registerFilter('badge', (value) => STATE_BADGE[String(value)] ?? '⚪');
  engine.registerFilter('t', (value, ...pairs) => {
    const key = String(value);
    return hasText(lang, key) ? render(lang, key, Object.fromEntries(pairs), 'plain') : key;
  });
  engines.set(name, engine);
  return engine;
}

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { allTexts, LANGUAGES, render } from '../../nodes/kit/locale.js';
import { HOME } from '../support/node-red.ts';

function filesBelow(folder: string, ending: string): string[] {
  return readdirSync(join(HOME, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending))
    .map((file) => join(folder, file))
    .filter((file) => statSync(join(HOME, file)).isFile());
}

/** All keys of a JSON tree, joined with dots. */
function keysOf(tree: unknown, path = ''): string[] {
  if (!tree || typeof tree !== 'object') return [path];
  return Object.entries(tree).flatMap(([name, inner]) => keysOf(inner, path ? `${path}.${name}` : name));
}

describe('the texts that people read', () => {
  it('exist in every language, key by key', () => {
    const [first, ...others] = LANGUAGES.map((lang) => [...allTexts(lang).keys()].sort());
    for (const other of others) assert.deepEqual(other, first);
  });

  it('are sound templates', () => {
    for (const lang of LANGUAGES)
      for (const key of allTexts(lang).keys())
        assert.doesNotThrow(() => render(lang, key, {}), `${lang} ${key}`);
  });

  it('give every error both a message and a hint', () => {
    for (const lang of LANGUAGES) {
      const keys = [...allTexts(lang).keys()];
      for (const key of keys.filter((key) => key.startsWith('errors.')))
        assert.match(key, /\.(message|hint)$/, `${lang} ${key}`);
      for (const key of keys.filter((key) => key.startsWith('errors.') && key.endsWith('.message')))
        assert.ok(keys.includes(key.replace(/message$/, 'hint')), `${lang} ${key} has no hint`);
    }
  });

  it('exist for every error that the code raises', () => {
    const known = allTexts('id');
    for (const file of filesBelow('nodes', '.ts')) {
      const source = readFileSync(join(HOME, file), 'utf8');
      for (const [, key] of source.matchAll(/new PotionError\(\s*'[A-Z_]+',\s*'([^']+)'/g))
        assert.ok(known.has(`${key}.message`), `${file} raises ${key}, which has no text`);
    }
  });
});

describe('the editor’s texts', () => {
  it('have the same keys in every language', () => {
    for (const file of filesBelow('nodes', '.json').filter((file) => file.includes('/locales/en-US/'))) {
      const twin = file.replace('/locales/en-US/', '/locales/id/');
      const read = (path: string) => JSON.parse(readFileSync(join(HOME, path), 'utf8'));
      assert.deepEqual(keysOf(read(twin)).sort(), keysOf(read(file)).sort(), file);
    }
  });
});

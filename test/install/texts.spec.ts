import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { SETTINGS_ASKED } from '../../ops/install/settings.mjs';
import { TEXTS } from '../../ops/install/texts.mjs';

const FOLDER = new URL('../../ops/install/', import.meta.url);
const sources = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.mjs') && name !== 'texts.mjs')
  .map((name) => readFileSync(new URL(name, FOLDER), 'utf8'))
  .join('\n');

describe('the texts of the installer', () => {
  it('say the same in both languages, about the same things', () => {
    for (const [key, [id, en]] of Object.entries(TEXTS)) {
      const about = (text: string) => [...new Set(text.match(/\{\w+\}/g))].sort();
      assert.deepEqual(about(id), about(en), key);
      assert.ok(id.trim() && en.trim(), key);
    }
  });

  it('are all there, and all used', () => {
    const said = [...sources.matchAll(/\b(?:say|change|t|InstallError|textsIn\([^)]*\))\(\s*'(\w+)'/g)].map(
      ([, key]) => key,
    );
    const chosen = [...sources.matchAll(/(?:talk\.say|InstallError)\([^)]*\? '(\w+)' : '(\w+)'/g)].flatMap(
      ([, a, b]) => [a, b],
    );
    const asked = SETTINGS_ASKED.flatMap(({ question }) => [question, `${question}Wrong`]);
    const used = new Set([...said, ...chosen, ...asked]);
    // Every name is fine, so nothing is ever wrong with it.
    used.delete('askServerWrong');
    assert.deepEqual([...used].sort(), Object.keys(TEXTS).sort());
  });
});

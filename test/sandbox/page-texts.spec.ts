import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HOME } from '../support/node-red.ts';

const PAGE = join(HOME, 'ops', 'sandbox', 'chat');

describe("sandbox: the chat page's texts", () => {
  let texts: Record<string, Record<string, string>>;
  before(async () => {
    ({ TEXTS: texts } = await import(join(PAGE, 'texts.mjs')));
  });

  it('are the same in both languages', () => {
    const [indonesian, english] = [texts.id ?? {}, texts['en-US'] ?? {}];
    assert.deepEqual(Object.keys(indonesian), Object.keys(english));
    assert.ok(Object.values({ ...indonesian, ...english }).every((text) => text.trim() !== ''));
  });

  it('are there for every key that the page uses, and each is used', () => {
    const sources = readdirSync(PAGE)
      .filter((name) => /\.(html|mjs)$/.test(name) && name !== 'texts.mjs')
      .map((name) => readFileSync(join(PAGE, name), 'utf8'))
      .join('\n');
    const asked = [...sources.matchAll(/data-(?:text|label)="(\w+)"|\bt\(\s*'(\w+)'/g)].map(
      ([, a, b]) => a ?? b ?? '',
    );
    const known = Object.keys(texts.id ?? {});
    assert.deepEqual(
      asked.filter((key) => !known.includes(key)),
      [],
    );
    const mentioned = (key: string) => asked.includes(key) || new RegExp(`'${key}'`).test(sources);
    // Made from a name: `${role}Role`, `${kind}Title`, `${kind}Text`; today and yesterday are told by texts.mjs.
    const made = /^(admin|stranger)Role$|^(real|login)(Title|Text)$|^(today|yesterday)$/;
    assert.deepEqual(
      known.filter((key) => !mentioned(key) && !made.test(key)),
      [],
    );
  });
});

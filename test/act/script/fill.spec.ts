import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { RE2JS } from 're2js';
import type { Parameter, Script } from '../../../nodes/act/script/definition.js';
import { fill, usageOf } from '../../../nodes/act/script/fill.js';
import { PotionError } from '../../../nodes/kit/errors.js';

const word = (pattern: string): Parameter => {
  const expression = RE2JS.compile(pattern);
  return { name: 'a', type: 'word', pattern, matches: (text) => expression.matches(text) };
};
const scriptOf = (...parameters: Parameter[]): Script => ({
  name: 'it',
  description: { id: 'x', 'en-US': 'x' },
  argv: ['/bin/echo', '-n', ...parameters.map(({ name }) => `{{${name}}}`), 'end'],
  parameters,
  timeout: 5,
  confirm: true,
  output: 'text',
});
const taken = async (parameter: Parameter, text: string) => (await fill(scriptOf(parameter), [text]))[2];
const refused = async (parameter: Parameter, text: string) => {
  await assert.rejects(fill(scriptOf(parameter), [text]), (thrown) => {
    assert.ok(thrown instanceof PotionError);
    assert.equal(thrown.cause.text, `script.errors.bad-${parameter.type}`);
    assert.match(thrown.hint, /\/script it/);
    return true;
  });
};

describe('what the chat gives a script', () => {
  it('fills its own places and no others, each as one element', async () => {
    const two = scriptOf({ name: 'a', type: 'choice', of: ['x'] }, { name: 'b', type: 'date' });
    assert.deepEqual(await fill(two, ['x', '2026-12-31']), ['/bin/echo', '-n', 'x', '2026-12-31', 'end']);
    assert.equal(usageOf(two), 'it <x> <b>');
  });

  it('must be as many as there are places', async () => {
    await assert.rejects(fill(scriptOf(word('.*')), []), /a is missing/);
    await assert.rejects(fill(scriptOf(word('.*')), ['x', 'y']), /"y" is one too many/);
  });

  it('is a whole number within its bounds, or none', async () => {
    const int: Parameter = { name: 'a', type: 'int', min: 1, max: 200 };
    assert.equal(await taken(int, '007'), '7');
    for (const text of ['0', '201', '-1', '1.5', '1e2', ' 1', '0x10', '', '--help', '９'])
      await refused(int, text);
    assert.equal(await taken({ ...int, min: -5 }, '-5'), '-5');
  });

  it('is never taken for an option, whatever the pattern lets through', async () => {
    for (const text of ['-rf', '--exec=sh', '-', '--']) await refused(word('.*'), text);
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 40 }), async (text) => {
        const [, , value] = await fill(scriptOf(word('(?s).*')), [text]).catch(() => ['', '', undefined]);
        if (value !== undefined)
          assert.ok(value === text && !value.startsWith('-') && !/\p{Cc}/u.test(value));
      }),
    );
  });

  it('must match the whole pattern, in a time that grows with the text alone', async () => {
    await refused(word('[a-z]+'), 'abc;id');
    assert.equal(await taken(word('[a-z]+'), 'abc'), 'abc');
    const before = performance.now();
    await refused(word('(a+)+b'), 'a'.repeat(500));
    assert.ok(performance.now() - before < 1000);
  });

  it('is what the list offers, also when that looks like an option, because root wrote it', async () => {
    const choice: Parameter = { name: 'a', type: 'choice', of: ['-v', 'quiet'] };
    assert.equal(await taken(choice, '-v'), '-v');
    for (const text of ['-x', 'Quiet', '']) await refused(choice, text);
  });

  it('is a day of the calendar', async () => {
    const date: Parameter = { name: 'a', type: 'date' };
    assert.equal(await taken(date, '2024-02-29'), '2024-02-29');
    for (const text of ['2026-02-29', '2026-13-01', '26-1-1', '2026-01-01T00', 'today'])
      await refused(date, text);
  });

  describe('as a path', () => {
    let root: string;
    let path: Parameter;
    before(() => {
      root = realpathSync(mkdtempSync(join(tmpdir(), 'potion-script-')));
      mkdirSync(join(root, 'in', '-dir'), { recursive: true });
      writeFileSync(join(root, 'in', 'file'), '');
      writeFileSync(join(root, 'out'), '');
      mkdirSync(join(root, 'inside-out'));
      symlinkSync(join(root, 'out'), join(root, 'in', 'leak'));
      symlinkSync('..', join(root, 'in', 'up'));
      symlinkSync('file', join(root, 'in', 'fine'));
      path = { name: 'a', type: 'path', root: join(root, 'in') };
    });
    after(() => rmSync(root, { recursive: true }));

    it('is the real path of something inside the root', async () => {
      assert.equal(await taken(path, 'file'), join(root, 'in', 'file'));
      assert.equal(await taken(path, 'fine'), join(root, 'in', 'file'));
      assert.equal(await taken(path, join(root, 'in', 'file')), join(root, 'in', 'file'));
      assert.equal(await taken(path, './-dir'), join(root, 'in', '-dir'));
      assert.equal(await taken(path, '.'), join(root, 'in'));
    });

    it('never leads out of the root, nor to nothing', async () => {
      for (const text of [
        'leak',
        'up/out',
        '..',
        '../inside-out',
        '../out',
        '/etc/passwd',
        'nothing',
        '-dir',
        '',
        '~',
      ])
        await refused(path, text);
    });
  });
});

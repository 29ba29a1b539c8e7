import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { RE2JS } from 're2js';
import { parseScripts } from '../../../nodes/act/script/scripts-file.js';
import { PotionError } from '../../../nodes/kit/errors.js';
import { allTexts, LANGUAGES } from '../../../nodes/kit/locale.js';
import { HOME } from '../../support/node-red.ts';

const compile = (pattern: string) => {
  const expression = RE2JS.compile(pattern);
  return (word: string) => expression.matches(word);
};
const read = (text: string) => parseScripts(text, compile);
const WORDS = 'description: { id: "satu", en-US: "one" }';

/** One script with these lines more. */
const one = (...lines: string[]) =>
  read(['scripts:', '  - name: it', `    ${WORDS}`, ...lines.map((line) => `    ${line}`)].join('\n'));
const wrong = (...lines: string[]) => {
  const { scripts, problems } = one(...lines);
  assert.deepEqual(scripts, []);
  return problems.map(({ line, text }) => `${line} ${text}`).join();
};
const ARGV = 'argv: [/usr/bin/du, "{{a}}"]';

describe('the list of scripts', () => {
  it('has an example that is sound', () => {
    const example = readFileSync(join(HOME, 'ops/install/files/scripts.example.yaml'), 'utf8');
    const { scripts, problems } = read(example);
    assert.deepEqual(problems, []);
    assert.deepEqual(
      scripts.map(({ name, confirm }) => [name, confirm]),
      [
        ['disk-usage', false],
        ['journal-size', false],
        ['logins', false],
      ],
    );
    const whole = read(
      example.replaceAll(/^ {2}# ?(.*)$/gm, '  $1').replace('  A script of your own', '  # A'),
    );
    assert.deepEqual(whole.problems, []);
    assert.equal(whole.scripts.at(-1)?.name, 'publish');
    assert.equal(whole.scripts.at(-1)?.confirm, true);
  });

  it('may be empty', () => {
    for (const text of ['', '# nothing yet\n', 'scripts: []\n'])
      assert.deepEqual(read(text), { scripts: [], problems: [] });
  });

  it('fills in what is left out, the careful way', () => {
    const [script] = one('argv: [/bin/true]').scripts;
    assert.deepEqual([script?.timeout, script?.confirm, script?.output], [60, true, 'text']);
  });

  it('goes on beside an entry that is wrong, and names its line', () => {
    const { scripts, problems } = read(
      `scripts:\n  - name: good\n    ${WORDS}\n    argv: [/bin/true]\n  - name: bad\n    ${WORDS}\n    argv: [/bin/true]\n    timeout: 4000\n`,
    );
    assert.deepEqual(
      scripts.map(({ name }) => name),
      ['good'],
    );
    assert.deepEqual(problems, [{ line: 8, name: 'bad', text: 'timeout', data: { most: 3600 } }]);
  });

  for (const [what, text, code] of [
    ['no YAML', 'scripts: [', 'script.errors.yaml'],
    ['another document', 'hello: world', 'script.errors.no-list'],
    ['more than the list', 'scripts: []\nmore: 1', 'script.errors.no-list'],
    ['a mere text', 'hello', 'script.errors.no-list'],
    ['a key twice', 'scripts: []\nscripts: []', 'script.errors.yaml'],
  ] as const)
    it(`is refused as a whole when it is ${what}`, () => {
      assert.throws(
        () => read(text),
        (thrown) => thrown instanceof PotionError && thrown.cause.text === code,
      );
    });

  for (const [what, lines, found] of [
    ['a name in capitals', ['name: X'], ''],
    ['an unknown key', ['argv: [/bin/true]', 'time_out: 5'], '5 unknown-key'],
    ['a relative program', ['argv: [du]'], '4 program'],
    ['a program with ..', ['argv: [/bin/../bin/true]'], '4 program'],
    ['a placeholder as program', ['argv: ["{{a}}"]', 'args: [{ name: a, type: date }]'], '4 program'],
    [
      'a placeholder inside an element',
      ['argv: [/bin/true, "--x={{a}}"]', 'args: [{ name: a, type: date }]'],
      '4 part-of-element',
    ],
    ['a placeholder of nothing', [ARGV], '4 no-such-argument'],
    [
      'an argument that is not used',
      ['argv: [/bin/true]', 'args:', '  - { name: a, type: date }'],
      '6 unused',
    ],
    ['a number without bounds', [ARGV, 'args:', '  - { name: a, type: int, min: 1 }'], '6 range'],
    ['bounds the wrong way round', [ARGV, 'args:', '  - { name: a, type: int, min: 2, max: 1 }'], '6 range'],
    ['a pattern that is none', [ARGV, 'args:', '  - { name: a, type: word, pattern: "(" }'], '6 pattern'],
    [
      'a pattern that looks back',
      [ARGV, 'args:', '  - { name: a, type: word, pattern: "(a)\\\\1" }'],
      '6 pattern',
    ],
    ['a choice of nothing', [ARGV, 'args:', '  - { name: a, type: choice, of: [] }'], '6 of'],
    ['a path from the root of all', [ARGV, 'args:', '  - { name: a, type: path, root: / }'], '6 root'],
    ['a limit of another kind', [ARGV, 'args:', '  - { name: a, type: date, min: 1 }'], '6 unknown-key'],
    ['no time at all', ['argv: [/bin/true]', 'timeout: 0'], '5 timeout'],
    ['a confirmation that is perhaps', ['argv: [/bin/true]', 'confirm: "no"'], '5 confirm'],
    [
      'an argument twice',
      ['argv: [/bin/true, "{{a}}"]', 'args:', '  - { name: a, type: date }', '  - { name: a, type: date }'],
      '7 twice',
    ],
    ['a number in argv', ['argv: [/bin/true, 5]'], '4 element'],
  ] as const)
    if (found) it(`refuses ${what}`, () => assert.equal(wrong(...lines), found));

  for (const argv of [
    '[/bin/sh, -c, "echo {{a}}"]',
    '[/bin/bash, -c, "echo $1", _, "{{a}}"]',
    '[/bin/bash, -lc, id]',
    '[/bin/bash, "{{a}}"]',
    '[/bin/bash]',
    '[/usr/bin/python3, -c, "import os"]',
    '[/usr/bin/python3.11, -m, http.server]',
    '[/usr/bin/perl, -e, "print 1"]',
    '[/usr/bin/node, --eval, "1"]',
    '[/usr/local/bin/ruby3.1, -e, "1"]',
    '[/usr/bin/env, bash, /opt/x.sh]',
    '[/bin/busybox, sh]',
    '[/usr/bin/sudo, /bin/true]',
    '[/usr/bin/xargs, /bin/true]',
    '[/usr/bin/timeout, "5", sh, -c, x]',
    '[/usr/bin/ssh, host]',
  ])
    it(`refuses the command line ${argv}, which could become a shell`, () => {
      const { problems } = one(
        `argv: ${argv}`,
        ...(argv.includes('{{a}}') ? ['args: [{ name: a, type: word }]'] : []),
      );
      assert.match(problems[0]?.text ?? '', /^(inline-code|launcher|part-of-element)$/);
    });

  it('takes an interpreter that is given a file', () => {
    for (const argv of ['[/usr/bin/python3, /opt/x.py, "{{a}}"]', '[/bin/bash, /opt/x.sh, "{{a}}"]'])
      assert.equal(one(`argv: ${argv}`, 'args: [{ name: a, type: word }]').scripts.length, 1);
  });

  it('takes no aliases, which hide what is there', () => {
    const text = `scripts:\n  - &a\n    name: it\n    ${WORDS}\n    argv: [/bin/true]\n  - *a\n`;
    assert.deepEqual(
      read(text).problems.map(({ text }) => text),
      ['alias'],
    );
  });

  it('takes no two of a name, and no more than a person can look over', () => {
    const entry = (name: string) => `  - name: ${name}\n    ${WORDS}\n    argv: [/bin/true]\n`;
    assert.equal(read(`scripts:\n${entry('a')}${entry('a')}`).problems[0]?.text, 'name-twice');
    const many = Array.from({ length: 61 }, (_, i) => entry(`s${i}`)).join('');
    assert.equal(read(`scripts:\n${many}`).problems[0]?.text, 'too-many');
  });

  it('has a text for everything that can be wrong, and never throws anything else, whatever the file says', () => {
    const key = fc.constantFrom('name', 'description', 'argv', 'args', 'timeout', 'confirm', 'output', 'x');
    const value = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom<unknown>('it', ['/bin/true'], ['/bin/sh', '-c'], [{ name: 'a', type: 'word' }], {
        id: 'a',
        'en-US': 'b',
      }),
    );
    fc.assert(
      fc.property(fc.array(fc.dictionary(key, value), { maxLength: 4 }), (scripts) => {
        for (const { text, line } of read(JSON.stringify({ scripts }, null, 1)).problems) {
          assert.ok(line >= 1);
          for (const lang of LANGUAGES) assert.ok(allTexts(lang).has(`script.problems.${text}`), text);
        }
      }),
    );
  });
});

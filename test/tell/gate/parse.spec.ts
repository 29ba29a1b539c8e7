import assert from 'node:assert/strict';
import fc from 'fast-check';
import { commandLine, parseCommand, printable, splitArgs, verdict } from '../../../nodes/tell/gate/parse.js';

describe('a command line', () => {
  it('has a name in lower case, an optional bot, and arguments', () => {
    assert.deepEqual(parseCommand('/SVC@PotionBot restart nginx.service'), {
      name: 'svc',
      bot: 'PotionBot',
      args: ['restart', 'nginx.service'],
      text: 'restart nginx.service',
    });
    assert.deepEqual(parseCommand('  /status\n'), { name: 'status', bot: undefined, args: [], text: '' });
  });

  const split: [string, string[]][] = [
    ['a  b\tc\nd', ['a', 'b', 'c', 'd']],
    ['"two words" one', ['two words', 'one']],
    ["'two words'", ['two words']],
    ['“two words” „zwei Worte“ ‘so too’', ['two words', 'zwei Worte', 'so too']],
    ['""', ['']],
    ['"say \\"hi\\"" "back\\\\slash"', ['say "hi"', 'back\\slash']],
    ['"never closed', ['"never', 'closed']],
    ['"glued"on', ['"glued"on']],
    ['it\'s 5" wide', ["it's", '5"', 'wide']],
    ['-rf --now -', ['-rf', '--now', '-']],
    ['; rm -rf / | cat $(id) `id`', [';', 'rm', '-rf', '/', '|', 'cat', '$(id)', '`id`']],
  ];
  for (const [text, args] of split) {
    it(`reads ${JSON.stringify(text)} as ${JSON.stringify(args)}`, () => {
      assert.deepEqual(splitArgs(text), args);
    });
  }

  for (const text of [
    '',
    '/',
    'status',
    '/a-b',
    '/x/y',
    '/ status',
    `/${'a'.repeat(33)}`,
    '//',
    '\\/x',
    'hi /status',
  ])
    it(`is not ${JSON.stringify(text)}`, () => assert.equal(parseCommand(text), undefined));

  it('comes back the same when written out and read again', () => {
    const name = fc.stringMatching(/^[a-z0-9_]{1,32}$/);
    const arg = fc.string({ unit: 'binary' }).map(printable);
    fc.assert(
      fc.property(name, fc.array(arg, { maxLength: 8 }), (name, args) => {
        const back = parseCommand(commandLine(name, args));
        assert.equal(back?.name, name);
        assert.deepEqual(back?.args, args);
      }),
      { numRuns: 2000 },
    );
  });

  it('never throws, and its arguments hold no control characters, whatever is sent', () => {
    const any = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), fc.string());
    fc.assert(
      fc.property(any, (rest) => {
        const read = parseCommand(`/x ${rest}`);
        for (const arg of read?.args ?? []) {
          assert.ok(arg.isWellFormed());
          assert.doesNotMatch(arg, /[^\P{Cc}\s]|[\u202a-\u202e]/u);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('takes time in proportion to its length, also for quotes that are never closed', () => {
    const time = (text: string) => {
      const start = performance.now();
      for (let i = 0; i < 20; i++) splitArgs(text);
      return performance.now() - start;
    };
    const nasty = (count: number) => '“a \'b "c «d '.repeat(count);
    time(nasty(100));
    const small = time(nasty(100));
    const large = time(nasty(800));
    assert.ok(large < Math.max(small, 1) * 64, `8 times the text took ${large / small} times as long`);
  });
});

describe('a word that answers', () => {
  for (const word of ['YA', 'ya', ' Ya!! ', 'yes', 'YES.', 'ya 👍', 'Ya…'])
    it(`${JSON.stringify(word)} is a yes`, () => assert.equal(verdict(word), true));
  for (const word of ['TIDAK', 'no', 'Batal.', 'NO!'])
    it(`${JSON.stringify(word)} is a no`, () => assert.equal(verdict(word), false));
  for (const word of ['', 'y', 'yaa', 'ya dong', 'yes please', 'iya', 'not', 'ya?no', '?', 'oke'])
    it(`${JSON.stringify(word)} is neither`, () => assert.equal(verdict(word), undefined));
});

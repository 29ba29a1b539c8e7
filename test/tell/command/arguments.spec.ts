import assert from 'node:assert/strict';
import fc from 'fast-check';
import { PotionError } from '../../../nodes/kit/errors.js';
import {
  parseForms,
  parsePattern,
  readArguments,
  readForms,
  usageOf,
  usageOfForms,
} from '../../../nodes/tell/command/arguments.js';

const UNITS = ['nginx.service', 'cloudflared.service', 'backup.timer'];

function given(pattern: string, ...args: string[]): unknown {
  try {
    return readArguments('svc', parsePattern(pattern), args, { units: UNITS });
  } catch (thrown) {
    if (!(thrown instanceof PotionError)) throw thrown;
    return `${thrown.code} ${thrown.cause.text}`;
  }
}

describe('a pattern of arguments', () => {
  const SVC = '<start|stop|restart> <unit>';

  it('names each argument and checks it', () => {
    assert.deepEqual(given(SVC, 'restart', 'nginx'), { action: 'restart', unit: 'nginx.service' });
    assert.deepEqual(given(SVC, 'STOP', 'backup.timer'), { action: 'stop', unit: 'backup.timer' });
    assert.deepEqual(given('<mode:fast|slow> <host>', 'slow', 'a b'), { mode: 'slow', host: 'a b' });
    assert.deepEqual(given('<n:int>', '-12'), { n: -12 });
    assert.deepEqual(given('<code> <why:rest>', 'cpu', 'too', 'loud', 'today'), {
      code: 'cpu',
      why: 'too loud today',
    });
  });

  it('knows optional ones, with a value to fall back on', () => {
    assert.deepEqual(given('<unit> [lines:1..500=50]', 'nginx'), { unit: 'nginx.service', lines: 50 });
    assert.deepEqual(given('<unit> [lines:1..500=50]', 'nginx', '7'), { unit: 'nginx.service', lines: 7 });
    assert.deepEqual(given('[host]'), {});
    assert.deepEqual(given('[why:rest]'), {});
  });

  it('refuses what does not fit, and says why', () => {
    assert.equal(given(SVC), 'INVALID command.missing');
    assert.equal(given(SVC, 'restart'), 'INVALID command.missing');
    assert.equal(given(SVC, 'destroy', 'nginx'), 'INVALID command.no-choice');
    assert.equal(given(SVC, 'stop', 'sshd'), 'DENIED command.not-allowed');
    assert.equal(given(SVC, 'stop', 'nginx', 'now'), 'INVALID command.too-many');
    for (const word of ['0', '501', '1.5', '0x10', '1e2', '٣', 'ten', '9'.repeat(40)])
      assert.equal(given('<n:1..500>', word), 'INVALID command.no-number', word);
  });

  it('takes everything when it is empty', () => {
    assert.deepEqual(given('', 'a', '--b'), {});
  });

  it('takes nothing when it is a lone dash', () => {
    assert.deepEqual(given('-'), {});
    assert.equal(given('-', 'a'), 'INVALID command.too-many');
    assert.equal(given('-', '-'), 'INVALID command.too-many');
    assert.equal(usageOf(parsePattern('-')), '');
    assert.throws(() => parsePattern('- <unit>'), PotionError);
  });

  it('tells the usage in the hint', () => {
    assert.throws(
      () => readArguments('svc', parsePattern(SVC), [], { units: UNITS }),
      (thrown: PotionError) => {
        assert.match(thrown.hint, /\/svc <start\|stop\|restart> <unit>/);
        return true;
      },
    );
    assert.equal(usageOf(parsePattern('<mode:a|b> <n:1..9> [unit] [why:rest]')), '<a|b> <n> [unit] [why]');
  });

  const wrong = [
    ...[
      'start',
      '<>',
      '[]',
      '<a b>',
      '<a',
      '<a:b:c>',
      '<a:float>',
      '<a:5..1>',
      '<a:x|>',
      '<1a>',
      '<args>',
      '<text>',
    ],
    ...[
      '<a> <a>',
      '[a] <b>',
      '<a:rest> <b>',
      '<n:int=3>',
      '[n:1..5=9]',
      '[m:x|y=z]',
      '[a=1=2]',
      '<constructor>',
    ],
    ...['<__proto__>', '<a|b> <c|d>'],
  ];
  for (const pattern of wrong)
    it(`makes no sense as ${pattern}`, () => assert.equal(given(pattern), 'INVALID command.bad-pattern'));

  it('lets only whitelisted units through, whatever is sent', () => {
    const word = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.constantFrom('-nginx', 'nginx ', 'NGINX', '../nginx', 'nginx.service\n'),
    );
    fc.assert(
      fc.property(word, (word) => {
        const result = given('<unit>', word);
        if (typeof result === 'string') return;
        assert.ok(UNITS.includes((result as { unit: string }).unit));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a command line of several forms', () => {
  const FORMS = parseForms('<start|stop|restart> <unit> | [unit]');
  const read = (...args: string[]) => readForms('svc', FORMS, args, { units: UNITS });
  const complaint = (...args: string[]) => {
    try {
      read(...args);
    } catch (thrown) {
      return (thrown as PotionError).cause.text;
    }
    return 'accepted';
  };

  it('is read by the first form that it fits', () => {
    const [unit = ''] = UNITS;
    assert.deepEqual(read(), {});
    assert.deepEqual(read(unit), { unit });
    assert.deepEqual(read('Stop', unit), { action: 'stop', unit });
  });

  it('is refused in the words of the form that was meant', () => {
    const [unit = ''] = UNITS;
    assert.equal(complaint('restart'), 'command.missing');
    assert.equal(complaint('restrat', unit), 'command.no-choice');
    assert.equal(complaint('restart', 'ssh'), 'command.not-allowed');
    assert.equal(complaint('ssh'), 'command.not-allowed');
    assert.equal(complaint('stop', unit, 'now'), 'command.too-many');
  });

  it('shows each form in its usage', () => {
    assert.equal(usageOfForms('/svc', FORMS), '<start|stop|restart> <unit> | /svc [unit]');
    assert.equal(usageOfForms('/x', parseForms('<a|b>')), '<a|b>');
    assert.equal(usageOfForms('/x', parseForms('')), '');
  });

  it('has no empty form', () => {
    for (const pattern of ['| <unit>', '<unit> |', '<unit> | | <unit>'])
      assert.throws(() => parseForms(pattern), PotionError, pattern);
  });
});

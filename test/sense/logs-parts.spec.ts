import assert from 'node:assert/strict';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { ManualClock, systemClock } from '../../nodes/kit/clock.js';
import { printableLine } from '../../nodes/kit/printable-line.js';
import { fileLine, headOf, journalLine, type LogLine, localTime } from '../../nodes/sense/logs/entry.js';
import { Live } from '../../nodes/sense/logs/live.js';
import { contentOf } from '../../nodes/sense/logs/log-file.js';
import { matcherOf } from '../../nodes/sense/logs/matcher.js';
import { show } from '../../nodes/sense/logs/view.js';
import { formatAudit } from '../../nodes/state/audit.js';
import { format } from '../../ops/runtime/log.js';

const NOW = new Date(2026, 10, 20, 14, 30).getTime();
const line = (words: string, more: Partial<LogLine> = {}): LogLine => ({
  at: NOW,
  words,
  text: words,
  place: words,
  ...more,
});

describe('a line of a log', () => {
  it('tells the time and weight that Potion wrote into it', () => {
    const at = new Date(2026, 10, 20, 10, 0, 0, 123).getTime();
    const levels = { 10: 'error', 20: 'error', 30: 'warn', 40: undefined } as const;
    for (const [level, told] of Object.entries(levels)) {
      const text = format({ level: Number(level), msg: 'hello', type: 'potion-x', id: '1', timestamp: at });
      const { words, ...found } = fileLine(text, 'p');
      assert.deepEqual(found, { at, text, place: 'p', ...(told ? { level: told } : {}) });
      assert.equal(words, '[potion-x:1] hello');
    }
    const audit = formatAudit({ at, user: 42, event: 'request', action: 'svc' });
    assert.deepEqual(headOf(audit), { at, length: 30 });
  });

  it('that continues another tells none', () => {
    for (const text of [
      '',
      '    at Object.<anonymous>',
      '2026-11-20 nothing',
      '2026-11-20T99:00:00.000+07:00 x',
    ])
      assert.equal(headOf(text), undefined, text);
  });

  it('of the journal has its author, and is coloured as syslog weighs it', () => {
    const of = (priority: number) =>
      journalLine({ at: NOW, message: 'gone', priority, from: 'nginx', cursor: 'c' });
    assert.deepEqual(of(6), {
      at: NOW,
      words: 'nginx: gone',
      text: `${localTime(NOW)} nginx: gone`,
      place: 'c',
    });
    assert.deepEqual(
      [0, 3, 4, 5].map((priority) => of(priority).level),
      ['error', 'error', 'warn', undefined],
    );
  });

  it('is harmless to show: no controls, colours or signs that turn the reading direction', () => {
    assert.equal(
      printableLine('\u001b[31mred\u001b[0m\tand \u202egnol\u202c\u0000\u0007!', 100),
      'red and  gnol !',
    );
    assert.equal(printableLine('a\ud800b', 100), 'a\ufffdb');
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 300 }),
        fc.integer({ min: 1, max: 80 }),
        (text, longest) => {
          const shown = printableLine(text, longest);
          assert.ok(shown.length <= longest + 1 && shown.isWellFormed());
          assert.doesNotMatch(shown, /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/u);
        },
      ),
    );
  });

  it('of two megabytes of escapes is dealt with at once', () => {
    const started = performance.now();
    printableLine('\u001b['.repeat(1_000_000), 4000);
    printableLine('\u009d'.repeat(2_000_000), 4000);
    assert.ok(performance.now() - started < 1000);
  });
});

describe('lines in a chat', () => {
  it('have the time of day, a colour where it matters, and a date where the day changes', () => {
    const yesterday = NOW - 86_400_000;
    const lines = [
      line('old', { at: yesterday }),
      line('bad', { level: 'error' }),
      line('hm', { level: 'warn' }),
    ];
    const stack = line('  at x', { continues: true });
    assert.equal(
      show([...lines, stack], 1000, NOW).text,
      '── 2026-11-19 ──\n14:30:00 old\n── 2026-11-20 ──\n14:30:00 🔴 bad\n14:30:00 🟡 hm\n  at x',
    );
  });

  it('are as many of the newest as fit, and say where the older ones are', () => {
    const words = fc.array(fc.string({ maxLength: 60 }), { maxLength: 40 });
    fc.assert(
      fc.property(words, fc.integer({ min: 60, max: 1000 }), (all, budget) => {
        const lines = all.map((text, i) => line(text, { place: `${i}` }));
        const { text, count, place } = show(lines, budget, NOW);
        assert.ok(text.length <= budget || count === 1);
        assert.equal(place, lines[lines.length - count]?.place);
        assert.equal(text.split('\n').length, Math.max(1, count));
        if (count < all.length) assert.ok(show(lines.slice(-count - 1), 100_000, NOW).text.length > budget);
      }),
    );
  });
});

describe('a search', () => {
  it('finds a text whatever its letters, with no sign in it taken for anything else', async () => {
    const matches = await matcherOf('Disk (/) 100%.');
    assert.ok(matches('x disk (/) 100%. y'));
    assert.ok(!matches('disk / 100%!'));
    assert.ok((await matcherOf('/'))('a/b'));
    assert.ok((await matcherOf('//'))('http://'));
  });

  it('finds a regular expression, and small letters for capitals only when it says so', async () => {
    assert.ok((await matcherOf('/time(d )?out$/'))('it timed out'));
    assert.ok(!(await matcherOf('/Timeout/'))('timeout'));
    assert.ok((await matcherOf('/Timeout/i'))('timeout'));
  });

  it('refuses what is no expression, or none of linear time', async () => {
    for (const wrong of ['/(/', '/a{2000}/', '/(?=x)/', '/(a)\\1/', '/[/', '/((a{100}){100}){100}/'])
      await assert.rejects(matcherOf(wrong), { code: 'INVALID' }, wrong);
  });

  it('takes time in proportion to the text, also for expressions that bring others to a halt', async () => {
    const started = performance.now();
    for (const [expression, text] of [
      ['/(a+)+$/', `${'a'.repeat(16_000)}!`],
      ['/(x+x+)+y/', 'x'.repeat(16_000)],
      ['/(.*)(.*)(.*)(.*)(.*)z/', 'b'.repeat(16_000)],
      ['/^(([a-z])+.)+[A-Z]([a-z])+$/', 'a'.repeat(16_000)],
    ] as const)
      assert.ok(!(await matcherOf(expression))(text));
    assert.ok(performance.now() - started < 2000);
  });

  it('agrees with JavaScript’s own expressions where those are harmless', async () => {
    const part = fc.constantFrom('a', 'b', '.', 'a*', 'b+', '(a|b)', '[ab]?', '^', '$', '\\d', 'c{2}');
    await fc.assert(
      fc.asyncProperty(
        fc.array(part, { minLength: 1, maxLength: 5 }),
        fc.string({ unit: fc.constantFrom(...'abc1'), maxLength: 8 }),
        async (parts, text) => {
          const source = parts.join('');
          assert.equal((await matcherOf(`/${source}/`))(text), new RegExp(source).test(text), source);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('lines as a file', () => {
  const LIMITS = { plain: 100, most: 10_000, time: 1000 };
  async function* newestFirst(lines: readonly LogLine[]) {
    for (const one of lines.toReversed()) yield one;
  }
  const made = async (texts: readonly string[], limits = LIMITS) => {
    const lines = texts.map((text, i) => line(text, { at: NOW + i }));
    const content = await contentOf(newestFirst(lines), limits, systemClock);
    return { ...content, text: (content.gzipped ? gunzipSync(content.bytes) : content.bytes).toString() };
  };

  it('are plain text while they are few, in their order', async () => {
    const { bytes, ...content } = await made(['one', 'two ☕']);
    assert.deepEqual(content, { gzipped: false, lines: 2, oldest: NOW, text: 'one\ntwo ☕\n' });
    assert.equal((await made([])).lines, 0);
  });

  it('are compressed when they are more, and all of them are there', async () => {
    const texts = Array.from({ length: 60_000 }, (_, n) => `line ${n} ${'x'.repeat(40)}`);
    const { text, gzipped, lines, cut } = await made(texts, { ...LIMITS, most: 1e7 });
    assert.deepEqual({ gzipped, lines, cut }, { gzipped: true, lines: 60_000, cut: undefined });
    assert.equal(text, texts.map((one) => `${one}\n`).join(''));
  });

  it('are the newest when not all fit, and say so', async () => {
    const texts = Array.from({ length: 120_000 }, () => crypto.randomUUID());
    const { text, lines, cut, bytes, oldest } = await made(texts, { ...LIMITS, most: 2_000_000 });
    assert.equal(cut, 'size');
    assert.ok(bytes.length <= 2_000_000 && lines > 10_000 && lines < 120_000);
    assert.equal(
      text,
      texts
        .slice(-lines)
        .map((one) => `${one}\n`)
        .join(''),
    );
    assert.equal(oldest, NOW + 120_000 - lines);
  });

  it('are the newest when time is up, and say so', async () => {
    const clock = new ManualClock();
    async function* slow() {
      for (let n = 0; ; n++) {
        clock.advance(100);
        yield line(`line ${n}`, { at: n });
      }
    }
    const { lines, cut } = await contentOf(slow(), LIMITS, clock);
    assert.deepEqual({ lines, cut }, { lines: 10, cut: 'time' });
  });
});

describe('a live view', () => {
  const start = (seconds = 60) => {
    const clock = new ManualClock();
    const closing = new AbortController();
    const shown: number[] = [];
    const live = new Live(clock, seconds, closing.signal, async () => void shown.push(clock.monotonic()));
    return { clock, closing, shown, live };
  };

  it('is shown at once, then at most every three seconds, and only when something is new', () => {
    const { clock, shown, live } = start();
    live.touch();
    clock.advance(0);
    for (let n = 0; n < 100; n++) {
      live.touch();
      clock.advance(100);
    }
    clock.advance(20_000);
    assert.deepEqual(shown, [0, 3000, 6000, 9000, 12_000]);
    live.touch();
    clock.advance(0);
    assert.equal(shown.length, 6);
  });

  it('ends by itself, and is not shown any more', async () => {
    const { clock, shown, live } = start(10);
    assert.equal(live.until, clock.now() + 10_000);
    clock.advance(10_000);
    live.touch();
    clock.advance(10_000);
    assert.equal(await live.ended, 'time');
    assert.deepEqual(shown, []);
  });

  it('ends when it is stopped, replaced, or its node closes', async () => {
    for (const why of ['stopped', 'replaced'] as const) {
      const { live } = start();
      live.end(why);
      live.end('time');
      assert.equal(await live.ended, why);
    }
    const { closing, live } = start();
    closing.abort();
    assert.equal(await live.ended, undefined);
  });

  it('fails when it can’t be shown', async () => {
    const clock = new ManualClock();
    const live = new Live(clock, 60, new AbortController().signal, () => Promise.reject(new Error('no')));
    live.touch();
    clock.advance(0);
    await assert.rejects(live.ended, /no/);
  });
});

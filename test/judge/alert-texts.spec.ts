import assert from 'node:assert/strict';
import { type AlertPayload, deliveryOf } from '../../nodes/judge/alert/delivery.js';
import type { EventKind, Rule } from '../../nodes/judge/alert/state-machine.js';
import { type Language, render } from '../../nodes/kit/locale.js';

const AT = Date.UTC(2026, 0, 5, 7, 5);

/** The message about one event as `say` renders it. */
function text(
  lang: Language,
  code: string,
  kind: EventKind,
  value: number | string | undefined,
  more: Partial<Rule> & {
    unit?: string;
    label?: string;
    series?: string;
    lasted?: number;
    isMissing?: boolean;
  } = {},
): string {
  const { unit = '', label = '', series = '', lasted = 310, isMissing = false, ...rule } = more;
  const since = AT - lasted * 1000;
  const told = deliveryOf({
    node: 'n',
    code,
    series,
    rule: { operator: 'above', threshold: 0.9, ...rule } as Rule,
    wording: { unit, label, severity: 'critical' },
    event: {
      kind,
      isChange: true,
      tell: true,
      sequence: 1,
      since,
      begun: since,
      at: AT,
      value,
      missing: isMissing,
    },
    silenced: false,
  });
  return render(lang, 'alert.message', { ...told, server: 'Rumah' });
}

const ratio = { unit: 'ratio' };
const failed = { operator: 'oneOf', threshold: ['failed'] } as const;

describe('what an alert says', () => {
  it('leaves out a value that is not known, as right after a restart', () => {
    assert.match(text('id', 'cpu', 'firing', undefined, ratio), /\nBatasnya 90%\. Sudah 5 menit/);
    assert.match(text('en-US', 'cpu', 'firing', undefined, ratio), /\nThe limit is 90\s?%\. It has been so/);
    const memory = { operator: 'below', threshold: 500 * 1024 ** 2, unit: 'bytes' } as const;
    assert.match(text('id', 'memory', 'firing', undefined, memory), /\nBatas amannya 500\sMB\./);
    assert.match(text('en-US', 'memory', 'firing', undefined, memory), /\nThe limit is 500\sMB\./);
  });

  it('is what happened, for how long, and what to do', () => {
    assert.equal(
      text('id', 'cpu', 'firing', 0.973, ratio),
      [
        '🔴 <b>CPU lagi ngos-ngosan</b> · Rumah',
        'Sekarang <b>97,3%</b>, batasnya 90%. Sudah 5 menit 10 detik begini.',
        '👉 Cek dulu lewat /status. Kalau belum reda juga, cari proses yang paling rakus lewat /top.',
      ].join('\n'),
    );
    assert.match(
      text('en-US', 'cpu', 'firing', 0.973, ratio),
      /^🔴 <b>The CPU is very busy<\/b> · Rumah\nNow <b>97.3%/,
    );
  });

  it('says in a reminder that it is still so, and at the end that it is over', () => {
    assert.match(text('id', 'cpu', 'reminder', 0.95, ratio), /^🔁 <b>CPU masih ngos-ngosan<\/b>/);
    assert.match(
      text('id', 'cpu', 'resolved', 0.4, ratio),
      /^✅ <b>CPU sudah aman lagi<\/b> · Rumah\nSekarang 40%.\nKejadiannya berlangsung 5 menit 10 detik, sejak /,
    );
    assert.match(text('en-US', 'cpu', 'reminder', 0.95, ratio), /^🔁 <b>The CPU is still very busy<\/b>/);
    assert.match(text('en-US', 'cpu', 'resolved', 0.4, ratio), /^✅ <b>The CPU is fine again<\/b>/);
  });

  it('writes each value in its unit', () => {
    const below = { operator: 'below', threshold: 500 * 2 ** 20, unit: 'bytes' } as const;
    assert.match(
      text('id', 'memory', 'firing', 3e8, below),
      /Sisa <b>286\sMB<\/b>, padahal batas amannya 500\sMB/,
    );
    assert.match(
      text('id', 'temperature', 'firing', 91.5, { unit: 'celsius', threshold: 85 }),
      /<b>91,5°C<\/b>, batasnya 85°C/,
    );
    assert.match(
      text('en-US', 'age', 'firing', 7200, { unit: 'seconds', threshold: 3600 }),
      /<b>2 hours<\/b>, the limit is 1 hour/,
    );
    assert.match(
      text('en-US', 'net', 'firing', 2048, { unit: 'rate', threshold: 1024 }),
      /<b>2\sKB\/s<\/b>, the limit is 1\sKB\/s/,
    );
    assert.match(text('id', 'service:x.service', 'firing', 'failed', failed), /Statusnya <b>failed<\/b>/);
  });

  it('says when it is about a reading that does not come, and guesses nothing', () => {
    for (const kind of ['firing', 'resolved'] as const) {
      const words = text('id', 'disk:/mnt/x', kind, undefined, { ...ratio, isMissing: true });
      assert.doesNotMatch(words, /hampir penuh|aman lagi|–/);
      assert.match(words, /Disk \/mnt\/x tidak (ada datanya|kelihatan lagi)/);
    }
  });

  it('gives a hint for whatever is watched', () => {
    for (const lang of ['id', 'en-US'] as const)
      for (const code of [
        'cpu',
        'load',
        'memory',
        'swap',
        'disk:/',
        'temperature',
        'service:x.service',
        'ups',
      ])
        for (const kind of ['firing', 'reminder'] as const)
          assert.match(text(lang, code, kind, 0.95, ratio), /\n👉 .{10}/, `${lang} ${code}`);
    assert.match(
      text('id', 'service:x.service', 'firing', 'failed', failed),
      /<code>\/svc restart x\.service<\/code>/,
    );
  });

  it('has the node’s own label and escapes everything that is not Potion’s', () => {
    const words = text('en-US', 'ups:<a>', 'firing', 180, {
      label: 'Volts & <amps>',
      series: '<a>',
      unit: 'number',
    });
    assert.match(words, /^🔴 <b>Volts &amp; &lt;amps&gt; &lt;a&gt; is too high<\/b>/);
    assert.match(text('id', 'disk:/<b>', 'firing', 0.95, ratio), /<b>Disk \/&lt;b&gt; hampir penuh<\/b>/);
  });

  it('has no gaps: no line is empty, nothing is left of the template', () => {
    const kinds: EventKind[] = ['firing', 'reminder', 'resolved'];
    for (const lang of ['id', 'en-US'] as const)
      for (const kind of kinds)
        for (const code of ['cpu', 'disk:/', 'service:x', 'ups'])
          for (const missing of [false, true])
            for (const lasted of [0, 300]) {
              const words = text(lang, code, kind, missing ? undefined : 0.5, {
                ...ratio,
                isMissing: missing,
                lasted,
              });
              assert.doesNotMatch(words, /\n\n|^\s|\s$| {2}|\{|\}|undefined|null| \./m, words);
            }
  });
});

describe('the payload of an alert', () => {
  it('is plain data: it is the same after a trip through the database', () => {
    const { payload } = deliveryOf({
      node: 'n',
      code: 'disk:/',
      series: '/',
      rule: { operator: 'above', threshold: 0.9 } as Rule,
      wording: { unit: 'ratio', label: '', severity: 'warning' },
      event: {
        kind: 'reminder',
        isChange: false,
        tell: true,
        sequence: 2,
        since: AT,
        begun: AT,
        at: AT + 1500,
        missing: true,
      },
      silenced: true,
    });
    assert.deepEqual(JSON.parse(JSON.stringify(payload)), payload);
    const { duration, reminder, silenced, missing, family } = payload satisfies AlertPayload;
    assert.deepEqual([duration, reminder, silenced, missing, family], [1.5, true, true, true, 'disk']);
  });
});

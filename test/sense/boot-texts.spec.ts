import assert from 'node:assert/strict';
import { type Language, render } from '../../nodes/kit/locale.js';

const TO = Date.UTC(2026, 0, 5, 7, 5, 50);

/** The message after an absence of so many seconds. */
function text(lang: Language, took: number): string {
  const off = { from: TO - took * 1000, to: TO, took };
  return render(lang, 'boot.message', { payload: { kind: 'restart', clean: false, server: 'Rumah', off } });
}

describe('what is said after an absence', () => {
  it('names both ends of a long one, and only the length of one within a minute', () => {
    assert.match(text('id', 14), /^😵 Aku sempat crash, tidak jaga sekitar 14 detik\. /);
    assert.match(text('en-US', 14), /^😵 I crashed and was away for about 14 seconds\. /);
    assert.match(text('id', 600), /tidak jaga dari \d\d\.55 sampai \d\d\.05 \(10 menit\)/);
    assert.match(text('en-US', 600), /away from \d\d:55 to \d\d:05 \(10 minutes\)/);
  });
});

describe('what is said after a boot that was wanted', () => {
  it('is who wanted it and how long it took, and nothing of a power cut', () => {
    const asked = { action: 'reboot', user: 42, took: 45 };
    const payload = {
      kind: 'boot',
      clean: true,
      server: 'Rumah',
      off: { from: TO - 50_000, to: TO, took: 50 },
      asked,
    };
    for (const [lang, words] of [
      ['id', /^✅ Aku kembali! .*Rumah.* setelah reboot yang diminta .*42.* \(45 detik\)/],
      ['en-US', /^✅ I'm back! .*Rumah.* after the reboot that .*42.* asked for \(45 seconds\)/],
    ] as const) {
      const said = render(lang, 'boot.message', { payload });
      assert.match(said, words);
      assert.doesNotMatch(said, /⚡|🔌/);
    }
    const unclean = render('id', 'boot.message', { payload: { ...payload, clean: false } });
    assert.match(unclean, /Aku kembali/);
  });
});

import assert from 'node:assert/strict';
import { PotionError, toPotionError, describe as words } from '../../nodes/kit/errors.js';
import { render, renderTemplate } from '../../nodes/kit/locale.js';

describe('texts', () => {
  it('escape every value for Telegram HTML, and only the values', () => {
    assert.equal(renderTemplate('id', '<b>{{ name }}</b>', { name: '<i>&' }), '<b>&lt;i&gt;&amp;</b>');
    assert.equal(renderTemplate('id', '{{ name }}', { name: '<i>&' }, 'plain'), '<i>&');
  });

  it('format numbers where they are read; a value that is missing is a dash, never 0', () => {
    assert.equal(
      renderTemplate('id', '{{ used | bytes }} {{ load | percent }}', { used: 1536, load: 0.5 }),
      '1,5\u00a0KB 50%',
    );
    assert.equal(renderTemplate('id', '{{ temperature | number }}°C', {}), '–°C');
  });

  it('cannot reach what is not their data', () => {
    assert.equal(renderTemplate('id', '{{ x.constructor }}{{ x.__proto__ }}', { x: {} }), '');
  });

  it('are the canon of the requirements', () => {
    assert.equal(render('id', 'processing'), 'Oke, lagi aku cek dulu server kamu. Sabar sebentar ya ⚙️');
    assert.equal(render('id', 'done.ok', { summary: 'aman' }), 'Beres! ✅ Ringkasan: aman');
    assert.match(
      render('id', 'done.fail', { error: { message: 'x', hint: '' } }),
      /^Kenapa ya\.\.\. ❌ Ada error: x/,
    );
    assert.equal(
      render('id', 'confirm', { action: 'reboot' }),
      'Yakin mau reboot? Balas <b>YA</b> kalau sudah mantap.',
    );
  });

  it('stand for themselves when they are unknown, so that no message is lost over one', () => {
    assert.equal(render('id', 'no.such.text'), 'no.such.text');
  });
});

describe('PotionError', () => {
  it('has a message, a hint and the facts as data', () => {
    const error = new PotionError('UNAVAILABLE', 'errors.program-missing', { program: 'rsync' });
    assert.equal(error.message, 'the program rsync is not installed');
    assert.match(error.hint, /apt install rsync/);
    assert.deepEqual(error.cause, {
      code: 'UNAVAILABLE',
      text: 'errors.program-missing',
      data: { program: 'rsync' },
    });
  });

  it('is made of anything that was thrown', () => {
    assert.equal(toPotionError(new Error('boom')).code, 'FAILED');
    assert.match(toPotionError('boom').message, /boom/);
    const own = new PotionError('BUSY', 'errors.unexpected');
    assert.equal(toPotionError(own), own);
    assert.equal(words({ a: 1 }), '{"a":1}');
  });
});

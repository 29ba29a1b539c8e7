import assert from 'node:assert/strict';
import { PotionError } from '../../nodes/kit/errors.js';
import { request, useSay } from './say-fixture.ts';

describe('say: its words', () => {
  const node = useSay();
  const { start, first, fails } = node;

  describe('has its words from', () => {
    it('a key of the texts, in Potion’s language', async () => {
      await start({ text: 'done.ok' });
      const html = (await first({ say: undefined, payload: {} })).html;
      assert.match(html, /^Beres! ✅/);
      await node.flow.stop();
      await start({ text: 'done.ok' }, { POTION_LANG: 'en-US' });
      assert.match((await first({ payload: {} })).html, /^Done! ✅/);
    });

    it('a template of its own, with values escaped and numbers as a reader writes them', async () => {
      await start({
        textType: 'template',
        text: '<b>{{ server }}</b> {{ payload.name }}: {{ payload.used | bytes }} ({{ payload.ratio | percent }})',
      });
      const { html } = await first({ payload: { name: '<sda> & co', used: 1536, ratio: 0.914 } });
      assert.equal(html, '<b>rumah</b> &lt;sda&gt; &amp; co: 1,5\u00a0KB (91%)');
    });

    it('the message itself, before its own', async () => {
      await start({ text: 'done.ok' });
      const { html } = await first({ say: { text: 'confirm', data: { action: '<reboot>' } } });
      assert.match(html, /^Yakin mau &lt;reboot&gt;\?/);
    });

    it('a failure that a Catch node passed on, before all, in the reader’s language', async () => {
      await start({ text: 'done.ok' });
      const { cause } = new PotionError('UNAVAILABLE', 'errors.program-missing', { program: 'rsync' });
      const { html, outcome } = await first({
        request,
        error: { message: 'the program rsync is not installed', cause },
        say: { text: 'confirm' },
      });
      assert.match(
        html,
        /^Kenapa ya\.\.\. ❌ Ada error: program rsync belum terpasang\n👉 Pasang dulu lewat apt/,
      );
      assert.equal(outcome, 'UNAVAILABLE');
    });

    it('the words of a node that is not Potion’s, without its secrets', async () => {
      await start();
      const token = '1234567890:AAHxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx';
      const { html } = await first({ error: { message: `GET http://x/bot${token}/getMe failed` } });
      assert.match(html, /GET http:\/\/x\/bot&lt;token&gt;\/getMe failed/);
      assert.ok(!html.includes(token));
    });

    it('nowhere: that is an error, not silence', async () => {
      await start();
      assert.equal(await fails({ payload: 1 }), 'say.nothing');
    });

    it('a template that renders to nothing: nothing is said, unless somebody asked', async () => {
      await start({ textType: 'template', text: '{% if payload %}yes{% endif %}' });
      node.flow.give('say', { payload: false });
      assert.equal((await first({ payload: true })).html, 'yes');
      assert.equal(node.flow.got('out').length, 1);
      assert.equal((await first({ payload: false, request })).html, '');
    });
  });

  it('sends what is long as a file, where the node says so, with its beginning', async () => {
    await start({ textType: 'template', text: '<pre>{{ payload }}</pre>', fileAbove: 1000 });
    const lines = Array.from({ length: 500 }, (_, i) => `line <${i}>`).join('\n');
    const { html, file } = await first({ payload: lines, request });
    assert.equal(file?.name, 'status.txt');
    assert.equal(Buffer.from(file?.base64 ?? '', 'base64').toString(), lines);
    assert.match(html, /^📎 Isinya panjang.*\n\nline &lt;0&gt;\n/);
    assert.equal((await first({ payload: 'short' })).file, undefined);
  });

  it('passes on a file of the message, but not a huge one inside it', async () => {
    await start({ text: 'done.ok' });
    const file = { name: 'a.log', path: '/var/log/a.log' };
    assert.deepEqual((await first({ say: { text: 'done.ok', file } })).file, file);
    const huge = { name: 'a.log', base64: 'x'.repeat(2e6) };
    assert.equal(await fails({ say: { text: 'done.ok', file: huge } }), 'say.file-too-large');
  });

  for (const [what, config, code] of [
    ['a broken template', { textType: 'template', text: '{% if %}' }, 'say.bad-template'],
    ['buttons that are no JSON', { buttons: '[[' }, 'say.bad-buttons'],
    ['buttons that lead nowhere', { buttons: '[[{"label":"x"}]]' }, 'say.bad-buttons'],
    ['a chat that is none', { to: 'chat', chat: '@home' }, 'say.bad-chat'],
  ] as const)
    it(`says at once what is wrong with ${what}`, async () => {
      await start({ text: 'done.ok', ...config });
      assert.equal(await fails({}), code);
      assert.equal(node.flow.statuses('say').at(-1)?.fill, 'red');
    });

  it('shows a text that does not exist, and sends its key rather than nothing', async () => {
    await start({ text: 'no.such.text' });
    assert.match(node.flow.statuses('say').at(-1)?.text ?? '', /tidak ada teks bernama no\.such\.text/);
    assert.equal((await first({})).html, 'no.such.text');
  });
});

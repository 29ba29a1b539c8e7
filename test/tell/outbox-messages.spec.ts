import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hang, tooMany } from '../../ops/sandbox/server.js';
import { useOutbox } from './outbox-fixture.ts';

describe('outbox, with the real sender node and a Bot API server: edits, parts and files', () => {
  const bench = useOutbox();
  const { start, draft, put, texts, arrives, waiting, until, sends } = bench;

  describe('one message in the chat', () => {
    it('is edited by later ones of its slot, and answered when it is over', async () => {
      await start();
      put(draft('🔴 down', { slot: 'i', kind: 'alert' }));
      const { message_id } = await arrives('🔴 down');
      put(draft('🟡 trying', { slot: 'i', kind: 'alert' }));
      await arrives('🟡 trying');
      put(draft('✅ up', { slot: 'i', kind: 'alert', reply: true, silent: true }));
      const answer = await arrives('✅ up');
      assert.deepEqual(texts(), ['🟡 trying', '✅ up']);
      assert.equal(answer.reply_to_message?.message_id, message_id);
      assert.equal(bench.telegram.chatLog().at(-1)?.silent, true);
    });

    it('is sent anew when it was deleted meanwhile', async () => {
      await start();
      put(draft('one', { slot: 's' }));
      const { message_id } = await arrives('one');
      bench.telegram.world.rooms.get(bench.telegram.user.id)?.entries.delete(message_id);
      put(draft('two', { slot: 's' }));
      const again = await arrives('two');
      put(draft('three', { slot: 's' }));
      assert.equal((await arrives('three')).message_id, again.message_id);
    });

    it('an edit that changes nothing has arrived', async () => {
      await start();
      put(draft('same', { slot: 's' }));
      await arrives('same');
      put(draft('same', { slot: 's' }), draft('next'));
      await arrives('next');
      assert.deepEqual(texts(), ['same', 'next']);
    });

    it('is the pressed button’s own where that is asked for, and loses its buttons', async () => {
      await start();
      put(draft('sure?', { inline: [[{ text: 'yes', callback_data: 'ok:1' }]] }));
      const { message_id } = await arrives('sure?');
      put(draft('done', { edit: message_id }));
      const edited = await arrives('done');
      assert.deepEqual([edited.message_id, edited.reply_markup], [message_id, undefined]);
    });
  });

  describe('a question', () => {
    const inline = [[{ text: 'yes', callback_data: 'ok:1' }]];
    const ask = async () => {
      await start();
      put(draft('sure?', { slot: 'request:1', request: '1', inline }));
      return arrives('sure?');
    };
    const strips = () => sends('editMessageReplyMarkup');
    const buttonsOf = (id: number) =>
      bench.telegram.messages().find((message) => message.message_id === id)?.reply_markup;

    it('loses its buttons when the first word about its answer arrives, and once', async () => {
      const { message_id } = await ask();
      put(draft('at work', { slot: 'request:2', request: '2', settles: 'request:1', interim: true }));
      await until(() => buttonsOf(message_id) === undefined);
      put(draft('done', { slot: 'request:2', request: '2', settles: 'request:1' }), draft('end'));
      await arrives('end');
      assert.deepEqual(texts(), ['sure?', 'done', 'end']);
      assert.equal(strips().length, 1);
    });

    it('that the answer has replaced is left alone', async () => {
      const { message_id } = await ask();
      put(draft('done', { edit: message_id, request: '2', settles: 'request:1' }), draft('end'));
      await arrives('end');
      assert.deepEqual(texts(), ['done', 'end']);
      assert.equal(strips().length, 0);
    });

    it('that is gone meanwhile costs the answer nothing', async () => {
      const { message_id } = await ask();
      bench.telegram.world.rooms.get(bench.telegram.user.id)?.entries.delete(message_id);
      put(draft('done', { slot: 'request:2', request: '2', settles: 'request:1' }), draft('end'));
      await arrives('end');
      assert.deepEqual(texts(), ['done', 'end']);
      await until(async () => (await waiting()).length === 0);
    });
  });

  describe('a long message', () => {
    const long = Array.from({ length: 900 }, (_, i) => `<b>${i}</b> line`).join('\n');

    it('comes in parts with its buttons below the last', async () => {
      await start();
      put(draft(long, { inline: [[{ text: 'more', callback_data: '/more' }]] }), draft('end'));
      await arrives('end');
      const parts = bench.telegram.messages().slice(0, -1);
      assert.ok(parts.length > 1 && parts.every((part) => (part.text ?? '').length <= 4096));
      assert.equal(parts.map((part) => part.text).join('\n'), long.replace(/<\/?b>/g, ''));
      assert.deepEqual(
        parts.map((part) => part.reply_markup !== undefined),
        parts.map((_, i) => i === parts.length - 1),
      );
    });

    it('resumes after a stop at the part that is missing', async () => {
      await start();
      bench.telegram.once('sent', () => bench.telegram.faults.add(hang, { method: 'sendMessage', times: 1 }));
      put(draft(long));
      await until(() => sends().length === 2);
      await bench.flow.stop();
      await start();
      await until(async () => (await waiting()).length === 0);
      assert.equal(texts().join('\n'), long.replace(/<\/?b>/g, ''));
    });
  });

  describe('a file', () => {
    const file = join(tmpdir(), `potion-outbox-${process.pid}.txt`);
    before(() => writeFileSync(file, 'line\n'.repeat(100)));
    after(() => rmSync(file, { force: true }));

    it('goes with its caption, from a path or from the message', async () => {
      await start();
      put(draft('the log', { file: { name: 'runtime.log', path: file } }));
      put(draft('inside', { file: { name: 'a.txt', base64: Buffer.from('hello').toString('base64') } }));
      const [log, inside] = [await caption('the log'), await caption('inside')];
      assert.deepEqual([log.document?.file_name, log.document?.file_size], ['runtime.log', 500]);
      assert.deepEqual([inside.document?.file_name, inside.document?.file_size], ['a.txt', 5]);
    });

    it('goes as a picture where it is one, and as a document where Telegram does not take it as a picture', async () => {
      await start();
      put(draft('broken', { file: { name: 'a.png', base64: Buffer.from('no png').toString('base64') } }));
      assert.equal((await caption('broken')).document?.file_name, 'a.png');
    });

    it('survives a 429, once', async () => {
      await start();
      bench.telegram.faults.add(tooMany(1), { method: 'sendDocument', times: 1 });
      put(
        draft('one', { file: { name: '1.txt', path: file } }),
        draft('two', { file: { name: '2.txt', path: file } }),
      );
      await caption('two');
      assert.deepEqual(texts(), ['one', 'two']);
    });

    it('has the words that do not fit below it in messages of their own', async () => {
      await start();
      const words = 'word '.repeat(400).trim();
      put(draft(words, { file: { name: 'x.txt', path: file } }));
      await arrives(words);
      assert.deepEqual(texts(), [undefined, words]);
    });

    it('that is gone is told instead', async () => {
      await start();
      put(draft('look', { file: { name: 'gone.txt', path: '/nonexistent/gone.txt' } }));
      await bench.telegram.waitFor((message) => /^look\n📎 gone.txt/.test(message.text ?? ''));
    });

    const caption = (text: string) => bench.telegram.waitFor((message) => message.caption === text, 5000);
  });
});

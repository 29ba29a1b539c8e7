import assert from 'node:assert/strict';
import { door } from '../../nodes/kit/door.js';
import { expand } from '../../nodes/state/shortcuts.js';
import { useSay } from './say-fixture.ts';

describe('say', () => {
  const node = useSay();
  const { start, first } = node;

  describe('buttons', () => {
    it('carry a command line, an answer or an address, with labels from texts or templates', async () => {
      const rows = [
        [
          { label: 'processing', command: '/svc restart {{ payload.unit }}' },
          { label: '<ok> & go', answer: 'ok:1' },
        ],
        [{ label: 'docs', url: 'https://example.org/' }],
      ];
      await start({ text: 'done.ok', buttons: JSON.stringify(rows) });
      const { inline } = await first({ payload: { unit: 'nginx.service' } });
      assert.deepEqual(inline, [
        [
          {
            text: 'Oke, lagi aku cek dulu server kamu. Sabar sebentar ya ⚙️',
            callback_data: '/svc restart nginx.service',
          },
          { text: '<ok> & go', callback_data: 'ok:1' },
        ],
        [{ text: 'docs', url: 'https://example.org/' }],
      ]);
    });

    it('one for each element of a list, in columns', async () => {
      const each = {
        each: 'payload',
        columns: 2,
        button: { label: '{{ item.name }}', command: '/x {{ item.name }}' },
      };
      await start({ text: 'done.ok', buttons: JSON.stringify([each]) });
      const { inline } = await first({ payload: ['a', 'b', 'c'].map((name) => ({ name })) });
      assert.deepEqual(
        inline?.map((row) => row.map(({ text }) => text)),
        [['a', 'b'], ['c']],
      );
      const many = await first({ payload: Array.from({ length: 150 }, (_, i) => ({ name: `${i}` })) });
      assert.equal(many.inline?.flat().length, 100, 'Telegram takes no more');
    });

    it('whose command is too long for Telegram carry the id of a shortcut', async () => {
      const command = `/svc restart ${'very-long-name-'.repeat(6)}.service`;
      await start({ text: 'done.ok' });
      const draft = await first({ say: { text: 'done.ok', buttons: [[{ label: 'x', command }]] } });
      const data = draft.inline?.[0]?.[0]?.callback_data ?? '';
      assert.ok(Buffer.byteLength(data) <= 64 && data.startsWith('#'));
      assert.equal(await expand(node.flow.db, data), command);
    });

    it('are not below a failure', async () => {
      await start({ text: 'done.ok', keyboard: true, buttons: '[[{"label":"x","command":"/x"}]]' });
      const draft = await first({ error: { message: 'no' } });
      assert.deepEqual([draft.inline, draft.keyboard], [undefined, undefined]);
    });

    it('of all commands stand below the chat where that is asked for', async () => {
      const leave = door.register(
        {
          name: 'look',
          aliases: [],
          button: { id: '📊 Status' },
          order: 1,
          description: '',
          usage: '',
          changes: false,
        },
        () => {},
      );
      try {
        await start({ text: 'done.ok' });
        assert.equal((await first({})).keyboard, undefined);
        assert.deepEqual((await first({ say: { text: 'done.ok', keyboard: true } })).keyboard, [
          ['📊 Status'],
        ]);
      } finally {
        leave?.();
      }
    });
  });
});

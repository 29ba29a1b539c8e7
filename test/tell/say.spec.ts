import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { ManualClock, systemClock } from '../../nodes/kit/clock.js';
import { readConfig, setConfig } from '../../nodes/kit/config.js';
import { setClock } from '../../nodes/kit/define-node.js';
import { door } from '../../nodes/kit/door.js';
import { PotionError } from '../../nodes/kit/errors.js';
import type { Draft, Message, Request } from '../../nodes/kit/messages.js';
import { expand } from '../../nodes/state/shortcuts.js';
import { type Running, startFlow } from '../support/node-red.ts';
import { botNode, deliveryNodes, startTelegram, telegramFlow } from '../support/telegram.ts';

const NOW = Date.UTC(2026, 0, 1);
const SAY = {
  id: 'say',
  type: 'potion-say',
  z: 'tab',
  x: 1,
  y: 1,
  text: '',
  textType: 'key',
  to: 'asker',
  chat: '',
  kind: 'auto',
  silent: false,
  editPressed: false,
  fileAbove: 0,
  buttons: '',
  keyboard: false,
  wires: [['out']],
};
const request: Request = {
  id: '7:1:2',
  user: 7,
  chat: 7,
  command: 'status',
  args: [],
  startedAt: NOW,
};
const incident = { id: 'i1', code: 'cpu', severity: 'warning', state: 'firing', since: NOW } as const;

describe('say', () => {
  let flow: Running;
  const start = async (config: object = {}, env: Record<string, string> = {}, base: object = SAY) => {
    setConfig(readConfig({ ADMIN_IDS: '1,2', SERVER_NAME: 'rumah', ...env }, '/tmp'));
    setClock(new ManualClock(NOW));
    flow = await startFlow(
      ['tell/say'],
      [
        { id: 'tab', type: 'tab' },
        { ...base, ...config },
        { id: 'out', type: 'helper', z: 'tab', x: 1, y: 1 },
        { id: 'catch', type: 'catch', z: 'tab', x: 1, y: 1, wires: [['caught']] },
        { id: 'caught', type: 'helper', z: 'tab', x: 1, y: 1 },
      ],
    );
    setClock(systemClock);
  };
  afterEach(async () => {
    await flow.stop();
    setConfig(undefined);
  });

  const said = async (msg: Message): Promise<Draft[]> => {
    const next = flow.next('out');
    flow.give('say', msg);
    return (await next).payload as Draft[];
  };
  const first = async (msg: Message): Promise<Draft> => (await said(msg))[0] as Draft;
  const fails = async (msg: Message): Promise<string | undefined> => {
    const caught = flow.next('caught');
    flow.give('say', msg);
    return (await caught).error?.cause?.text;
  };

  describe('has its words from', () => {
    it('a key of the texts, in Potion’s language', async () => {
      await start({ text: 'done.ok' });
      const html = (await first({ say: undefined, payload: {} })).html;
      assert.match(html, /^Beres! ✅/);
      await flow.stop();
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
      flow.give('say', { payload: false });
      assert.equal((await first({ payload: true })).html, 'yes');
      assert.equal(flow.got('out').length, 1);
      assert.equal((await first({ payload: false, request })).html, '');
    });
  });

  describe('tells', () => {
    it('whoever asked, and otherwise all admins', async () => {
      await start({ text: 'done.ok' });
      const [answer] = await said({ request });
      assert.deepEqual(
        [answer?.chat, answer?.kind, answer?.slot, answer?.request],
        [7, 'reply', 'request:7:1:2', '7:1:2'],
      );
      const notices = await said({});
      assert.deepEqual(
        notices.map(({ chat, kind, slot }) => [chat, kind, slot]),
        [
          [1, 'notice', undefined],
          [2, 'notice', undefined],
        ],
      );
    });

    it('all admins of what one asked for; only there it is an answer', async () => {
      await start({ text: 'done.ok', to: 'admins', editPressed: true });
      const drafts = await said({ request: { ...request, chat: 2, messageId: 9 } });
      assert.deepEqual(
        drafts.map((draft) => [draft.chat, draft.request, draft.edit]),
        [
          [1, undefined, undefined],
          [2, '7:1:2', 9],
        ],
      );
    });

    it('a chat of its own', async () => {
      await start({ text: 'done.ok', to: 'chat', chat: '-100123' });
      assert.deepEqual(
        (await said({ request })).map(({ chat }) => chat),
        [-100123],
      );
    });

    it('nobody: that is an error', async () => {
      await start({ text: 'done.ok' }, { ADMIN_IDS: '' });
      assert.equal(await fails({}), 'say.nobody');
    });
  });

  describe('a request', () => {
    it('is not answered by the processing text, nor by progress', async () => {
      await start({ text: 'done.ok' });
      assert.equal((await first({ request, say: { text: 'processing' } })).interim, true);
      assert.equal((await first({ request, say: { text: 'confirm', interim: true } })).interim, true);
      assert.equal((await first({ request })).interim, undefined);
    });

    it('from a button changes the message that carries it, where the node says so', async () => {
      await start({ text: 'done.ok', editPressed: true });
      const pressed = { ...request, messageId: 55 };
      assert.equal((await first({ request: pressed })).edit, 55);
      assert.equal((await first({ request: pressed, say: { text: 'processing' } })).edit, undefined);
      await flow.stop();
      await start({ text: 'done.ok' });
      assert.equal((await first({ request: pressed })).edit, undefined);
      const asked = await first({ request: pressed, say: { text: 'confirm', edit: true } });
      assert.deepEqual([asked.edit, asked.overwrite], [55, true]);
    });
  });

  describe('an incident', () => {
    it('is one message: edited as it proceeds, answered when it is over', async () => {
      await start({ text: 'done.ok' });
      const on = await first({ incident, timestamp: NOW - 5 });
      assert.deepEqual(
        [on.slot, on.kind, on.reply, on.over, on.silent, on.at],
        ['incident:i1', 'alert', false, false, false, NOW - 5],
      );
      const off = await first({ incident: { ...incident, state: 'resolved' } });
      assert.deepEqual([off.slot, off.reply, off.over], ['incident:i1', true, true]);
    });

    it('of little weight makes no sound, nor does one that asks for silence', async () => {
      await start({ text: 'done.ok' });
      assert.equal((await first({ incident: { ...incident, severity: 'info' } })).silent, true);
      assert.equal((await first({ incident, say: { text: 'done.ok', silent: true } })).silent, true);
    });

    it('rings again for a reminder', async () => {
      await start({ text: 'done.ok' });
      const again = await first({ incident, say: { text: 'done.ok', reply: true } });
      assert.deepEqual([again.reply, again.over], [true, false]);
    });

    it('has a key, so that one handed in twice is said once', async () => {
      await start({ text: 'done.ok' });
      const keys = await Promise.all([
        first({ incident, payload: { sequence: 3 } }).then((draft) => draft.dedupe),
      ]);
      const other = await first({ incident, payload: { sequence: 4 } });
      assert.equal(keys[0], 'say i1 firing 3');
      assert.notEqual(other.dedupe, keys[0]);
      assert.equal((await first({ say: { text: 'done.ok', dedupe: 'boot:1' } })).dedupe, 'say boot:1');
    });
  });

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
      assert.equal(await expand(flow.db, data), command);
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

  it('needs no more than its type', async () => {
    const { id, type, z, x, y, wires } = SAY;
    await start({}, {}, { id, type, z, x, y, wires });
    const [draft] = await said({ say: { text: 'done.ok' } });
    assert.deepEqual([draft?.chat, draft?.kind, draft?.file], [1, 'notice', undefined]);
  });

  it('keeps the rest of the message', async () => {
    await start({ text: 'done.ok' });
    const next = flow.next('out');
    flow.give('say', { payload: 1, topic: 'cpu', mine: true });
    const { topic, mine } = await next;
    assert.deepEqual([topic, mine], ['cpu', true]);
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
      assert.equal(flow.statuses('say').at(-1)?.fill, 'red');
    });

  it('shows a text that does not exist, and sends its key rather than nothing', async () => {
    await start({ text: 'no.such.text' });
    assert.match(flow.statuses('say').at(-1)?.text ?? '', /tidak ada teks bernama no\.such\.text/);
    assert.equal((await first({})).html, 'no.such.text');
  });
});

describe('say → outbox → telegram sender', () => {
  it('the processing text becomes the answer; where it can’t, it goes away', async () => {
    const telegram = await startTelegram();
    const { x, y, ...say } = SAY;
    const flow = await telegramFlow(
      ['tell/say', 'tell/outbox'],
      [
        botNode(telegram.url),
        { ...say, textType: 'template', text: '{{ payload }}', editPressed: true, wires: [['outbox']] },
        ...deliveryNodes(),
      ],
    );
    try {
      const chat = telegram.user.id;
      const ask = (id: string, more: object = {}) => ({ ...request, id, chat, user: chat, ...more });
      const arrives = (text: string) => telegram.waitFor((message) => message.text === text);
      const processing = () => telegram.waitFor((message) => /^Oke, lagi aku cek/.test(message.text ?? ''));

      flow.give('say', { request: ask('1'), say: { text: 'processing' } });
      const placeholder = await processing();
      flow.give('say', { request: ask('1'), payload: 'all is well' });
      assert.equal((await arrives('all is well')).message_id, placeholder.message_id);

      flow.give('say', { payload: 'a menu', request: ask('2') });
      const menu = await arrives('a menu');
      const pressed = ask('3', { messageId: menu.message_id });
      flow.give('say', { request: pressed, say: { text: 'processing' } });
      await processing();
      flow.give('say', { request: pressed, payload: 'restarted' });
      assert.equal((await arrives('restarted')).message_id, menu.message_id);
      const end = Date.now() + 2000;
      while (telegram.messages().length > 2 && Date.now() < end) await sleep(10);
      assert.deepEqual(
        telegram.messages().map((message) => message.text),
        ['all is well', 'restarted'],
      );
    } finally {
      await flow.stop();
      await telegram.stop();
    }
  });
});

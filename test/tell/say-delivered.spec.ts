import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { botNode, deliveryNodes, startTelegram, telegramFlow } from '../support/telegram.ts';
import { request, SAY } from './say-fixture.ts';

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

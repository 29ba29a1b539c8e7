import assert from 'node:assert/strict';
import type { Message } from '../../nodes/kit/messages.js';
import { answered } from '../../nodes/state/requests.js';
import {
  ADMIN,
  FLOW,
  type House,
  NOW,
  OTHER_ADMIN,
  openHouse,
  payloadOf,
  STRANGER,
} from '../support/door.ts';
import { message, press } from '../support/updates.ts';

const texts = (messages: Message[]) => messages.map((msg) => msg.say?.text);

describe('confirm', () => {
  let house: House;
  let nextId = 100;
  beforeEach(async () => {
    house = await openHouse();
    house.clock.advance(10_000);
  });
  afterEach(() => house.stop());

  /** Sends `/svc restart nginx` and returns the question that it leads to, as if `say` had passed it on. */
  async function askedBy(user = ADMIN, line = '/svc restart nginx') {
    const before = (await house.all('say')).length;
    await house.give(message(user, line, nextId++, house.clock.now()));
    const question = (await house.all('say'))[before];
    assert.ok(question?.request, 'there is no question');
    await answered(house.db, question.request.id, house.clock.now());
    const [yes = '', no = ''] = (question.say?.buttons?.[0] ?? []).map((button) =>
      'answer' in button ? button.answer : '',
    );
    return { question, yes, no };
  }

  const pressTexts = async () =>
    (await house.all('presses')).map((msg) => (msg.payload as { options: { text?: string } }).options.text);

  it('asks with two buttons that cannot be guessed and fit into Telegram’s 64 bytes', async () => {
    const { question, yes, no } = await askedBy();
    assert.equal(question.say?.text, 'confirm');
    assert.deepEqual(question.say?.data, { action: 'restart nginx.service' });
    assert.match(yes, /^ok:[\w-]{31}$/);
    assert.equal(no, yes.replace('ok:', 'no:'));
    assert.deepEqual(await house.all('done'), []);
  });

  it('goes on with the very message after a yes, as a request of its own that edits the question', async () => {
    const { yes } = await askedBy();
    const [asked] = await house.all('asked');
    await house.give(press(ADMIN, yes, '8001', 77));
    const [msg, more] = await house.all('done');
    assert.equal(more, undefined);
    assert.deepEqual(msg?.payload, asked?.payload);
    assert.equal(msg?.action, 'restart');
    assert.equal(msg?.request?.id, 'cb:8001');
    assert.equal(msg?.request?.messageId, 77);
    assert.equal(msg?.request?.command, 'svc');
    assert.deepEqual(await pressTexts(), ['On it ✅']);
  });

  it('leaves request, confirmation and result in the log, each with who it was', async () => {
    const { yes } = await askedBy();
    await house.give(press(ADMIN, yes, '8001'));
    await answered(house.db, 'cb:8001', house.clock.now(), 'FAILED');
    assert.deepEqual(await house.audit(), [
      '42 request svc restart nginx accepted',
      '42 confirm svc restart nginx.service asked',
      '42 confirm svc restart nginx.service yes',
      '42 result svc restart nginx FAILED',
    ]);
    assert.equal(house.log().filter((line) => line.includes('user=42')).length, 4);
  });

  for (const word of ['YA', 'yes!', 'Ya.'])
    it(`goes on after the word ${word}`, async () => {
      await askedBy();
      await house.give(message(ADMIN, word, 500, house.clock.now()));
      assert.equal((await house.all('done')).length, 1);
    });

  it('a word answers the newest open question of that person', async () => {
    await askedBy(ADMIN, '/svc stop nginx');
    house.clock.advance(10);
    await askedBy(ADMIN, '/svc start nginx');
    house.clock.advance(10);
    await askedBy(OTHER_ADMIN, '/svc restart nginx');
    await house.give(message(ADMIN, 'ya', 500, house.clock.now()));
    await house.give(message(ADMIN, 'ya', 501, house.clock.now()));
    await house.give(message(ADMIN, 'ya', 502, house.clock.now()));
    const actions = (await house.all('done')).map((msg) => msg.action);
    assert.deepEqual(actions, ['start', 'stop']);
    assert.equal(texts(await house.all('say')).at(-1), 'gate.no-question');
  });

  it('lets it be after a no, by button or by word', async () => {
    const { no, yes } = await askedBy();
    await house.give(press(ADMIN, no, '1'));
    await house.give(press(ADMIN, yes, '2'));
    await askedBy();
    await house.give(message(ADMIN, 'BATAL', 500, house.clock.now()));
    assert.deepEqual(await house.all('done'), []);
    assert.deepEqual(
      texts(await house.all('say')).filter((text) => text !== 'confirm'),
      ['gate.cancelled', 'gate.cancelled'],
    );
    assert.deepEqual(await pressTexts(), ['Okay, cancelled ❌', 'You have already answered this one 👍']);
  });

  it('takes one answer only, however often and fast it is pressed', async () => {
    const { yes } = await askedBy();
    for (let id = 1; id <= 10; id++) house.flow.give('gate', press(ADMIN, yes, String(id)));
    assert.equal((await house.all('done')).length, 1);
    const used = (await pressTexts()).filter((text) => text?.includes('already'));
    assert.equal(used.length, 9);
    assert.equal((await house.audit()).filter((line) => line.endsWith(' used')).length, 9);
  });

  it('is deaf to another admin, to a stranger and to an invented id', async () => {
    const { yes } = await askedBy();
    await house.give(press(OTHER_ADMIN, yes, '1'));
    await house.give(press(STRANGER, yes, '2'));
    await house.give(press(ADMIN, `ok:${'A'.repeat(31)}`, '3'));
    assert.deepEqual(await house.all('done'), []);
    assert.deepEqual(await pressTexts(), [
      'This question is not for you 🙂',
      'This button no longer works. Please send the command again.',
    ]);
    const tail = (await house.audit()).slice(2);
    assert.deepEqual(tail, [
      '43 confirm svc restart nginx.service not-yours',
      `666 refused callback_query ${yes} stranger`,
      '42 confirm unknown missing',
    ]);
    await house.give(press(ADMIN, yes, '4'));
    assert.equal((await house.all('done')).length, 1);
  });

  it('expires, says so below the question, and has no effect after that', async () => {
    const { yes, question } = await askedBy();
    house.clock.advance(60_000);
    const expired = (await house.all('say')).at(-1);
    assert.deepEqual(expired?.say, {
      text: 'confirm.expired',
      data: { action: 'restart nginx.service' },
      edit: true,
    });
    assert.equal(expired?.request?.id, question.request?.id);
    await house.give(press(ADMIN, yes, '1'));
    await house.give(message(ADMIN, 'ya', 500, house.clock.now()));
    assert.deepEqual(await house.all('done'), []);
    assert.deepEqual(await pressTexts(), ['This has expired ⏰ Please send the command again.']);
    assert.ok((await house.audit()).includes('42 confirm svc restart nginx.service expired'));
  });

  it('has expired by the time even where no timer has said so yet', async () => {
    const { yes } = await askedBy();
    house.clock.jump(house.clock.now() + 61_000);
    await house.give(press(ADMIN, yes, '1'));
    assert.deepEqual(await house.all('done'), []);
  });

  it('can be answered after a restart, and expires after one', async () => {
    const first = await askedBy();
    house.clock.advance(10);
    const second = await askedBy(ADMIN, '/svc stop nginx');
    await house.restart();
    await house.give(press(ADMIN, first.yes, '1'));
    const [msg] = await house.all('done');
    assert.equal(msg?.action, 'restart');
    assert.equal(payloadOf<{ unit: string }>(msg).unit, 'nginx.service');
    house.clock.advance(60_000);
    assert.deepEqual(texts(await house.all('say')).slice(-1), ['confirm.expired']);
    await house.give(press(ADMIN, second.yes, '2'));
    assert.equal((await house.all('done')).length, 1);
  });

  it('an answer that Telegram delivers again after a crash has no second effect', async () => {
    const { yes } = await askedBy();
    await house.give(press(ADMIN, yes, '1'));
    await house.restart();
    await house.give(press(ADMIN, yes, '1'));
    assert.deepEqual(await house.all('done'), []);
    assert.deepEqual(texts(await house.all('say')), ['gate.interrupted']);
  });

  it('a word that Telegram delivers again does not answer a newer question', async () => {
    await askedBy();
    const word = message(ADMIN, 'ya', 500, house.clock.now());
    await house.give(word);
    await askedBy(ADMIN, '/svc stop nginx');
    await house.give(word);
    assert.equal((await house.all('done')).length, 1);
  });

  it('a crash between the question’s keeping and its sending is told like any interruption', async () => {
    await house.give(message(ADMIN, '/svc restart nginx', 7, house.clock.now()));
    await house.restart();
    assert.deepEqual(texts(await house.all('say')), ['gate.interrupted']);
  });

  it('says so when the node that asked is gone from the flow', async () => {
    const { yes } = await askedBy();
    await house.restart(FLOW.filter((node) => node.id !== 'confirm'));
    await house.give(press(ADMIN, yes, '1'));
    assert.deepEqual(texts(await house.all('say')), ['gate.gone']);
    assert.equal((await house.audit()).at(-1), '42 result svc restart nginx node-gone');
  });

  it('fails clearly for a message that comes from nobody, or that can’t be kept', async () => {
    house.flow.give('confirm', { payload: 1 });
    const self: Message = { request: { id: 'x', user: 1, chat: 1, command: 'x', args: [], startedAt: 0 } };
    house.flow.give('confirm', { ...self, payload: self, self: { big: 10n } });
    house.flow.give('confirm', { ...self, payload: 'x'.repeat(300_000) });
    const codes = (await house.all('failed')).map((msg) => msg.error?.cause?.text);
    assert.deepEqual(codes, ['confirm.no-request', 'confirm.not-plain', 'confirm.too-large']);
  });

  it('shows how many questions are open', async () => {
    const { yes } = await askedBy();
    assert.equal(house.flow.statuses('confirm').at(-1)?.text, 'waiting for 1 answer(s)');
    await house.give(press(ADMIN, yes, '1'));
    assert.equal(house.flow.statuses('confirm').at(-1)?.text, undefined);
  });
});

describe('a confirm node that makes no sense', () => {
  for (const [what, config, key] of [
    ['without an action', { action: ' ' }, 'confirm.no-action'],
    ['with a broken template', { action: 'restart {{ payload.unit ' }, 'confirm.bad-template'],
    ['with a time of a year', { ttl: 31_536_000 }, 'confirm.bad-ttl'],
    ['with no time', { ttl: '' }, 'confirm.bad-ttl'],
  ] as const)
    it(`${what} says so and lets nothing through`, async () => {
      const flow = FLOW.map((node) => (node.id === 'confirm' ? { ...node, ...config } : node));
      const house = await openHouse(flow);
      try {
        await house.give(message(ADMIN, '/svc restart nginx', 7, NOW));
        assert.deepEqual(await house.all('done'), []);
        assert.ok((await house.all('failed')).every((msg) => msg.error?.cause?.text === key));
        assert.equal(house.flow.statuses('confirm')[0]?.fill, 'red');
      } finally {
        await house.stop();
      }
    });
});

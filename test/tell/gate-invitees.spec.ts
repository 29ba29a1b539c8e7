import assert from 'node:assert/strict';
import { config } from '../../nodes/kit/config.js';
import type { Message } from '../../nodes/kit/messages.js';
import { INVITED_FOR, invite } from '../../nodes/state/invitations.js';
import { ADMIN, type House, NOW, OTHER_ADMIN, openHouse, STRANGER } from '../support/door.ts';
import { message, press, received } from '../support/updates.ts';

const INVITED = 77;
const TOKEN = 'abcdefghijklmnopqrstuv';

describe('the gate and people who are invited to be admins', () => {
  let house: House;
  beforeEach(async () => {
    house = await openHouse();
  });
  afterEach(() => house.stop());

  const invited = () => invite(house.db, { user: INVITED, by: ADMIN, token: TOKEN, at: house.clock.now() });
  const said = async (): Promise<Message[]> => house.all('say');
  const texts = async () => (await said()).map((msg) => msg.say?.text);
  let number = 100;
  const write = (user: number, text: string, more: Record<string, unknown> = {}) =>
    house.give(message(user, text, number++, house.clock.now(), more));
  const answer = (user: number, data: string) => house.give(press(user, data, `${number++}`));

  it('asks the invited person, whatever that person writes, and tells both of the yes', async () => {
    await invited();
    await write(INVITED, '/svc stop nginx');
    const [question] = await said();
    assert.equal(question?.say?.text, 'gate.invite.question');
    assert.equal(question?.request?.chat, INVITED);
    assert.deepEqual(question?.say?.buttons, [
      [
        { label: '✅ Yes', answer: `join:yes:${TOKEN}` },
        { label: '❌ No', answer: `join:no:${TOKEN}` },
      ],
    ]);
    assert.deepEqual(await house.all('asked'), [], 'the command itself is not run');
    await answer(INVITED, `join:yes:${TOKEN}`);
    assert.deepEqual(await texts(), [
      'gate.invite.question',
      'gate.invite.welcome',
      'gate.invite.accepted-news',
    ]);
    const [, welcome, news] = await said();
    assert.equal(welcome?.request?.chat, INVITED);
    assert.equal(news?.request, undefined, 'all admins hear it');
    assert.deepEqual(config().adminIds, [ADMIN, OTHER_ADMIN, INVITED]);
    await write(INVITED, '/look');
    assert.equal((await house.all('looked')).length, 1, 'it counts at once');
    assert.ok((await house.audit()).includes(`${INVITED} invite admin ${INVITED} accepted`));
  });

  it('takes a no, and then knows a stranger', async () => {
    await invited();
    await write(INVITED, 'hello');
    await answer(INVITED, `join:no:${TOKEN}`);
    assert.deepEqual((await texts()).slice(1), ['gate.invite.declined', 'gate.invite.declined-news']);
    await write(INVITED, '/look');
    assert.deepEqual(config().adminIds, [ADMIN, OTHER_ADMIN]);
    assert.deepEqual(await house.all('looked'), []);
    assert.equal((await texts()).length, 3);
  });

  it('asks once, and lets nothing else of that person through', async () => {
    await invited();
    await write(INVITED, 'hello');
    await write(INVITED, '/look');
    await write(INVITED, 'YA');
    await answer(INVITED, '/look');
    await answer(INVITED, `join:yes:${TOKEN}x`);
    await answer(INVITED, 'join:yes:');
    assert.deepEqual(await texts(), ['gate.invite.question']);
    assert.deepEqual(await house.all('looked'), []);
    assert.deepEqual(config().adminIds, [ADMIN, OTHER_ADMIN]);
    assert.ok((await house.audit()).some((line) => line.startsWith(`${INVITED} refused`)));
  });

  it('is deaf to everyone else who knows the token, and to a yes before the question', async () => {
    await invited();
    await answer(INVITED, `join:yes:${TOKEN}`);
    await write(INVITED, 'hello');
    await answer(STRANGER, `join:yes:${TOKEN}`);
    await answer(OTHER_ADMIN, `join:yes:${TOKEN}`);
    await write(STRANGER, 'hello');
    assert.deepEqual(await texts(), ['gate.invite.question']);
    assert.deepEqual(config().adminIds, [ADMIN, OTHER_ADMIN]);
  });

  it('hears an invited person in the own chat alone, and only own words', async () => {
    await invited();
    await write(INVITED, 'hello', { chat: { id: -100, type: 'supergroup' } });
    await write(INVITED, 'hello', { forward_origin: { type: 'hidden_user' } });
    await write(INVITED, 'hello', { via_bot: { id: 9 } });
    await write(INVITED, 'hello', { from: { id: INVITED, is_bot: true } });
    await house.give(
      received('edited_message', {
        ...(message(INVITED, 'x', 5, NOW).originalMessage as object),
        edit_date: 1,
      }),
    );
    assert.deepEqual(await texts(), []);
  });

  it('does not take the same press twice, nor ask twice for one delivery', async () => {
    await invited();
    const update = message(INVITED, 'hello', 5, NOW);
    await house.give(update);
    await house.give(update);
    const yes = press(INVITED, `join:yes:${TOKEN}`, '900');
    await house.give(yes);
    await house.give(yes);
    assert.deepEqual(await texts(), [
      'gate.invite.question',
      'gate.invite.welcome',
      'gate.invite.accepted-news',
    ]);
    assert.equal((await house.audit()).filter((line) => line.endsWith('accepted')).length, 1);
  });

  it('lets an invitation end after ten minutes, and says so to the admins', async () => {
    await invited();
    await write(INVITED, 'hello');
    house.clock.advance(INVITED_FOR - 1);
    assert.deepEqual(await texts(), ['gate.invite.question']);
    house.clock.advance(60_000);
    assert.deepEqual(await texts(), ['gate.invite.question', 'gate.invite.expired-news']);
    await answer(INVITED, `join:yes:${TOKEN}`);
    await write(INVITED, 'hello?');
    assert.equal((await texts()).length, 2);
    assert.deepEqual(config().adminIds, [ADMIN, OTHER_ADMIN]);
  });

  it('asks again what a crash has kept from being said, and tells the news again under the same name', async () => {
    await invited();
    await write(INVITED, 'hello');
    await house.restart();
    assert.deepEqual(await texts(), ['gate.invite.question']);
    await answer(INVITED, `join:yes:${TOKEN}`);
    const before = (await said()).at(-1)?.say?.dedupe;
    await house.restart();
    assert.deepEqual(config().adminIds, [ADMIN, OTHER_ADMIN, INVITED]);
    const again = (await said()).find((msg) => msg.say?.text === 'gate.invite.accepted-news');
    assert.equal(again?.say?.dedupe, before);
  });
});

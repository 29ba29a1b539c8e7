import assert from 'node:assert/strict';
import { type Wired, wiringOf } from '../../../nodes/tell/outbox/wiring.js';

const outbox = (...wires: string[]): Wired => ({ id: 'outbox', type: 'potion-outbox', wires: [wires] });
const sender = (...wires: string[][]): Wired => ({ id: 'sender', type: 'telegram sender', wires });
const look = (box: Wired, ...others: Wired[]) =>
  wiringOf(box, (id) => [box, ...others].find((node) => node.id === id));

describe('the wiring of an outbox', () => {
  it('is whole when both outputs of its sender lead back', () => {
    assert.deepEqual(look(outbox('sender'), sender(['outbox'], ['outbox'])), {
      senders: ['sender'],
      whole: true,
    });
  });

  it('is not when results or errors get lost, or it leads nowhere', () => {
    assert.equal(look(outbox('sender'), sender(['outbox'], [])).whole, false);
    assert.equal(look(outbox('sender'), sender([], ['outbox'])).whole, false);
    assert.equal(look(outbox('sender'), sender(['outbox'])).whole, false);
    assert.equal(look(outbox()).whole, false);
  });

  it('may go through other nodes and links', () => {
    const between = { id: 'out', type: 'link out', wires: [], links: ['in'] };
    const link = { id: 'in', type: 'link in', wires: [['outbox']] };
    const delay = { id: 'delay', type: 'delay', wires: [['sender']] };
    assert.deepEqual(look(outbox('delay'), delay, sender(['out'], ['out']), between, link), {
      senders: ['sender'],
      whole: true,
    });
  });

  it('comes to an end in a circle', () => {
    const round = { id: 'a', type: 'delay', wires: [['a', 'outbox']] };
    assert.deepEqual(look(outbox('a'), round), { senders: [], whole: true });
  });
});

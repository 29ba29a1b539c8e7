import assert from 'node:assert/strict';
import { type CommandSpec, Door } from '../../../nodes/kit/door.js';
import { decide, STALE } from '../../../nodes/tell/gate/decide.js';
import type { Update } from '../../../nodes/tell/gate/identify.js';

const NOW = Date.UTC(2026, 0, 1);
const UPDATE: Update = {
  id: '1:1:1',
  user: 1,
  chat: 1,
  text: '',
  sentAt: NOW,
  messageId: 1,
  forwarded: false,
  group: false,
};

const door = new Door();
const SPEC: CommandSpec = {
  name: 'svc',
  aliases: ['service'],
  order: 1,
  description: '',
  usage: '',
  changes: true,
};
door.register(SPEC, () => {});
door.register({ ...SPEC, name: 'status', aliases: [], changes: false, button: { id: '⚙️ Status' } }, () => {});
door.register({ ...SPEC, name: 'stats', aliases: [], changes: false, hidden: true }, () => {});

function meaning(text: string, more: Partial<Update> = {}, backlog = false) {
  const decision = decide({ ...UPDATE, text, ...more }, { door, now: NOW, backlog, botName: 'potion' });
  const { do: what } = decision;
  if (decision.do === 'run') return `${what} ${decision.spec.name} [${decision.args}]`;
  if (decision.do === 'unknown') return `${what} ${decision.name} → ${decision.nearest}`;
  if (decision.do === 'hint') return `${what} ${decision.about}`;
  return `${what} ${Object.values(decision)
    .slice(1)
    .filter((value) => typeof value !== 'object')
    .join(' ')}`.trim();
}
const pressed = (text: string, backlog = false) => meaning(text, { press: '9', sentAt: undefined }, backlog);
const old = { sentAt: NOW - STALE - 1 };

describe('what an admin’s update means', () => {
  it('a command, by its name, an alias or a button’s label', () => {
    assert.equal(meaning('/svc restart nginx'), 'run svc [restart,nginx]');
    assert.equal(meaning('/service restart "a b"'), 'run svc [restart,a b]');
    assert.equal(meaning('⚙️ Status'), 'run status []');
    assert.equal(meaning('⚙ Status'), 'run status []');
  });

  it('a button under a message: a command line, an answer or a shortcut', () => {
    assert.equal(pressed('/svc restart nginx'), 'run svc [restart,nginx]');
    assert.equal(pressed('ok:abc-_9'), 'answer abc-_9 true');
    assert.equal(pressed('no:abc'), 'answer abc false');
    assert.equal(pressed('#xyz'), 'expand xyz');
    for (const data of ['', 'svc', 'ok:', 'ok:a b', '#', '#a#b', 'maybe:1', '⚙️ Status', 'YA'])
      assert.equal(pressed(data), 'hint button', data);
  });

  it('an answer and a shortcut are nothing when they are typed', () => {
    assert.equal(meaning('ok:abc'), 'hint text');
    assert.equal(meaning('#xyz'), 'hint text');
  });

  it('a yes or a no to the newest question, unless it comes late', () => {
    assert.equal(meaning('Ya!'), 'answer-newest true');
    assert.equal(meaning('batal'), 'answer-newest false');
    assert.equal(meaning('ya', old), 'hint text');
  });

  it('an unknown command suggests one that is listed', () => {
    assert.equal(meaning('/stauts'), 'unknown stauts → status');
    assert.equal(meaning('/stat'), 'unknown stat → status');
    assert.equal(meaning('/stats'), 'run stats []');
    assert.equal(meaning('/constructor'), 'unknown constructor → undefined');
    assert.equal(meaning('/__proto__'), 'unknown __proto__ → undefined');
  });

  it('what is forwarded is no command, no answer and no button', () => {
    assert.equal(meaning('/svc restart nginx', { forwarded: true }), 'hint forwarded');
    assert.equal(meaning('YA', { forwarded: true }), 'hint text');
    assert.equal(meaning('⚙️ Status', { forwarded: true }), 'hint text');
  });

  it('in a group, a command for another bot is not ours', () => {
    const group = { group: true, chat: -5 };
    assert.equal(meaning('/status@OtherBot', group), 'ignore other-bot');
    assert.equal(meaning('/status@Potion', group), 'run status []');
    assert.equal(meaning('/status', group), 'run status []');
    assert.equal(meaning('/status@whatever'), 'run status []');
  });

  it('late, it is asked again when it changes something, and done when it only reads', () => {
    assert.equal(meaning('/svc restart "a b"', old), 'ask-again /svc restart "a b"');
    assert.equal(meaning('/status', old), 'run status []');
    assert.equal(meaning('/svc x', { sentAt: NOW - STALE }), 'run svc [x]');
  });

  it('from the future by more than a little, its age is unknown, so it is asked again too', () => {
    assert.equal(meaning('/svc x', { sentAt: NOW + 30_000 }), 'run svc [x]');
    assert.equal(meaning('/svc x', { sentAt: NOW + STALE + 1 }), 'ask-again /svc x');
  });

  it('a press among updates that have waited may be an old one', () => {
    assert.equal(pressed('/svc x', true), 'ask-again /svc x');
    assert.equal(pressed('/status', true), 'run status []');
    assert.equal(pressed('ok:abc', true), 'answer abc true');
  });

  it('a press is no older than the message with the button', () => {
    const on = (carriedAt: number) => meaning('/svc x', { press: '9', sentAt: undefined, carriedAt }, true);
    assert.equal(on(NOW - 1000), 'run svc [x]');
    assert.equal(on(NOW - STALE - 1), 'ask-again /svc x');
    assert.equal(on(NOW + STALE + 1), 'ask-again /svc x');
  });
});

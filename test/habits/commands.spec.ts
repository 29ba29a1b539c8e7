import assert from 'node:assert/strict';
import { allTexts, LANGUAGES } from '../../nodes/kit/locale.js';
import { changesSomething, effectsOf, type FlowNode, shippedNodes } from '../support/changes.ts';

const nodes = shippedNodes();
const commands = nodes.filter(({ type }) => type === 'potion-command');
const way = (path: readonly string[]) => path.join(' → ');

describe('every command of the flows', () => {
  for (const command of commands) {
    const name = `/${command.command}`;

    it(`${name} changes something only after a yes`, () => {
      const hasty = effectsOf(command, nodes).filter(({ confirmed }) => !confirmed);
      assert.deepEqual(
        hasty.map(({ path, action }) => `${way(path)} (${action})`),
        [],
        'put a confirm node before it, or name the action as harmless in test/support/changes.ts',
      );
    });

    it(`${name} says so when it changes something, so that it is never repeated by itself`, () => {
      if (command.changes) return;
      const effects = effectsOf(command, nodes).map(({ path, action }) => `${way(path)} (${action})`);
      assert.deepEqual(effects, [], 'set "changes" on the command');
    });

    if (!command.hidden)
      it(`${name} has a line for /help in every language`, () => {
        for (const lang of LANGUAGES) assert.ok(allTexts(lang).has(String(command.description)), lang);
      });
  }

  it('is found at all', () => assert.ok(commands.length > 10));

  it('is looked at in vain for what is not there: a flow without the question is noticed', () => {
    const careless = nodes.map((node) =>
      node.type === 'potion-confirm' ? { ...node, type: 'switch' } : node,
    );
    const svc = careless.find(({ command }) => command === 'svc') as FlowNode;
    assert.ok(effectsOf(svc, careless).some(({ confirmed, action }) => !confirmed && action === 'stop'));
    const reboot = careless.find(({ command }) => command === 'reboot') as FlowNode;
    assert.ok(effectsOf(reboot, careless).some(({ confirmed }) => !confirmed));
  });

  it('counts as a change what nobody has called harmless', () => {
    assert.ok(changesSomething('potion-systemctl', 'restart'));
    assert.ok(changesSomething('potion-systemctl', undefined));
    assert.ok(!changesSomething('potion-systemctl', 'list'));
    assert.ok(changesSomething('exec', undefined));
    assert.ok(!changesSomething('potion-say', undefined));
  });
});

describe('every confirmation of the flows', () => {
  for (const node of nodes.filter(({ type }) => type === 'potion-confirm'))
    it(`${node.id} is open for a minute at most`, () => assert.ok(Number(node.ttl) <= 60, `${node.ttl} s`));
});

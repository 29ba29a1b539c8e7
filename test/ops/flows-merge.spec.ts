import assert from 'node:assert/strict';
import { mergeFlows } from '../../ops/install/flows/merge.js';
import { describeConflicts } from '../../ops/install/flows/texts.js';
import { lint } from '../../ops/runtime/flows/lint.js';
import type { Credentials, FlowNode, Flows } from '../../ops/runtime/flows/model.js';

const TAB: FlowNode = { id: 'tab', type: 'tab', label: 'Alerts' };
const BOT: FlowNode = { id: 'bot', type: 'telegram bot', botname: 'b' };
const SAY: FlowNode = { id: 'say', type: 'potion-say', z: 'tab', text: 'hot', x: 300, y: 80, wires: [[]] };
const CPU: FlowNode = {
  id: 'cpu',
  type: 'potion-alert',
  z: 'tab',
  name: 'CPU',
  limit: 80,
  bot: 'bot',
  x: 100,
  y: 80,
  wires: [['say']],
};
const BASE = [TAB, CPU, SAY, BOT];

const flows = (nodes: FlowNode[], credentials: Credentials = {}): Flows => ({ nodes, credentials });
/** The nodes of BASE with changes by id; null deletes. */
const edit = (changes: Record<string, object | null>, more: FlowNode[] = []) =>
  flows([
    ...BASE.filter(({ id }) => changes[id] !== null).map((node) => ({ ...node, ...changes[node.id] })),
    ...more,
  ]);
const merge = (mine: Flows, shipped: Flows, base = flows(BASE)) => {
  const { flows: merged, conflicts } = mergeFlows(base, mine, shipped);
  return {
    merged,
    conflicts,
    kinds: conflicts.map(({ id, kind }) => `${id}: ${kind}`),
    node: (id: string) => merged.nodes.find((node) => node.id === id),
    ids: merged.nodes.map(({ id }) => id).sort(),
  };
};

describe('merging flows', () => {
  it('takes what only Potion changed and keeps what only the person changed', () => {
    const { node, kinds } = merge(edit({ say: { text: 'warm' } }), edit({ cpu: { limit: 90 } }));
    assert.equal(node('say')?.text, 'warm');
    assert.equal(node('cpu')?.limit, 90);
    assert.deepEqual(kinds, []);
  });

  it("keeps the person's node whole where both changed it, and says what Potion has", () => {
    const { node, conflicts } = merge(
      edit({ cpu: { limit: 70 } }),
      edit({ cpu: { limit: 90, name: 'Processor' } }),
    );
    assert.deepEqual(node('cpu'), { ...CPU, limit: 70 });
    assert.deepEqual(conflicts, [
      {
        kind: 'changed-by-both',
        id: 'cpu',
        type: 'potion-alert',
        name: 'CPU',
        tab: 'Alerts',
        differences: [
          { property: 'name', base: 'CPU', mine: 'CPU', shipped: 'Processor' },
          { property: 'limit', base: 80, mine: 70, shipped: 90 },
        ],
      },
    ]);
  });

  it('puts new content where the person has moved the node', () => {
    const { node, kinds } = merge(edit({ cpu: { x: 500, y: 500 } }), edit({ cpu: { limit: 90 } }));
    assert.deepEqual(node('cpu'), { ...CPU, limit: 90, x: 500, y: 500 });
    assert.deepEqual(kinds, []);
  });

  it('leaves a node where the person has put it when Potion moved it too', () => {
    const { node, kinds } = merge(edit({ cpu: { x: 500 } }), edit({ cpu: { x: 200, limit: 90 } }));
    assert.deepEqual(node('cpu'), { ...CPU, limit: 90, x: 500 });
    assert.deepEqual(kinds, ['cpu: place']);
  });

  it('does not bring back what the person deleted, and says when Potion has changed it', () => {
    const shipped = edit({ say: { text: 'too hot' } });
    const mine = edit({ say: null, cpu: { wires: [[]] } });
    const { ids, kinds } = merge(mine, shipped);
    assert.deepEqual(ids, ['bot', 'cpu', 'tab']);
    assert.deepEqual(kinds, ['say: deleted-by-you']);
    assert.deepEqual(merge(mine, edit({ cpu: { limit: 90 } })).kinds, ['cpu: changed-by-both']);
  });

  it('drops what Potion gave up, unless the person changed it', () => {
    const shipped = edit({ say: null, cpu: { wires: [[]] } });
    assert.deepEqual(
      merge(edit({ say: { x: 900 } }), shipped).ids,
      ['bot', 'cpu', 'tab'],
      'a move keeps nothing',
    );
    const { node, kinds } = merge(edit({ say: { text: 'warm' } }), shipped);
    assert.equal(node('say')?.text, 'warm');
    assert.deepEqual(kinds, ['say: deleted-by-potion']);
  });

  it("keeps what the person's own nodes are wired to, with the tab and the config node they need", () => {
    const own = { id: 'own', type: 'inject', z: 'tab', bot: 'bot', x: 100, y: 300, wires: [['say']] };
    const { merged, ids, kinds, node } = merge(edit({}, [own]), flows([]));
    assert.deepEqual(ids, ['bot', 'cpu', 'own', 'say', 'tab']);
    assert.deepEqual(node('own'), own);
    assert.deepEqual(
      kinds.sort(),
      ['bot', 'cpu', 'say', 'tab'].map((id) => `${id}: still-used`),
    );
    assert.deepEqual(lint(merged.nodes), []);
  });

  it('brings a new node without its wire to what the person deleted', () => {
    const added = { id: 'new', type: 'inject', z: 'tab', x: 100, y: 300, wires: [['say', 'cpu']] };
    const mine = edit({ say: null, cpu: { wires: [[]] } });
    const { node, conflicts } = merge(mine, edit({}, [added]));
    assert.deepEqual(node('new'), { ...added, wires: [['cpu']] });
    assert.deepEqual(conflicts, [
      {
        kind: 'without',
        id: 'new',
        type: 'inject',
        name: '',
        tab: 'Alerts',
        differences: [{ property: 'wires', mine: [['cpu']], shipped: [['say', 'cpu']] }],
      },
    ]);
  });

  it('names a config node that a new node would use and the person deleted', () => {
    const mine = edit({ bot: null, cpu: { bot: '' } });
    const { conflicts } = merge(mine, edit({}, [{ id: 'new', type: 'x', z: 'tab', bot: 'bot', x: 1, y: 1 }]));
    assert.deepEqual(
      conflicts.map(({ id, differences }) => [id, differences]),
      [['new', [{ property: 'uses', shipped: 'bot' }]]],
    );
  });

  it('leaves out, and names, what stands on a tab that the person deleted', () => {
    const { ids, kinds } = merge(
      flows([BOT]),
      edit({}, [{ id: 'new', type: 'x', z: 'tab', x: 1, y: 1, wires: [] }]),
    );
    assert.deepEqual(ids, ['bot']);
    assert.deepEqual(kinds, ['new: no-place']);
  });

  it('never leaves an instance without its subflow: with that missing, no flow would start', () => {
    const sub: FlowNode = { id: 'sub', type: 'subflow', name: 'Twice', in: [], out: [] };
    const instance = (id: string) => ({ id, type: 'subflow:sub', z: 'tab', x: 1, y: 1, wires: [] });
    const base = edit({}, [sub]);
    const left = merge(edit({}), edit({}, [sub, instance('new')]), base);
    assert.deepEqual(left.kinds, ['new: no-place']);
    const kept = merge(edit({}, [sub, instance('own')]), edit({}), base);
    assert.deepEqual(kept.kinds, ['sub: still-used']);
    assert.ok(kept.node('sub'));
  });

  it("counts a node's credential as part of it", () => {
    const token = (name: string) => ({ bot: { token: `\${${name}}` } });
    const base = flows(BASE, token('BOT_TOKEN'));
    const mine = flows(BASE, token('MY_TOKEN'));
    const same = merge(mine, flows(edit({ cpu: { limit: 90 } }).nodes, token('BOT_TOKEN')), base);
    assert.deepEqual(same.merged.credentials, token('MY_TOKEN'));
    assert.deepEqual(same.kinds, []);
    const shipped = flows(edit({ bot: { botname: 'new' } }).nodes, token('BOT_TOKEN'));
    const both = merge(mine, shipped, base);
    assert.deepEqual(both.kinds, ['bot: changed-by-both']);
    assert.equal(both.node('bot')?.botname, 'b');
    assert.deepEqual(both.merged.credentials, token('MY_TOKEN'));
  });

  it('lets both add to one group, and widens its frame to hold all', () => {
    const group: FlowNode = {
      id: 'g',
      type: 'group',
      z: 'tab',
      name: 'G',
      nodes: ['say'],
      x: 200,
      y: 40,
      w: 200,
      h: 80,
    };
    const member = (id: string, x: number) => ({
      id,
      type: 'debug',
      z: 'tab',
      g: 'g',
      name: id,
      x,
      y: 80,
      wires: [],
    });
    const grouped = (more: FlowNode[], w: number) =>
      edit({ say: { g: 'g' } }, [{ ...group, w, nodes: ['say', ...more.map(({ id }) => id)] }, ...more]);
    const { merged, node } = merge(
      grouped([member('own', 500)], 400),
      grouped([member('new', 800)], 700),
      grouped([], 200),
    );
    assert.deepEqual(node('g')?.nodes, ['say', 'own', 'new']);
    assert.deepEqual(lint(merged.nodes), []);
  });

  it('keeps the order of tabs that the person chose, and puts new tabs behind their neighbour', () => {
    const tab = (id: string) => ({ id, type: 'tab', label: id });
    const tabs = (...ids: string[]) => flows(ids.map(tab));
    const order = (mine: Flows, shipped: Flows) => {
      const { merged, kinds } = merge(mine, shipped, tabs('a', 'b', 'c'));
      return [merged.nodes.map(({ id }) => id).join(''), ...kinds];
    };
    assert.deepEqual(order(tabs('c', 'a', 'b'), tabs('a', 'n', 'b', 'c')), ['canb']);
    assert.deepEqual(order(tabs('a', 'o', 'b', 'c'), tabs('c', 'b', 'a')), ['cbao']);
    assert.deepEqual(order(tabs('c', 'a', 'b'), tabs('b', 'a', 'c')), ['cab', ': order']);
  });

  it('takes nothing for given up where no base is known', () => {
    const { ids, kinds, node } = merge(
      edit({ cpu: { limit: 1 } }),
      edit({ say: null }, [{ ...TAB, id: 'n' }]),
      flows([]),
    );
    assert.deepEqual(ids, ['bot', 'cpu', 'n', 'say', 'tab']);
    assert.deepEqual(kinds, ['cpu: added-by-both']);
    assert.equal(node('cpu')?.limit, 1);
  });
});

describe('telling what was not taken', () => {
  const { conflicts } = merge(
    edit({ cpu: { limit: 70, code: 'a\nb\nc' }, say: null }),
    edit({ cpu: { limit: 90, code: 'a\nB\nc' }, say: { text: 'too hot', wires: [['cpu']] } }),
  );

  it('names tab, node, and each property from one to the other, in both languages', () => {
    assert.equal(
      describeConflicts(conflicts, 'en-US'),
      `Changes of Potion that were not taken, or not whole (2):
  Alerts › “CPU” (potion-alert, cpu)
      you and Potion both changed it: yours stays (yours → Potion)
      limit: 70 → 90
      code:
        - b
        + B
  Alerts › without a name (potion-say, say)
      you deleted it, Potion changed it: it stays deleted (was → Potion)
      text: "hot" → "too hot"
      wires: [[]] → [["cpu"]]`,
    );
    assert.match(
      describeConflicts(conflicts, 'id'),
      /^Perubahan dari Potion .* \(2\):\n.*punyamu tetap .*limit: 70 → 90/s,
    );
  });

  it('shows of a long value the part that differs', () => {
    const long = (end: string) => ({ cpu: { name: `${'x'.repeat(500)}${end}` } });
    const text = describeConflicts(merge(edit(long('mine')), edit(long('ours'))).conflicts, 'en-US');
    assert.match(text, /name: …x+mine" → …x+ours"$/);
  });
});

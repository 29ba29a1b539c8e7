import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import fc from 'fast-check';
import { arrange } from '../../ops/runtime/flows/arrange.js';
import type { FlowNode, Flows } from '../../ops/runtime/flows/model.js';
import { parseFiles } from '../../ops/runtime/flows/parse.js';

const NASTY = [
  '',
  '.',
  '..',
  '../../etc/passwd',
  'a/b',
  'C:\\x',
  '🚀',
  '🚀 Dashboard',
  'Ärger',
  '監視',
  'config',
];
const LABEL = fc.oneof(
  fc.constantFrom(...NASTY, 'x'.repeat(500), '監'.repeat(500)),
  fc.string({ unit: 'grapheme' }),
);
const REFERENCE = `\${BOT_TOKEN}`;
const JSON_VALUE = fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify(value)));

/** Ids as the editor makes them, and as a hand or an old version may. */
const ID = fc.oneof(
  fc.stringMatching(/^[0-9a-f]{16}$/),
  fc.stringMatching(/^[0-9a-f]{8}\.[0-9a-f]{5}$/),
  fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme' }),
);

/** Any set of tabs, subflows and nodes of all kinds that passes the checks. */
const FLOWS: fc.Arbitrary<Flows> = fc
  .record({
    ids: fc.uniqueArray(ID, { minLength: 2, maxLength: 25, selector: (id) => id }),
    labels: fc.array(LABEL, { minLength: 25, maxLength: 25 }),
    picks: fc.array(fc.nat(), { minLength: 25, maxLength: 25 }),
    extras: fc.array(fc.dictionary(fc.string({ maxLength: 8 }), JSON_VALUE, { maxKeys: 3 }), {
      minLength: 25,
      maxLength: 25,
    }),
    owners: fc.integer({ min: 1, max: 6 }),
  })
  .map(({ ids, labels, picks, extras, owners }) => {
    const nodes: FlowNode[] = [];
    for (const [index, id] of ids.entries()) {
      const [label, pick, extra] = [labels[index] as string, picks[index] as number, extras[index] as object];
      // Own properties must not be overwritten by arbitrary ones of the same name.
      const free = Object.fromEntries(Object.entries(extra).map(([key, value]) => [`p-${key}`, value]));
      const tabs = nodes.filter(({ type }) => type === 'tab' || type === 'subflow');
      const home = tabs[pick % (tabs.length || 1)];
      if (index < owners || !home)
        nodes.push(
          pick % 3 ? { id, type: 'tab', label, ...free } : { id, type: 'subflow', name: label, ...free },
        );
      else nodes.push(member(id, home.id, label, pick, free, nodes));
    }
    const credentials = Object.fromEntries(
      nodes.filter(({ type }) => type === 'bot').map(({ id }) => [id, { token: REFERENCE }]),
    );
    return { nodes, credentials };
  });

function member(id: string, z: string, name: string, pick: number, free: object, all: FlowNode[]): FlowNode {
  const place = { x: (pick % 40) * 20, y: (pick % 30) * 20 };
  const groups = all.filter((node) => node.type === 'group' && node.z === z);
  const g = groups.length > 0 && pick % 2 ? { g: groups[pick % groups.length]?.id } : {};
  const kinds: FlowNode[] = [
    { id, type: 'bot', name, ...free },
    { id, type: 'mqtt-broker', z, name, ...free },
    { id, type: 'group', z, ...g, name, nodes: [], w: 200, h: 100, ...place, ...free },
    { id, type: 'junction', z, ...place, wires: [['a', 'b']] },
    { id, type: 'debug', z, ...g, name, ...place, wires: [], ...free },
    { id, type: 'inject', z, ...g, name, ...place, wires: [[all[0]?.id], []], ...free },
  ];
  return kinds[pick % kinds.length] as FlowNode;
}

const byId = ({ nodes }: Flows) => Object.fromEntries(nodes.map((node) => [node.id, node]));
const ordered = ({ nodes }: Flows, type: string) => nodes.filter((n) => n.type === type).map(({ id }) => id);

describe('flows as files', () => {
  it('come back as they were: every node, the order of tabs and of subflows, the credentials', () => {
    fc.assert(
      fc.property(FLOWS, (flows) => {
        const back = parseFiles(arrange(flows));
        assert.deepEqual(byId(back), byId(flows));
        assert.equal(back.nodes.length, flows.nodes.length);
        for (const type of ['tab', 'subflow']) assert.deepEqual(ordered(back, type), ordered(flows, type));
        assert.deepEqual(back.credentials, flows.credentials);
      }),
    );
  });

  it('have names that stay in the folder, fit any file system and differ', () => {
    fc.assert(
      fc.property(FLOWS, (flows) => {
        const names = [...arrange(flows).keys()];
        for (const name of names) {
          assert.equal(resolve('/flows', name), `/flows/${name}`);
          assert.ok(Buffer.byteLength(name) <= 255, name);
          assert.match(name, /^[\p{L}\p{N}][^/\\\p{C}\p{Z}]*$/u);
        }
        const owners = flows.nodes.filter(({ type }) => type === 'tab' || type === 'subflow').length;
        const shared = ['config.json', 'credentials.json', 'order.txt'];
        assert.equal(names.filter((name) => !shared.includes(name)).length, owners);
      }),
    );
  });

  it('do not change when the same flows are saved again', () => {
    fc.assert(
      fc.property(FLOWS, (flows) => {
        const files = arrange(flows);
        assert.deepEqual(arrange(parseFiles(files), files), files);
      }),
    );
  });

  it('do not change when another client sends nodes and properties in another order', () => {
    fc.assert(
      fc.property(FLOWS, fc.infiniteStream(fc.nat()), (flows, random) => {
        const files = arrange(apart(flows));
        const shuffle = <T>(list: T[]) =>
          list
            .map((entry) => ({ entry, key: random.next().value as number }))
            .sort((a, b) => a.key - b.key)
            .map(({ entry }) => entry);
        const owner = ({ type }: FlowNode) => type === 'tab' || type === 'subflow';
        const { nodes, credentials } = apart(flows);
        const mixed = [...nodes.filter(owner), ...shuffle(nodes.filter((node) => !owner(node)))].map(
          (node) => Object.fromEntries(shuffle(Object.entries(node))) as FlowNode,
        );
        assert.deepEqual(arrange({ nodes: mixed, credentials }, files), files);
      }),
    );
  });
});

/** The same flows with no two boxes on one another, where the order of drawing can't be seen. */
function apart({ nodes, credentials }: Flows): Flows {
  return {
    credentials,
    nodes: nodes.map((node, index) => ('x' in node ? { ...node, x: 0, y: index * 1000 } : node)),
  };
}

const tab = (id: string, label: string): FlowNode => ({ id, type: 'tab', label });
const node = (id: string, z: string, x = 100, y = 100): FlowNode => ({
  id,
  type: 'debug',
  z,
  x,
  y,
  wires: [],
});
const files = (nodes: FlowNode[], before?: Map<string, string>) =>
  arrange({ nodes, credentials: {} }, before);

describe('the name of a flow file', () => {
  it('is what can be read of the label, and the id', () => {
    const named = (label: string, id = 'a1') => [...files([tab(id, label)]).keys()][0];
    assert.equal(named('🚀 Engine Room'), 'engine-room.a1.json');
    assert.equal(named('Ruang mesin / no. 2'), 'ruang-mesin-no-2.a1.json');
    assert.equal(named('../../etc/passwd'), 'etc-passwd.a1.json');
    assert.equal(named('🎛️'), 'tab.a1.json');
    assert.equal(named('監視'), '監視.a1.json');
    assert.match(named('x', '../up') ?? '', /^x\.up-[0-9a-f]{12}\.json$/);
  });

  it('keeps two tabs of one name apart', () => {
    const names = [...files([tab('a1', 'Main'), tab('b2', 'Main')]).keys()];
    assert.deepEqual(names, ['main.a1.json', 'main.b2.json', 'order.txt']);
  });

  it('follows the label, and stays when a person has chosen it until then', () => {
    const byHand = new Map([['cockpit.json', JSON.stringify([tab('a1', 'Main'), node('n', 'a1')])]]);
    assert.deepEqual([...files([tab('a1', 'Main')], byHand).keys()], ['cockpit.json', 'order.txt']);
    assert.deepEqual([...files([tab('a1', 'Bridge')], byHand).keys()], ['bridge.a1.json', 'order.txt']);
  });
});

describe('a change in the editor', () => {
  const before = files([tab('t', 'T'), tab('u', 'U'), node('a', 't', 100, 100), node('b', 't', 400, 100)]);
  const lines = (name: string, now: Map<string, string>) => changedLines(before.get(name), now.get(name));

  it('that moves a node changes its two lines and no others', () => {
    const now = files([tab('t', 'T'), tab('u', 'U'), node('b', 't', 420, 160), node('a', 't')], before);
    assert.deepEqual(lines('t.t.json', now), [
      ['"x": 400', '"x": 420'],
      ['"y": 100', '"y": 160'],
    ]);
    assert.equal(now.get('u.u.json'), before.get('u.u.json'));
    assert.equal(now.get('order.txt'), before.get('order.txt'));
  });

  it('that moves a tab changes the order alone', () => {
    const now = files(
      [tab('u', 'U'), tab('t', 'T'), node('a', 't', 100, 100), node('b', 't', 400, 100)],
      before,
    );
    assert.deepEqual(lines('order.txt', now), [
      ['t.t.json', 'u.u.json'],
      ['u.u.json', 't.t.json'],
    ]);
    assert.equal(now.get('t.t.json'), before.get('t.t.json'));
  });

  it('that brings an overlapped node to the front is kept', () => {
    const stacked = files([tab('t', 'T'), node('a', 't', 100, 100), node('b', 't', 110, 110)]);
    const now = files([tab('t', 'T'), node('b', 't', 110, 110), node('a', 't', 100, 100)], stacked);
    assert.deepEqual(ordered(parseFiles(now), 'debug'), ['b', 'a']);
  });

  it('leaves a file that a person has formatted otherwise as it is while it says the same', () => {
    const byHand = new Map([['t.json', '[{"id":"t","type":"tab","label":"T"}]']]);
    assert.equal(files([tab('t', 'T')], byHand).get('t.json'), byHand.get('t.json'));
  });

  it('adds a node where it was drawn: behind the one it follows', () => {
    const now = files(
      [tab('t', 'T'), tab('u', 'U'), node('a', 't'), node('new', 't', 700), node('b', 't', 400)],
      before,
    );
    assert.deepEqual(ordered(parseFiles(now), 'debug'), ['a', 'new', 'b']);
  });
});

describe('the text of a flow file', () => {
  it('has one property per line, wires and small lists on one line, place and wires last', () => {
    const list = files([
      tab('t', 'T'),
      {
        wires: [['b'], []],
        y: 80,
        x: 120,
        rules: [{ t: 'eq', v: 'x' }],
        z: 't',
        type: 'switch',
        id: 'a',
        checkall: 'true',
        long: ['x'.repeat(60), 'y'.repeat(60)],
      },
    ]);
    assert.equal(
      list.get('t.t.json'),
      `[
  {
    "id": "t",
    "type": "tab",
    "label": "T"
  },
  {
    "id": "a",
    "type": "switch",
    "z": "t",
    "checkall": "true",
    "long": [
      "${'x'.repeat(60)}",
      "${'y'.repeat(60)}"
    ],
    "rules": [{ "t": "eq", "v": "x" }],
    "x": 120,
    "y": 80,
    "wires": [["b"], []]
  }
]
`,
    );
  });

  it('lists outer groups before inner ones, as the editor does when it loads', () => {
    const group = (id: string, g?: string): FlowNode => ({
      id,
      type: 'group',
      z: 't',
      g,
      x: 0,
      y: 0,
      w: 9,
      h: 9,
    });
    const list = files([tab('t', 'T'), group('inner', 'outer'), group('innermost', 'inner'), group('outer')]);
    assert.deepEqual(ordered(parseFiles(list), 'group'), ['outer', 'inner', 'innermost']);
  });
});

/** Lines of two equally long texts that differ, without their commas: the old one, then the new one. */
function changedLines(before = '', after = ''): string[][] {
  const [old, now] = [before, after].map((text) =>
    text.split('\n').map((line) => line.trim().replace(/,$/, '')),
  );
  assert.equal(old?.length, now?.length);
  return (old as string[]).map((line, index) => [line, now?.[index] as string]).filter(([a, b]) => a !== b);
}

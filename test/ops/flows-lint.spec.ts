import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromBundle } from '../../ops/runtime/flows/bundle.js';
import { installedTypes } from '../../ops/runtime/flows/installed.js';
import { readFlows } from '../../ops/runtime/flows/keeper.js';
import { lint } from '../../ops/runtime/flows/lint.js';
import type { FlowNode } from '../../ops/runtime/flows/model.js';

const HOME = join(import.meta.dirname, '..', '..');
const TYPES = installedTypes(HOME, join(HOME, 'no-user-folder'));

const TAB: FlowNode = { id: 't', type: 'tab', label: 'T' };
const at = (id: string, x: number, y: number, more: object = {}): FlowNode => ({
  id,
  type: 'debug',
  z: 't',
  name: id,
  x,
  y,
  wires: [],
  ...more,
});
const group = (more: object = {}): FlowNode => ({
  id: 'g',
  type: 'group',
  z: 't',
  name: 'G',
  nodes: ['a'],
  x: 20,
  y: 20,
  w: 300,
  h: 100,
  ...more,
});
const said = (...nodes: FlowNode[]) =>
  lint([TAB, ...nodes], TYPES).map(({ node, what }) => `${node.id}: ${what}`);

describe('looking over flows', () => {
  it('finds nothing where all is well', () => {
    const a = at('a', 120, 60, { g: 'g', wires: [['b'], []] });
    assert.deepEqual(
      said(
        group(),
        a,
        at('b', 500, 60),
        { id: 's', type: 'subflow', name: 'S' },
        at('i', 500, 200, { type: 'subflow:s' }),
      ),
      [],
    );
  });

  for (const [what, nodes, finding] of [
    [
      'a node type that is not installed',
      [at('a', 100, 60, { type: 'nowhere' })],
      /^a: its type “nowhere” is not installed/,
    ],
    [
      'an instance of a subflow that is gone',
      [at('a', 100, 60, { type: 'subflow:gone' })],
      /^a: its type “subflow:gone”/,
    ],
    ['a wire to nowhere', [at('a', 100, 60, { wires: [[], ['gone']] })], /^a: it is wired to gone/],
    [
      'a link to nowhere',
      [at('a', 100, 60, { type: 'link out', links: ['gone'] })],
      /^a: it is wired to gone/,
    ],
    [
      'a port of a subflow to nowhere',
      [{ id: 's', type: 'subflow', in: [], out: [{ wires: [{ id: 'gone' }] }] }],
      /^s: it is wired to gone/,
    ],
    [
      'a function of five lines',
      [at('a', 100, 60, { type: 'function', func: 'a();\n// not counted\n\nb();\nc();\nd();\nreturn msg;' })],
      /^a: 5 lines of code hide/,
    ],
    ['broken code', [at('a', 100, 60, { type: 'function', func: 'return msg;}' })], /^a: its code is broken/],
    ['a group without a label', [group({ name: '', nodes: [] })], /^g: a group without a label/],
    ['a group that lists what is not in it', [group({ nodes: ['a'] }), at('a', 120, 60)], /^g: it lists a/],
    [
      'a node that its group does not list',
      [group({ nodes: [] }), at('a', 120, 60, { g: 'g' })],
      /^a: the group node “G” does not list it/,
    ],
    [
      'a node of a group that is gone',
      [at('a', 120, 60, { g: 'gone' })],
      /^a: its group gone does not exist/,
    ],
    [
      'a node outside of its group',
      [group(), at('a', 120, 130, { g: 'g' })],
      /^a: it stands outside of the group node “G”/,
    ],
    ['two nodes on one another', [at('a', 100, 60), at('b', 150, 80)], /^b: it overlaps the debug node “a”/],
  ] as [string, FlowNode[], RegExp][])
    it(`finds ${what}`, () => {
      const findings = said(...nodes);
      assert.equal(findings.length, 1, findings.join('\n'));
      assert.match(findings[0] ?? '', finding);
    });

  it('takes four lines of a function, and nodes that only stand side by side', () => {
    assert.deepEqual(
      said(
        at('a', 100, 60, { type: 'function', func: 'a;\nb;\nc;\nd;' }),
        at('b', 100, 90),
        at('c', 200, 60),
      ),
      [],
    );
  });

  it('knows the types that Node-RED brings and those that packages bring', () => {
    for (const type of ['inject', 'global-config', 'telegram bot', 'http request'])
      assert.ok(TYPES.has(type), type);
  });
});

describe('the flows in this repository', () => {
  const config = { flowsDir: join(HOME, 'flows'), dataDir: join(tmpdir(), 'no-such-potion-data') };

  it('are in order', async () => {
    const { nodes } = (await readFlows(config)).flows;
    assert.deepEqual(
      lint(nodes, TYPES).map(({ node, what }) => `${node.id}: ${what}`),
      [],
    );
  });

  for (const file of readdirSync(join(HOME, 'examples')).filter((name) => name.endsWith('.json')))
    it(`examples/${file} is in order`, () => {
      const { nodes } = fromBundle(file, readFileSync(join(HOME, 'examples', file), 'utf8'));
      assert.deepEqual(
        lint(nodes, TYPES).map(({ node, what }) => `${node.id}: ${what}`),
        [],
      );
    });
});

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HOME } from '../support/node-red.ts';

const COLOURS: Record<string, string> = {
  sense: '#A8D5BA',
  judge: '#F4D58D',
  act: '#F2A98A',
  tell: '#9CC9E8',
};

const nodes = Object.keys(COLOURS).flatMap((wing) =>
  readdirSync(join(HOME, 'nodes', wing), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => ({ wing, name: entry.name, folder: join('nodes', wing, entry.name) })),
);
const manifest = JSON.parse(readFileSync(join(HOME, 'package.json'), 'utf8'));

describe('every node', () => {
  for (const { wing, name, folder } of nodes) {
    it(`${wing}/${name} is whole: code, editor, help and texts in both languages, icon, example, test`, () => {
      const parts = [
        `${folder}/${name}.ts`,
        `${folder}/${name}.html`,
        ...['en-US', 'id'].flatMap((lang) =>
          [`${name}.html`, `${name}.json`].map((f) => `${folder}/locales/${lang}/${f}`),
        ),
        `${folder}/icons/${name}.svg`,
        `examples/${name}.json`,
      ];
      assert.deepEqual(
        parts.filter((part) => !existsSync(join(HOME, part))),
        [],
      );
      const tests = readdirSync(join(HOME, 'test'), { recursive: true, encoding: 'utf8' });
      assert.ok(
        tests.some((test) => test.endsWith('.spec.ts') && test.includes(name)),
        'has no test',
      );
    });

    it(`${wing}/${name} is known to Node-RED under its own name, category and colour, with a version`, () => {
      assert.equal(manifest['node-red'].nodes[`potion-${name}`], `${folder}/${name}.js`);
      const html = readFileSync(join(HOME, folder, `${name}.html`), 'utf8');
      assert.ok(html.includes(`RED.nodes.registerType('potion-${name}'`));
      assert.match(html, new RegExp(`category: '${wing}'`));
      assert.ok(html.includes(`color: '${COLOURS[wing]}'`));
      assert.match(html, /version: \{ value: \d+ \}/);
    });

    it(`${wing}/${name} has an example that is a sound flow with this node in it`, () => {
      const flow: { id: string; type: string; wires?: string[][] }[] = JSON.parse(
        readFileSync(join(HOME, 'examples', `${name}.json`), 'utf8'),
      );
      const ids = new Set(flow.map((node) => node.id));
      assert.equal(ids.size, flow.length, 'two nodes have one id');
      assert.ok(flow.some((node) => node.type === `potion-${name}`));
      for (const node of flow)
        for (const wire of node.wires?.flat() ?? []) assert.ok(ids.has(wire), `${node.id} → ${wire}`);
    });
  }
});

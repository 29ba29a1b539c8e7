import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FlowNode } from '../../ops/runtime/flows/model.js';
import { clone, EVERYTHING, find } from './flows-everything.ts';
import { useLiveFlows } from './flows-live.ts';

const sortedById = (nodes: FlowNode[]) => nodes.toSorted((a, b) => (a.id < b.id ? -1 : 1));

describe('flow files under a running Node-RED', function () {
  this.timeout(60_000);
  const live = useLiveFlows();
  const { git, start, current, deploy, reload, files } = live;

  it('are one per tab and subflow, one for shared config nodes, and the order', () => {
    assert.deepEqual(files(), [
      'config.json',
      'dashboard.tab1.json',
      'off.tab2.json',
      'order.txt',
      'twice.sub.json',
    ]);
  });

  it('bring back the same flows after a restart, with the same revision, so no open editor is alarmed', async () => {
    const before = await current();
    await live.potion.stop();
    await start();
    const after = await current();
    assert.deepEqual(after.flows, before.flows);
    assert.equal(after.rev, before.rev);
  });

  it('bring back the same flows when only the files are left', async () => {
    await live.potion.stop();
    rmSync(join(live.top, 'data'), { recursive: true });
    await start();
    const { flows } = await current();
    assert.deepEqual(sortedById(flows), sortedById(clone(EVERYTHING)));
    // What matters on import: tabs in their order, an outer group before the one in it.
    const order = flows.map(({ id }) => id);
    assert.ok(order.indexOf('tab1') < order.indexOf('tab2'));
    assert.ok(order.indexOf('outer') < order.indexOf('inner'));
    assert.doesNotMatch(live.potion.console(), /missing|error/i);
  });

  it('moving one node changes its two lines in git and nothing else', async () => {
    const { flows } = await current();
    Object.assign(find(flows, 'dbg'), { x: 500, y: 440 });
    assert.equal((await deploy(flows)).status, 200);
    assert.equal(git('diff', '--numstat'), '2\t2\tdashboard.tab1.json\n');
    assert.match(git('diff', '-U0'), /- {4}"x": 460,\n- {4}"y": 400,\n\+ {4}"x": 500,\n\+ {4}"y": 440,/);
  });

  it('moving a tab changes two lines of the order', async () => {
    const { flows } = await current();
    const [first, second, ...rest] = flows;
    assert.equal((await deploy([second, first, ...rest])).status, 200);
    assert.equal(git('diff', '--numstat'), '1\t1\torder.txt\n');
  });

  it('renaming a tab renames its file, which git sees as such', async () => {
    const { flows } = await current();
    find(flows, 'tab1').label = 'Bridge';
    await deploy(flows);
    assert.deepEqual(files(), [
      'bridge.tab1.json',
      'config.json',
      'off.tab2.json',
      'order.txt',
      'twice.sub.json',
    ]);
    git('add', '-A');
    assert.match(
      git('diff', '--cached', '-M', '--name-status'),
      /^R\d+\tdashboard\.tab1\.json\tbridge\.tab1\.json$/m,
    );
  });

  it('deleting a tab deletes its file, and it stays deleted after a restart', async () => {
    const { flows } = await current();
    await deploy(flows.filter(({ id, z }) => id !== 'tab2' && z !== 'tab2'));
    assert.deepEqual(files(), ['config.json', 'dashboard.tab1.json', 'order.txt', 'twice.sub.json']);
    await live.potion.stop();
    await start();
    assert.equal(find((await current()).flows, 'tab2'), undefined);
  });

  it('two tabs of one name have two files', async () => {
    await deploy([...clone(EVERYTHING), { id: 'tab3', type: 'tab', label: '🚀 Dashboard' }]);
    assert.deepEqual(files().slice(1, 3), ['dashboard.tab1.json', 'dashboard.tab3.json']);
    await live.potion.stop();
    await start();
    const labels = (await current()).flows.filter(({ type }) => type === 'tab').map(({ label }) => label);
    assert.deepEqual(labels, ['🚀 Dashboard', 'Off', '🚀 Dashboard']);
  });

  describe('changed on disk', () => {
    const edit = (name: string, from: string, to: string) => {
      const file = join(live.flowsDir, name);
      const text = readFileSync(file, 'utf8');
      assert.ok(text.includes(from));
      writeFileSync(file, text.replace(from, to));
    };

    it('are loaded on request, without a restart', async () => {
      edit('dashboard.tab1.json', '"name": "shown"', '"name": "seen"');
      const { rev } = await current();
      assert.deepEqual(await reload(), { status: 200, body: { tabs: 3, nodes: EVERYTHING.length } });
      const now = await current();
      assert.equal(find(now.flows, 'dbg').name, 'seen');
      assert.notEqual(now.rev, rev, 'which is what open editors are told');
    });

    it('and broken leave the running flows alone, and say file, line and column', async () => {
      const before = await current();
      edit('off.tab2.json', '"x": 100,', '"x": ,');
      const { status, body } = await reload();
      assert.equal(status, 422);
      const { problems, message } = body as { problems: { file: string; line: number }[]; message: string };
      assert.match(message, /off\.tab2\.json:\d+:10: not JSON: a value is expected/);
      assert.equal(problems[0]?.file, 'off.tab2.json');
      assert.deepEqual(await current(), before);
      assert.match(live.potion.log(), /were not loaded, the flows run on[\s\S]*off\.tab2\.json:\d+:10/);
    });

    it('with a node type that is not installed leave the running flows alone', async () => {
      const before = await current();
      edit('dashboard.tab1.json', '"type": "debug"', '"type": "no-such-node"');
      const { status, body } = await reload();
      assert.equal(status, 422);
      assert.match((body as { message: string }).message, /“no-such-node” is not installed/);
      assert.deepEqual(await current(), before);
    });

    it('and broken do not empty the canvas when "Restart Flows" is chosen in the editor', async () => {
      const before = await current();
      edit('off.tab2.json', '[', '<<<<<<< HEAD\n[');
      await live.potion.admin('/flows', {
        method: 'POST',
        headers: { 'Node-RED-Deployment-Type': 'reload' },
      });
      assert.deepEqual(await current(), before);
      assert.match(
        live.potion.log(),
        /the flows from before stay[\s\S]*off\.tab2\.json:1:1: a merge conflict/,
      );
    });

    it('are not overwritten by a deploy that does not know them', async () => {
      edit('dashboard.tab1.json', '"name": "shown"', '"name": "seen"');
      const { flows } = await current();
      find(flows, 'dbg').x = 999;
      const { status, body } = await deploy(flows);
      assert.equal(status, 422);
      assert.match(
        (body as { message: string }).message,
        /dashboard\.tab1\.json: this file was changed on disk/,
      );
      assert.match(git('diff', '-U0'), /\+ {4}"name": "seen"/);
      assert.doesNotMatch(git('diff'), /999/);
    });
  });

  it('nodes of a tab that does not exist are refused, because the next start would refuse them', async () => {
    const { status, body } = await deploy([
      ...clone(EVERYTHING),
      { id: 'lost', type: 'debug', z: 'nowhere', x: 1, y: 1 },
    ]);
    assert.equal(status, 422);
    assert.match((body as { message: string }).message, /belongs to the tab or subflow nowhere/);
    assert.equal(git('status', '--porcelain'), '');
  });

  it('what a person sets in the editor, and snippets, survive a restart', async () => {
    assert.equal((await live.potion.admin('/settings/user', { body: { menu: { x: 1 } } })).status, 204);
    const snippet = await live.potion.admin('/library/local/functions/mine/twice.js', {
      body: { name: 'twice', text: 'return msg;' },
    });
    assert.equal(snippet.status, 204);
    await live.potion.stop();
    await start();
    assert.deepEqual((await live.potion.admin('/settings/user')).body, { menu: { x: 1 } });
    const { body } = await live.potion.admin('/library/local/functions/mine/');
    assert.deepEqual(body, [{ name: 'twice', fn: 'twice.js' }]);
    assert.equal((await live.potion.admin('/library/local/functions/mine/twice.js')).body, 'return msg;');
  });
});

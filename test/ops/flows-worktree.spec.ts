import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { show } from '../../ops/install/flows/state.js';
import { init, rollback, upgrade } from '../../ops/install/flows/worktree.js';
import { FlowKeeper } from '../../ops/runtime/flows/keeper.js';
import { flowsOf, useWorkTree } from './flows-worktree-fixture.ts';

const V1 = flowsOf({ a: 'one', b: 'one', c: 'one' });
const V2 = flowsOf({ a: 'two', b: 'two', c: 'one', d: 'two' });

describe('the flows work tree', function () {
  this.timeout(60_000);
  const tree = useWorkTree();
  const commits = () => tree.git('rev-list', '--all', '--count');
  /** Set up with V1, and what the person has made of it. */
  const withOwn = async (texts: Record<string, string>) => {
    await init(tree.dir, tree.release('1', V1));
    tree.save(flowsOf(texts));
  };

  describe('is set up', () => {
    it('with the shipped flows where there are none', async () => {
      const outcome = await init(tree.dir, tree.release('1', V1));
      assert.equal(outcome.how, 'created');
      assert.deepEqual(tree.read(), tree.read(join(tree.top, 'release-1')));
      assert.equal(tree.git('branch', '--show-current'), 'mine');
      assert.equal(tree.git('rev-parse', 'mine'), tree.git('rev-parse', 'shipped'));
      assert.equal(tree.git('status', '--porcelain'), '');
      assert.equal(
        tree.git('log', '--format=%an <%ae> %s'),
        'Potion <potion@localhost> Flows as Potion 1 ships them',
      );
    });

    it('once: the second time nothing happens', async () => {
      const release = tree.release('1', V1);
      await init(tree.dir, release);
      const before = tree.git('for-each-ref');
      assert.deepEqual(
        [(await init(tree.dir, release)).how, (await upgrade(tree.dir, release)).how],
        ['unchanged', 'unchanged'],
      );
      assert.equal(tree.git('for-each-ref'), before);
    });

    it('around flows that are there, and changes none of them', async () => {
      const own = flowsOf({ a: 'mine', own: 'mine' });
      tree.save(own);
      const before = tree.read();
      const outcome = await init(tree.dir, tree.release('1', V1));
      assert.equal(outcome.how, 'taken-in');
      assert.deepEqual(tree.read(), before);
      assert.deepEqual(
        outcome.changes.map(({ added, removed, changed }) => [added.length, removed.length, changed.length]),
        [[2, 1, 1]],
      );
      assert.equal(tree.git('status', '--porcelain'), '');
      // What they had made of version 1 counts as theirs from then on.
      const { conflicts } = await upgrade(tree.dir, tree.release('2', V2));
      assert.deepEqual(tree.texts(), { a: 'mine', own: 'mine', d: 'two' });
      assert.deepEqual(
        conflicts.map(({ id, kind }) => [id, kind]),
        [
          ['a', 'changed-by-both'],
          ['b', 'deleted-by-you'],
        ],
      );
    });

    it('around flows whose release is known: what was new since then comes in', async () => {
      tree.save(flowsOf({ a: 'one', b: 'mine', c: 'one' }));
      const outcome = await upgrade(tree.dir, tree.release('2', V2), { stem: tree.release('1', V1) });
      assert.deepEqual(tree.texts(), { a: 'two', b: 'mine', c: 'one', d: 'two' });
      assert.deepEqual(
        outcome.conflicts.map(({ id }) => id),
        ['b'],
      );
    });

    it('in a repository that the person has made and not used', async () => {
      mkdirSync(tree.dir);
      tree.git('init', '-q', '-b', 'own');
      const outcome = await upgrade(tree.dir, tree.release('1', V1));
      assert.deepEqual([outcome.how, outcome.branch], ['created', 'own']);
    });
  });

  describe('takes an upgrade', () => {
    it('into flows that nobody has touched, as it is shipped', async () => {
      await init(tree.dir, tree.release('1', V1));
      const outcome = await upgrade(tree.dir, tree.release('2', V2));
      assert.deepEqual([outcome.how, outcome.conflicts], ['merged', []]);
      assert.deepEqual(tree.read(), tree.read(join(tree.top, 'release-2')));
      assert.equal(tree.git('diff', 'mine', 'shipped'), '');
      assert.equal(tree.git('status', '--porcelain'), '');
    });

    it("with the person's edits: committed first, merged then, and the difference told", async () => {
      await withOwn({ a: 'mine', b: 'one', c: 'mine' });
      const outcome = await upgrade(tree.dir, tree.release('2', V2));
      assert.deepEqual(tree.texts(), { a: 'mine', b: 'two', c: 'mine', d: 'two' });
      assert.deepEqual(
        outcome.conflicts.map(({ id, differences }) => [id, differences]),
        [['a', [{ property: 'text', base: 'one', mine: 'mine', shipped: 'two' }]]],
      );
      assert.deepEqual(tree.git('log', '--first-parent', '--format=%s', 'mine').split('\n'), [
        'Merge the flows of Potion 2',
        'Own flows, before an upgrade',
        'Flows as Potion 1 ships them',
      ]);
      assert.equal(tree.git('rev-parse', 'mine^1'), outcome.before);
      assert.equal(tree.git('rev-parse', 'mine^2'), tree.git('rev-parse', 'shipped'));
      assert.equal(tree.git('status', '--porcelain'), '');
      assert.match(tree.git('log', '-1', '--format=%b'), /text: "mine" → "two"/);
      assert.deepEqual((await show(tree.dir)).conflicts, outcome.conflicts);
    });

    it('one after another, each on top of the last, with conflicts told once', async () => {
      await withOwn({ a: 'mine', b: 'one', c: 'one' });
      await upgrade(tree.dir, tree.release('2', V2));
      const outcome = await upgrade(
        tree.dir,
        tree.release('3', flowsOf({ a: 'two', b: 'two', c: 'three', d: 'two' })),
      );
      assert.deepEqual(outcome.conflicts, []);
      assert.deepEqual(tree.texts(), { a: 'mine', b: 'two', c: 'three', d: 'two' });
      assert.equal((await show(tree.dir)).version, '3');
      // A merge of the person's own is not one of Potion's.
      tree.git('switch', '-q', '-c', 'trying');
      tree.git('commit', '-q', '--allow-empty', '-m', 'own');
      tree.git('switch', '-q', 'mine');
      tree.git('merge', '-q', '--no-ff', '-m', 'own merge', 'trying');
      assert.equal(tree.git('log', '-1', '--format=%s'), 'own merge');
      assert.equal((await show(tree.dir)).merge, outcome.after);
    });

    it('and makes no commit when there is nothing to bring in, whatever is being edited', async () => {
      await withOwn({ a: 'mine', b: 'one', c: 'one' });
      const count = commits();
      const outcome = await upgrade(tree.dir, tree.release('1.1', V1));
      assert.deepEqual([outcome.how, outcome.changed, commits()], ['unchanged', false, count]);
      assert.deepEqual((await show(tree.dir)).uncommitted, ['alerts.tab.json']);
    });

    it('into the branch that the person works on, and leaves their other files, commits and remote alone', async () => {
      await withOwn({ a: 'one', b: 'one', c: 'one' });
      tree.git('switch', '-q', '-c', 'trying');
      tree.git('remote', 'add', 'origin', '/nowhere');
      writeFileSync(join(tree.dir, 'README.md'), 'mine\n');
      writeFileSync(join(tree.dir, 'notes.txt'), 'staged\n');
      tree.git('add', 'notes.txt');
      const outcome = await upgrade(tree.dir, tree.release('2', V2));
      assert.equal(outcome.branch, 'trying');
      assert.equal(tree.git('status', '--porcelain'), 'A  notes.txt\n?? README.md');
      assert.equal(tree.git('rev-parse', 'mine'), tree.git('rev-parse', 'shipped~1'));
      assert.equal(tree.git('remote'), 'origin');
    });

    it('with HEAD detached: what is checked out becomes a branch, and no commit is lost', async () => {
      await withOwn({ a: 'mine', b: 'one', c: 'one' });
      tree.git('commit', '-qam', 'my own');
      const own = tree.git('rev-parse', 'mine');
      tree.git('checkout', '-q', '--detach', 'shipped');
      const outcome = await upgrade(tree.dir, tree.release('2', V2));
      assert.match(outcome.branch, /^mine-\d{4}-/);
      assert.equal(tree.git('branch', '--show-current'), outcome.branch);
      assert.equal(tree.git('rev-parse', 'mine'), own);
      tree.git('checkout', '-q', '--detach', 'mine');
      assert.equal((await upgrade(tree.dir, tree.release('2', V2))).branch, 'mine');
    });

    it('never onto the branch of the shipped flows, when that is checked out', async () => {
      await withOwn({ a: 'one', b: 'one', c: 'one' });
      tree.git('switch', '-q', 'shipped');
      tree.save(flowsOf({ a: 'mine', b: 'one', c: 'one' }));
      assert.equal((await upgrade(tree.dir, tree.release('2', V2))).branch, 'mine');
      assert.equal(tree.texts().a, 'mine');
      assert.deepEqual(tree.git('log', '--format=%s', 'shipped').split('\n'), [
        'Flows as Potion 2 ships them',
        'Flows as Potion 1 ships them',
      ]);
    });

    it('without the branch of the shipped flows: it is found again in the history', async () => {
      await withOwn({ a: 'mine', b: 'one', c: 'one' });
      tree.git('branch', '-D', 'shipped');
      await upgrade(tree.dir, tree.release('2', V2));
      assert.deepEqual(tree.texts(), { a: 'mine', b: 'two', c: 'one', d: 'two' });
      assert.equal(tree.git('rev-list', '--count', 'shipped'), '2');
    });

    it('into a history that has nothing to do with it: nothing of theirs is taken for given up', async () => {
      tree.save(flowsOf({ a: 'mine', own: 'mine' }));
      tree.git('init', '-q', '-b', 'mine');
      tree.git('add', '.');
      tree.git('commit', '-qm', 'my flows');
      const { conflicts } = await upgrade(tree.dir, tree.release('1', V1));
      assert.deepEqual(tree.texts(), { a: 'mine', own: 'mine', b: 'one', c: 'one' });
      assert.deepEqual(
        conflicts.map(({ id, kind }) => [id, kind]),
        [['a', 'added-by-both']],
      );
    });

    it('when flows are saved just then: read again, and nothing is overwritten', async () => {
      await withOwn({ a: 'one', b: 'one', c: 'one' });
      let saved = false;
      const outcome = await upgrade(tree.dir, tree.release('2', V2), {
        step: (done) => {
          if (done !== 'merged' || saved) return;
          saved = true;
          tree.save(flowsOf({ a: 'one', b: 'one', c: 'saved' }));
        },
      });
      assert.deepEqual(tree.texts(), { a: 'two', b: 'two', c: 'saved', d: 'two' });
      assert.match(tree.git('show', `${outcome.before}:alerts.tab.json`), /saved/);
    });
  });

  describe('goes back', () => {
    it('to the commit before the upgrade, and keeps what was there', async () => {
      await withOwn({ a: 'mine', b: 'one', c: 'one' });
      const { before, after } = await upgrade(tree.dir, tree.release('2', V2));
      const rolled = await rollback(tree.dir, before as string);
      assert.deepEqual(tree.texts(), { a: 'mine', b: 'one', c: 'one' });
      assert.equal(tree.git('rev-parse', 'mine'), before);
      assert.equal(tree.git('rev-parse', String(rolled.rescue)), after);
      assert.equal(tree.git('status', '--porcelain'), '');
      assert.deepEqual((await show(tree.dir)).rescued, [rolled.rescue]);
    });

    it('with edits that were made since: they are on the rescue branch', async () => {
      await withOwn({ a: 'one', b: 'one', c: 'one' });
      const { before } = await upgrade(tree.dir, tree.release('2', V2));
      tree.save(flowsOf({ a: 'later' }));
      const { rescue } = await rollback(tree.dir, before as string);
      assert.match(tree.git('show', `${rescue}:alerts.tab.json`), /later/);
      assert.equal(tree.texts().a, 'one');
    });

    it('and forward again with the next upgrade', async () => {
      await withOwn({ a: 'mine', b: 'one', c: 'one' });
      const { before } = await upgrade(tree.dir, tree.release('2', V2));
      await rollback(tree.dir, before as string);
      const again = await upgrade(tree.dir, tree.release('2.1', V2));
      assert.equal(again.how, 'merged');
      assert.deepEqual(tree.texts(), { a: 'mine', b: 'two', c: 'one', d: 'two' });
    });

    it('not at all where it is already: edits stay', async () => {
      await withOwn({ a: 'edited', b: 'one', c: 'one' });
      const rolled = await rollback(tree.dir, 'mine');
      assert.equal(rolled.changed, false);
      assert.equal(tree.texts().a, 'edited');
    });

    it('also from files that are broken', async () => {
      await withOwn({ a: 'one', b: 'one', c: 'one' });
      const { before } = await upgrade(tree.dir, tree.release('2', V2));
      writeFileSync(join(tree.dir, 'alerts.tab.json'), '[ broken');
      const { rescue } = await rollback(tree.dir, before as string);
      assert.equal(tree.git('show', `${rescue}:alerts.tab.json`), '[ broken');
      assert.equal(tree.texts().a, 'one');
    });
  });

  describe('does not disturb', () => {
    it("Potion's own loading and saving", async () => {
      await init(tree.dir, tree.release('1', V1));
      const keeper = new FlowKeeper({ flowsDir: tree.dir, dataDir: join(tree.top, 'data') });
      assert.equal((await keeper.load()).flows.nodes.length, V1.length);
      await keeper.save(flowsOf({ a: 'saved', b: 'one', c: 'one' }), {});
      assert.equal(tree.texts().a, 'saved');
      assert.equal(tree.git('status', '--porcelain'), 'M alerts.tab.json');
      mkdirSync(join(tree.dir, '.saving'));
      assert.equal(tree.git('status', '--porcelain'), 'M alerts.tab.json');
      rmSync(join(tree.dir, '.saving'), { recursive: true });
      await upgrade(tree.dir, tree.release('2', V2));
      await assert.rejects(keeper.save(V1, {}), /was changed on disk after Potion had read it/);
    });

    it('the folder: nothing is left in it but flow files and .git', async () => {
      await withOwn({ a: 'mine', b: 'one', c: 'one' });
      const { before } = await upgrade(tree.dir, tree.release('2', V2));
      await rollback(tree.dir, before as string);
      assert.deepEqual(readdirSync(tree.dir).sort(), ['.git', 'alerts.tab.json', 'order.txt']);
      const left = readdirSync(join(tree.dir, '.git')).filter((name) => /potion|lock/.test(name));
      assert.deepEqual(left, []);
      assert.equal(existsSync(join(tree.dir, '.git', 'hooks')), false);
    });
  });
});

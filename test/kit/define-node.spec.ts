import assert from 'node:assert/strict';
import type { Node } from 'node-red';
import helper from 'node-red-node-test-helper';
import {
  type Behaviour,
  defineNode,
  migrate,
  type NodeContext,
  type NodeSpec,
} from '../../nodes/kit/define-node.js';
import { PotionError } from '../../nodes/kit/errors.js';
import type { Message } from '../../nodes/kit/messages.js';
import { loadCore } from '../support/node-red.ts';

interface Config {
  speed?: number;
}

/** Runs one made-up node in real Node-RED, with a Catch node and a collector behind it. */
async function withNode(
  spec: Partial<NodeSpec<Config>> & { create: NodeSpec<Config>['create'] },
  test: (node: Node, seen: { out: Message[]; caught: Message[]; wait: () => Promise<void> }) => Promise<void>,
  config: object = {},
): Promise<void> {
  const node = defineNode<Config>({ type: 'potion-made-up', version: 1, ...spec });
  const flow = [
    { id: 'tab', type: 'tab' },
    { id: 'node', z: 'tab', type: 'potion-made-up', wires: [['out']], ...config },
    { id: 'catcher', z: 'tab', type: 'catch', scope: null, wires: [['caught']] },
    { id: 'out', z: 'tab', type: 'helper' },
    { id: 'caught', z: 'tab', type: 'helper' },
  ];
  await helper.load([node, loadCore('common/25-catch.js')], flow, {});
  const seen = {
    out: [] as Message[],
    caught: [] as Message[],
    wait: () => new Promise<void>((r) => setTimeout(r, 20)),
  };
  helper.getNode('out')?.on('input', (msg) => seen.out.push(msg as Message));
  helper.getNode('caught')?.on('input', (msg) => seen.caught.push(msg as Message));
  try {
    await test(helper.getNode('node') as unknown as Node, seen);
  } finally {
    await helper.unload();
  }
}

describe('defineNode', () => {
  it('sends what input returns and keeps the rest of the message', async () => {
    const create = (): Behaviour => ({ input: async (msg) => ({ ...msg, payload: 'done' }) });
    await withNode({ create }, async (node, seen) => {
      node.receive({ payload: 1, mine: 'kept' } as never);
      await seen.wait();
      assert.equal(seen.out[0]?.payload, 'done');
      assert.equal(seen.out[0]?.mine, 'kept');
    });
  });

  it('turns what is thrown into one caught error that carries its facts as data', async () => {
    const create = (): Behaviour => ({
      input: async () => {
        throw new PotionError('UNAVAILABLE', 'errors.program-missing', { program: 'rsync' });
      },
    });
    await withNode({ create }, async (node, seen) => {
      node.receive({ payload: 1 } as never);
      await seen.wait();
      assert.equal(seen.caught.length, 1);
      assert.deepEqual(seen.caught[0]?.error?.cause, {
        code: 'UNAVAILABLE',
        text: 'errors.program-missing',
        data: { program: 'rsync' },
      });
    });
  });

  it('survives a start that fails: the node says why, and its messages end as failures', async () => {
    const create = (): Behaviour => ({
      start: async () => {
        throw new Error('no bus here');
      },
      input: async (msg) => msg,
    });
    await withNode({ create }, async (_node, seen) => {
      await seen.wait();
      assert.match(String(seen.caught[0]?.error?.message), /no bus here/);
    });
  });

  it('refuses a configuration that makes no sense, at every message', async () => {
    const check = () => {
      throw new PotionError('INVALID', 'errors.unexpected', { detail: 'speed' });
    };
    await withNode({ check, create: () => ({ input: async (msg) => msg }) }, async (node, seen) => {
      node.receive({ payload: 1 } as never);
      await seen.wait();
      assert.equal(seen.out.length, 0);
      assert.ok(seen.caught.length >= 1);
    });
  });

  it('starts before the first message and stops before it is gone', async () => {
    const life: string[] = [];
    const create = (context: NodeContext<Config>): Behaviour => ({
      start: async () => {
        await new Promise((r) => setTimeout(r, 5));
        life.push('start');
      },
      input: async (msg) => {
        life.push('input');
        return msg;
      },
      stop: async () => {
        await new Promise((r) => setTimeout(r, 5));
        life.push(`stop, aborted: ${context.signal.aborted}`);
      },
    });
    await withNode({ create }, async (node, seen) => {
      node.receive({ payload: 1 } as never);
      await seen.wait();
    });
    assert.deepEqual(life, ['start', 'input', 'stop, aborted: true']);
  });

  it('brings an old configuration up to date, step by step', () => {
    const spec: NodeSpec<Config> = {
      type: 'potion-made-up',
      version: 3,
      migrations: {
        1: (old) => ({ ...old, speed: Number(old.pace) }),
        2: (old) => ({ ...old, speed: Number(old.speed) * 1000 }),
      },
      create: () => ({}),
    };
    assert.equal(migrate(spec, { pace: '5' }).speed, 5000);
    assert.equal(migrate(spec, { speed: 7, version: 2 }).speed, 7000);
    assert.equal(migrate(spec, { speed: 7, version: 3 }).speed, 7);
  });
});

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FlowNode } from '../../ops/runtime/flows/model.js';
import { type Potion, type PotionOptions, startPotion } from '../support/potion.ts';
import { clone, EVERYTHING } from './flows-everything.ts';

/**
 * For the tests of a describe: one running Potion whose folder of flow files is under git. Each test begins
 * with one of everything, deployed and committed.
 */
export function useLiveFlows() {
  let potion: Potion;
  let flowsDir: string;
  let top: string;

  const git = (...args: string[]) =>
    execFileSync(
      'git',
      ['-c', 'user.name=t', '-c', 'user.email=t@example.org', '-c', 'core.quotepath=false', ...args],
      {
        cwd: flowsDir,
        encoding: 'utf8',
      },
    );
  const commitAll = () => {
    git('add', '-A');
    git('commit', '-q', '--allow-empty', '-m', 'state');
  };
  const start = async (options: PotionOptions = {}) => {
    potion = await startPotion({ flowsDir, dataDir: join(top, 'data'), ...options });
    await potion.waitReady();
  };
  const current = async () => {
    const { body } = await potion.admin('/flows', { headers: { 'Node-RED-API-Version': 'v2' } });
    return body as { flows: FlowNode[]; rev: string };
  };
  const deploy = async (flows: unknown[]) =>
    potion.admin('/flows', { body: { flows }, headers: { 'Node-RED-API-Version': 'v2' } });
  const reload = () => potion.admin('/potion/flows/reload', { method: 'POST' });
  const files = () =>
    readdirSync(flowsDir)
      .filter((name) => name !== '.git')
      .sort();

  before(async () => {
    top = mkdtempSync(join(tmpdir(), 'potion-flows-'));
    flowsDir = join(top, 'flows');
    mkdirSync(flowsDir);
    git('init', '-q');
    await start();
    assert.match(potion.log(), /No flow files in .* yet: starting with an empty canvas/);
    assert.equal((await deploy(clone(EVERYTHING))).status, 200);
    commitAll();
  });
  after(async () => {
    await potion.stop();
    rmSync(top, { recursive: true });
  });
  afterEach(async () => {
    // Back to one of everything, whatever a test has left.
    git('checkout', '-q', '--', '.');
    git('clean', '-qfd');
    const { status, body } = await reload();
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal((await deploy(clone(EVERYTHING))).status, 200);
    commitAll();
  });

  return {
    get potion() {
      return potion;
    },
    get top() {
      return top;
    },
    get flowsDir() {
      return flowsDir;
    },
    git,
    commitAll,
    start,
    current,
    deploy,
    reload,
    files,
  };
}

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { arrange } from '../../ops/runtime/flows/arrange.js';
import type { FlowNode } from '../../ops/runtime/flows/model.js';

const TAB: FlowNode = { id: 'tab', type: 'tab', label: 'Alerts' };

/** A small set of flows: a tab with these nodes, by id, each with a text. */
export function flowsOf(texts: Record<string, string>, tabs: string[] = []): FlowNode[] {
  const nodes = Object.entries(texts).map(([id, text], index) => ({
    ...{ id, type: 'potion-say', z: 'tab', name: id, text, x: 200, y: 80 + 60 * index, wires: [] },
  }));
  return [TAB, ...nodes, ...tabs.map((id) => ({ id, type: 'tab', label: id }))];
}

/** For the tests of a describe: a flows folder and folders of shipped flows, new for each test. */
export function useWorkTree() {
  let top: string;
  beforeEach(() => {
    top = mkdtempSync(join(tmpdir(), 'potion-tree-'));
  });
  afterEach(() => rmSync(top, { recursive: true, force: true }));

  const write = (dir: string, nodes: FlowNode[]) => {
    mkdirSync(dir, { recursive: true });
    for (const name of flowFiles(dir)) rmSync(join(dir, name));
    for (const [name, text] of arrange({ nodes, credentials: {} })) writeFileSync(join(dir, name), text);
  };
  const dir = () => join(top, 'flows');
  const read = (from = dir()) =>
    Object.fromEntries(flowFiles(from).map((name) => [name, readFileSync(join(from, name), 'utf8')]));

  return {
    get top() {
      return top;
    },
    get dir() {
      return dir();
    },
    /** A release with these flows. */
    release(version: string, nodes: FlowNode[]) {
      const folder = join(top, `release-${version}`);
      write(folder, nodes);
      return { dir: folder, version };
    },
    /** Puts these flows into the flows folder, as a save in the editor does. */
    save: (nodes: FlowNode[]) => write(dir(), nodes),
    /** The flow files by name. */
    read,
    /** The texts of the nodes in the flows folder. */
    texts(): Record<string, string> {
      const lists = Object.entries(read()).filter(([name]) => name.endsWith('.json'));
      const nodes = lists.flatMap(([, text]) => JSON.parse(text) as FlowNode[]);
      return Object.fromEntries(nodes.filter(({ text }) => text).map(({ id, text }) => [id, String(text)]));
    },
    /** git as the person would use it. */
    git: (...args: string[]) => git(dir(), args),
    /** A copy of the flows folder, and back again. */
    keep: () => cpSync(dir(), join(top, 'kept'), { recursive: true }),
    restore() {
      rmSync(dir(), { recursive: true });
      cpSync(join(top, 'kept'), dir(), { recursive: true });
    },
  };
}

function git(cwd: string, args: string[]): string {
  const who = ['-c', 'user.name=Ani', '-c', 'user.email=ani@example.org', '-c', 'safe.directory=*'];
  return execFileSync('git', [...who, ...args], { cwd, encoding: 'utf8', stdio: 'pipe' }).trim();
}

function flowFiles(dir: string): string[] {
  return readdirSync(dir)
    .filter((name) => name === 'order.txt' || name.endsWith('.json'))
    .sort();
}

// Random flows, and what a person in the editor, or Potion from one version to the next, may do to them.
import fc from 'fast-check';
import type { Credentials, FlowNode, Flows } from '../../ops/runtime/flows/model.js';

const BOT_TOKEN = `\${BOT_TOKEN}`;
const MY_TOKEN = `\${MY_TOKEN}`;

/** Draws a number below a limit; the same numbers give the same flows again. */
type Draw = (limit: number) => number;

/** Flows in the making: what Node-RED's editor keeps right when someone deletes or moves a node. */
class Canvas {
  readonly nodes: Map<string, FlowNode>;
  readonly credentials: Credentials;
  readonly #draw: Draw;
  /** Begins the ids of new nodes. */
  readonly #who: string;
  #count = 0;

  constructor(flows: Flows, draw: Draw, who: string) {
    const copy = structuredClone(flows);
    this.nodes = new Map(copy.nodes.map((node) => [node.id, node]));
    this.credentials = copy.credentials;
    this.#draw = draw;
    this.#who = who;
  }

  #all(test: (node: FlowNode) => boolean): FlowNode[] {
    return [...this.nodes.values()].filter(test);
  }

  #one(test: (node: FlowNode) => boolean): FlowNode | undefined {
    const found = this.#all(test);
    return found[this.#draw(found.length || 1)];
  }

  #newId(): string {
    // Now and then both sides come to the same id.
    return this.#draw(12) === 0 ? `both${this.#draw(2)}` : `${this.#who}${this.#count++}`;
  }

  #add(node: FlowNode): void {
    if (!this.nodes.has(node.id)) this.nodes.set(node.id, node);
  }

  addTab(): void {
    const id = this.#newId();
    this.#add({ id, type: 'tab', label: `Tab ${id}`, order: this.#draw(3) });
    // Before others as well as behind them.
    const list = [...this.nodes.entries()];
    const last = list.pop();
    if (!last || this.#draw(2) === 0) return;
    list.splice(this.#draw(list.length + 1), 0, last);
    this.nodes.clear();
    for (const [key, node] of list) this.nodes.set(key, node);
  }

  addSubflow(): void {
    this.#add({ id: this.#newId(), type: 'subflow', name: 'Sub', in: [], out: [], env: [] });
  }

  addConfig(): void {
    const id = this.#newId();
    if (this.nodes.has(id)) return;
    this.#add({ id, type: 'telegram bot', botname: `bot ${this.#draw(3)}` });
    if (this.#draw(2) === 0) this.credentials[id] = { token: BOT_TOKEN };
  }

  addGroup(): void {
    const tab = this.#one(({ type }) => type === 'tab');
    if (!tab) return;
    const id = this.#newId();
    if (this.nodes.has(id)) return;
    this.#add({ id, type: 'group', z: tab.id, name: 'Group', nodes: [] });
    const outer = this.#one((node) => node.type === 'group' && node.z === tab.id && node.id !== id);
    if (outer && this.#draw(3) === 0) this.#enter(this.nodes.get(id) as FlowNode, outer);
  }

  addNode(): void {
    const owner = this.#one(({ type }) => type === 'tab' || type === 'subflow');
    if (!owner) return;
    const id = this.#newId();
    if (this.nodes.has(id)) return;
    const subflow = owner.type === 'tab' && this.#draw(5) === 0 ? this.#one(isSubflow) : undefined;
    const node: FlowNode = {
      id,
      type: subflow ? `subflow:${subflow.id}` : 'potion-say',
      z: owner.id,
      text: `text ${this.#draw(3)}`,
      x: 100 * this.#draw(9),
      y: 100 * this.#draw(9),
      wires: [[], []],
    };
    const bot = this.#draw(3) === 0 ? this.#one(isConfig) : undefined;
    if (bot) node.bot = bot.id;
    this.#add(node);
    const group = this.#one((other) => other.type === 'group' && other.z === owner.id);
    if (group && this.#draw(3) === 0) this.#enter(node, group);
    this.wire();
  }

  /** Draws a wire, or rubs one out. */
  wire(): void {
    const from = this.#one((node) => Array.isArray(node.wires));
    if (!from) return;
    const to = this.#one((node) => Array.isArray(node.wires) && node.z === from.z);
    const outputs = from.wires as string[][];
    const output = outputs[this.#draw(outputs.length)];
    if (!to || !output) return;
    const at = output.indexOf(to.id);
    if (at < 0) output.push(to.id);
    else output.splice(at, 1);
    const port = this.nodes.get(from.z as string);
    if (port?.type === 'subflow') port.out = [{ x: 1, y: 2, wires: [{ id: to.id, port: 0 }] }];
  }

  change(): void {
    const node = this.#one(() => true);
    if (node) node.text = `text ${this.#draw(4)}`;
  }

  changeCredentials(): void {
    const node = this.#one(isConfig);
    if (node) this.credentials[node.id] = { token: [BOT_TOKEN, MY_TOKEN][this.#draw(2)] };
  }

  move(): void {
    const node = this.#one((other) => 'x' in other);
    if (node) Object.assign(node, { x: 100 * this.#draw(9), y: 100 * this.#draw(9) });
  }

  regroup(): void {
    const node = this.#one((other) => 'x' in other);
    if (!node) return;
    this.#leave(node);
    const group = this.#one((other) => other.type === 'group' && other.z === node.z);
    if (group && this.#draw(2) === 0) this.#enter(node, group);
  }

  moveToOtherTab(): void {
    const node = this.#one((other) => 'x' in other && !other.type.startsWith('subflow:'));
    const owner = this.#one(({ type, id }) => type === 'tab' && id !== node?.z);
    if (!node || !owner) return;
    this.#leave(node);
    this.#unwire(node.id);
    node.wires = (node.wires as string[][]).map(() => []);
    node.z = owner.id;
  }

  ungroup(): void {
    const group = this.#one(({ type }) => type === 'group');
    if (group) this.#dissolve(group);
  }

  deleteNode(): void {
    const node = this.#one((other) => 'x' in other);
    if (node) this.#remove(node);
  }

  deleteConfig(): void {
    const config = this.#one(isConfig);
    if (!config) return;
    for (const node of this.nodes.values()) if (node.bot === config.id) node.bot = '';
    this.nodes.delete(config.id);
    delete this.credentials[config.id];
  }

  deleteOwner(): void {
    const owner = this.#one(({ type }) => type === 'tab' || type === 'subflow');
    if (!owner || this.#draw(2) === 0) return;
    for (const node of this.#all(({ type }) => type === `subflow:${owner.id}`)) this.#remove(node);
    for (const node of this.#all(({ z }) => z === owner.id)) this.nodes.delete(node.id);
    this.nodes.delete(owner.id);
  }

  reorder(): void {
    const list = [...this.nodes.entries()];
    const [entry] = list.splice(this.#draw(list.length || 1), 1);
    if (!entry) return;
    list.splice(this.#draw(list.length + 1), 0, entry);
    this.nodes.clear();
    for (const [key, node] of list) this.nodes.set(key, node);
  }

  #remove(node: FlowNode): void {
    this.#leave(node);
    this.#unwire(node.id);
    this.nodes.delete(node.id);
  }

  #dissolve(group: FlowNode): void {
    this.#leave(group);
    for (const node of this.#all(({ g }) => g === group.id)) delete node.g;
    this.nodes.delete(group.id);
  }

  #enter(node: FlowNode, group: FlowNode): void {
    node.g = group.id;
    (group.nodes as string[]).push(node.id);
  }

  #leave(node: FlowNode): void {
    const group = this.nodes.get(String(node.g));
    if (group) group.nodes = (group.nodes as string[]).filter((id) => id !== node.id);
    delete node.g;
  }

  #unwire(id: string): void {
    for (const node of this.nodes.values()) {
      if (Array.isArray(node.wires))
        node.wires = (node.wires as string[][]).map((output) => output.filter((to) => to !== id));
      if (node.type === 'subflow')
        node.out = (node.out as { wires: { id: string }[] }[]).filter(({ wires }) => wires[0]?.id !== id);
    }
  }

  /** As files hold them: each tab and subflow followed by its nodes. */
  get flows(): Flows {
    const nodes = [...this.nodes.values()];
    const owners = ['tab', 'subflow'].flatMap((type) => nodes.filter((node) => node.type === type));
    const inOrder = owners.flatMap((owner) => [owner, ...nodes.filter(({ z }) => z === owner.id)]);
    return { nodes: [...inOrder, ...nodes.filter(isConfig)], credentials: this.credentials };
  }
}

const EDITS = [
  'addTab',
  'addSubflow',
  'addConfig',
  'addGroup',
  'addNode',
  'addNode',
  'wire',
  'wire',
  'change',
  'change',
  'change',
  'changeCredentials',
  'move',
  'move',
  'regroup',
  'moveToOtherTab',
  'ungroup',
  'deleteNode',
  'deleteNode',
  'deleteConfig',
  'deleteOwner',
  'reorder',
] as const;

const FIRST = [
  ...([
    'addTab',
    'addTab',
    'addTab',
    'addSubflow',
    'addConfig',
    'addConfig',
    'addGroup',
    'addGroup',
  ] as const),
  ...Array.from({ length: 14 }, () => 'addNode' as const),
];

function isSubflow({ type }: FlowNode): boolean {
  return type === 'subflow';
}

function isConfig({ type }: FlowNode): boolean {
  return type === 'telegram bot';
}

function play(
  flows: Flows,
  edits: readonly (keyof Canvas)[],
  numbers: readonly number[],
  who: string,
): Flows {
  let next = 0;
  const draw: Draw = (limit) => (numbers[next++ % numbers.length] as number) % limit;
  const canvas = new Canvas(flows, draw, who);
  for (const edit of edits) (canvas[edit] as () => void)();
  return structuredClone(canvas.flows);
}

const numbers = fc.array(fc.nat(100_000), { minLength: 60, maxLength: 200 });
const edits = fc.array(fc.constantFrom(...EDITS), { maxLength: 12 });

/** Shipped flows, a person's flows that stem from them, and the next shipped ones. */
export const threeSides = fc
  .record({ start: numbers, mine: fc.tuple(edits, numbers), shipped: fc.tuple(edits, numbers) })
  .map(({ start, mine, shipped }) => {
    const base = play({ nodes: [], credentials: {} }, FIRST, start, 'n');
    return {
      base,
      mine: play(base, mine[0], mine[1], 'my'),
      shipped: play(base, shipped[0], shipped[1], 'new'),
    };
  });

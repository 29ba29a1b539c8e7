import { type FlowNode, isOwner } from '../../runtime/flows/model.js';
import { isConfig, type Nodes } from './sides.js';

/**
 * How a node depends on another one.
 *
 * tab      it stands on that tab or in that subflow; can't be without it
 * subflow  it is an instance of that subflow; with the subflow missing Node-RED starts no flow at all
 * wire     it sends there; for a subflow: its inputs and outputs
 * group    it is drawn in that group
 * use      it names a config node, or others in a list of links or of nodes to watch
 */
export interface Reference {
  kind: 'tab' | 'subflow' | 'wire' | 'group' | 'use';
  to: string;
}

interface Port {
  wires?: { id?: unknown }[];
}

const INSTANCE = 'subflow:';
const PORTS = ['in', 'out', 'status'] as const;

/** Everything that a node points at. @param known all nodes of its side, to tell the ids of config nodes */
export function referencesOf(node: FlowNode, known: Nodes): Reference[] {
  const found: Reference[] = [];
  const add = (kind: Reference['kind'], to: unknown) => {
    if (typeof to === 'string' && to !== '') found.push({ kind, to });
  };
  if (!isOwner(node)) add('tab', node.z);
  if (node.type.startsWith(INSTANCE)) add('subflow', node.type.slice(INSTANCE.length));
  add('group', node.g);
  for (const id of Array.isArray(node.wires) ? node.wires.flat() : []) add('wire', id);
  for (const port of portsOf(node)) for (const wire of wiresOf(port)) add('wire', wire.id);
  for (const list of [node.links, node.scope])
    for (const id of Array.isArray(list) ? list : []) add('use', id);
  for (const [key, value] of Object.entries(node)) {
    if (key === 'id' || typeof value !== 'string') continue;
    const other = known.get(value);
    if (other && isConfig(other)) add('use', value);
  }
  return found;
}

/** How well a reference holds among these nodes: 0 its target is missing, 1 it is there, 2 it is where it must be. */
export function holds({ kind, to }: Reference, node: FlowNode, among: Nodes): 0 | 1 | 2 {
  const target = among.get(to);
  if (!target) return 0;
  switch (kind) {
    case 'tab':
      return isOwner(target) ? 2 : 0;
    case 'subflow':
      return target.type === 'subflow' ? 2 : 0;
    case 'use':
      return 2;
    case 'group':
      return target.type === 'group' && target.z === node.z ? 2 : 0;
    case 'wire':
      return target.z === (isOwner(node) ? node.id : node.z) ? 2 : 1;
  }
}

/** The node without the wires, or the group, that these references are. */
export function without(node: FlowNode, broken: readonly Reference[]): FlowNode {
  const gone = new Set(broken.filter(({ kind }) => kind === 'wire').map(({ to }) => to));
  const mended: FlowNode = { ...node };
  if (broken.some(({ kind }) => kind === 'group')) delete mended.g;
  if (gone.size === 0) return mended;
  if (Array.isArray(node.wires))
    mended.wires = node.wires.map((output) =>
      Array.isArray(output) ? output.filter((id) => !gone.has(id)) : output,
    );
  for (const side of PORTS) {
    const ports = node[side];
    if (node.type === 'subflow' && Array.isArray(ports))
      mended[side] = ports.map((port) => unplug(port, gone));
    else if (node.type === 'subflow' && ports) mended[side] = unplug(ports as Port, gone);
  }
  return mended;
}

function portsOf(node: FlowNode): Port[] {
  if (node.type !== 'subflow') return [];
  return PORTS.flatMap((side) => (node[side] as Port | Port[] | undefined) ?? []);
}

function wiresOf(port: Port | null): { id?: unknown }[] {
  return Array.isArray(port?.wires) ? port.wires : [];
}

function unplug(port: Port, gone: ReadonlySet<string>): Port {
  if (!Array.isArray(port?.wires)) return port;
  return { ...port, wires: port.wires.filter(({ id }) => !gone.has(String(id))) };
}

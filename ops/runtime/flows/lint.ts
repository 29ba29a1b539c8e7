import { Script } from 'node:vm';
import { boxOf, overlap, within } from './geometry.js';
import { type FlowNode, isOwner, nameOf } from './model.js';

/** Something that runs but that a reader stumbles over, or that can't work. */
export interface Finding {
  node: FlowNode;
  what: string;
}

/** Longer functions are a node that is missing. */
const LONGEST_FUNCTION = 4;
// Present in every Node-RED without being registered by a file.
const BUILT_IN = new Set(['tab', 'subflow', 'group', 'junction', 'global-config']);

/**
 * Looks over flows that have passed the checks of faults.ts.
 * @param known node types that are installed; undefined: types are not checked
 */
export function lint(nodes: readonly FlowNode[], known?: ReadonlySet<string>): Finding[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const types = unknownTypes(nodes, (type) => known === undefined || known.has(type));
  return [
    ...nodes
      .filter(({ type }) => types.includes(type))
      .map((node) => ({ node, what: `its type “${node.type}” is not installed: no flow would start` })),
    ...nodes.flatMap((node) => [
      ...deadWires(node, byId).map((id) => ({ node, what: `it is wired to ${id}, which does not exist` })),
      ...functionFaults(node),
      ...groupFaults(node, byId),
    ]),
    ...overlaps(nodes),
  ];
}

/** Node types that are neither known nor a subflow of these flows. With one of them Node-RED starts nothing. */
export function unknownTypes(nodes: readonly FlowNode[], known: (type: string) => boolean): string[] {
  const subflows = new Set(nodes.filter(({ type }) => type === 'subflow').map(({ id }) => `subflow:${id}`));
  const types = new Set(nodes.map(({ type }) => type));
  return [...types].filter((type) => !BUILT_IN.has(type) && !subflows.has(type) && !known(type));
}

/** Ids that a node points at as wires, links or ports of a subflow. */
function deadWires(node: FlowNode, byId: ReadonlyMap<string, FlowNode>): string[] {
  const ports = [node.in, node.out, node.status].flat().flatMap((port) => {
    const wires = (port as { wires?: { id?: string }[] } | undefined)?.wires;
    return Array.isArray(wires) ? wires.map(({ id }) => id) : [];
  });
  const wires = Array.isArray(node.wires) ? node.wires.flat() : [];
  const links = node.type.startsWith('link ') && Array.isArray(node.links) ? node.links : [];
  return [...wires, ...links, ...(node.type === 'subflow' ? ports : [])].filter(
    (id): id is string => typeof id === 'string' && !byId.has(id),
  );
}

function functionFaults(node: FlowNode): Finding[] {
  if (node.type !== 'function') return [];
  const parts = [node.initialize, node.func, node.finalize].filter((text) => typeof text === 'string');
  const lines = parts
    .join('\n')
    .split('\n')
    .filter((line) => !/^\s*(\/\/.*)?$/.test(line)).length;
  const broken = parts.map(syntaxErrorIn).filter((error) => error !== undefined);
  const findings = broken.map((error) => ({ node, what: `its code is broken: ${error}` }));
  if (lines > LONGEST_FUNCTION)
    findings.push({
      node,
      what: `${lines} lines of code hide in a function: make it a node (at most ${LONGEST_FUNCTION})`,
    });
  return findings;
}

/** Compiles the code as Node-RED wraps it, without running it. */
function syntaxErrorIn(code: string): string | undefined {
  try {
    new Script(`(async function () {${code}\n})`);
    return undefined;
  } catch (thrown) {
    return (thrown as Error).message;
  }
}

function groupFaults(node: FlowNode, byId: ReadonlyMap<string, FlowNode>): Finding[] {
  const findings: Finding[] = [];
  const add = (what: string) => findings.push({ node, what });
  if (node.type === 'group') {
    if (typeof node.name !== 'string' || node.name.trim() === '') add('a group without a label says nothing');
    for (const id of Array.isArray(node.nodes) ? node.nodes : [])
      if (byId.get(id)?.g !== node.id) add(`it lists ${id}, which is not in it`);
  }
  if (typeof node.g !== 'string') return findings;
  const group = byId.get(node.g);
  const [inner, outer] = [boxOf(node), group && boxOf(group)];
  if (group?.type !== 'group' || group.z !== node.z) add(`its group ${node.g} does not exist on this tab`);
  else if (!Array.isArray(group.nodes) || !group.nodes.includes(node.id))
    add(`${nameOf(group)} does not list it among its nodes`);
  else if (inner && outer && !within(surely(inner), outer)) add(`it stands outside of ${nameOf(group)}`);
  return findings;
}

/** The part of a node that is drawn whatever the width of its label. */
function surely(box: { left: number; right: number; top: number; bottom: number }) {
  const middle = (box.left + box.right) / 2;
  const half = Math.min(50, (box.right - box.left) / 2);
  return { ...box, left: middle - half, right: middle + half };
}

function overlaps(nodes: readonly FlowNode[]): Finding[] {
  const drawn = nodes.filter((node) => !isOwner(node) && node.type !== 'group' && boxOf(node));
  return drawn.flatMap((node, index) =>
    drawn
      .slice(0, index)
      .filter((other) => other.z === node.z && overlap(boxOf(other), boxOf(node)))
      .map((other) => ({ node, what: `it overlaps ${nameOf(other)} (${other.id})` })),
  );
}

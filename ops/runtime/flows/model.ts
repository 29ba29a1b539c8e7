/** A node as Node-RED stores it. Tabs, subflows, groups and config nodes are nodes as well. */
export interface FlowNode {
  id: string;
  type: string;
  /** Id of the tab or subflow that it belongs to; absent on tabs, subflows and shared config nodes. */
  z?: string;
  [property: string]: unknown;
}

/** By node id: the node's credential fields. Values are `${NAME}` references. */
export type Credentials = Record<string, Record<string, unknown>>;

/** Everything that Node-RED keeps for its flows. */
export interface Flows {
  nodes: FlowNode[];
  credentials: Credentials;
}

/** Text files by their name in the flows folder. */
export type Files = ReadonlyMap<string, string>;

/** Config nodes that belong to no tab, e.g. the Telegram bot. */
export const CONFIG = 'config.json';
/** Which environment variable each node takes its secret from. */
export const CREDENTIALS = 'credentials.json';
/** The order of tabs and subflows in the editor, one file name per line. */
export const ORDER = 'order.txt';

/** Tabs and subflows own the nodes whose `z` is their id. */
export function isOwner(node: FlowNode): boolean {
  return node.type === 'tab' || node.type === 'subflow';
}

/** What the editor shows on the tab, or in the palette for a subflow. */
export function labelOf(owner: FlowNode): string {
  const label = owner.type === 'tab' ? owner.label : owner.name;
  return typeof label === 'string' ? label : '';
}

/** A node as a person would point at it: its name and type, or its type and id. */
export function nameOf(node: FlowNode): string {
  const name = [node.name, node.label].find((text) => typeof text === 'string' && text.trim() !== '');
  return name === undefined ? `the ${node.type} node ${node.id}` : `the ${node.type} node “${name}”`;
}

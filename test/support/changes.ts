import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HOME } from './node-red.ts';

/** A node of the flow files. */
export interface FlowNode {
  id: string;
  type: string;
  z?: string;
  name?: string;
  action?: string;
  wires?: string[][];
  [property: string]: unknown;
}

/**
 * What nodes of the wing `act`, and others with an effect, do that changes nothing. Whatever is not named here
 * counts as a change: it has to stand behind a command with `changes` and a confirmation.
 */
const HARMLESS: Record<string, readonly string[]> = {
  'potion-systemctl': ['list', 'status'],
  'potion-kill': ['check'],
  // Ends what somebody has begun, and so may be done at once.
  'potion-power': ['check-reboot', 'check-power-off', 'cancel'],
  'potion-script': ['list', 'check', 'cancel'],
  'potion-broadcast': ['count', 'stop'],
  'potion-update': ['panel', 'apt-list', 'packages', 'pull-list'],
  // These only say what they would change; `apply` does it.
  'potion-settings': [
    ...['show', 'get', 'alerts', 'thresholds', 'admins', 'about', 'set-threshold', 'silence', 'unsilence'],
    ...['add-service', 'remove-service', 'invite-admin', 'remove-admin', 'set-language', 'set-quiet'],
    'set-backup',
  ],
};

/** Nodes of Node-RED's own that reach out of it. */
const REACHING_OUT = new Set([
  'exec',
  'file',
  'http request',
  'tcp out',
  'tcp request',
  'udp out',
  'mqtt out',
]);

const ACTING = new Set([
  ...readdirSync(join(HOME, 'nodes', 'act')).map((name) => `potion-${name}`),
  'potion-broadcast',
  ...REACHING_OUT,
]);

/** Whether a node of this type changes something when it does this. */
export function changesSomething(type: string, action: string | undefined): boolean {
  return ACTING.has(type) && !(action !== undefined && HARMLESS[type]?.includes(action));
}

/** All nodes of the flow files. */
export function shippedNodes(): FlowNode[] {
  return readdirSync(join(HOME, 'flows'))
    .filter((name) => name.endsWith('.json') && name !== 'credentials.json')
    .flatMap((name) => JSON.parse(readFileSync(join(HOME, 'flows', name), 'utf8')) as FlowNode[]);
}

/** Something that a command can lead to. */
export interface Effect {
  node: FlowNode;
  action: string | undefined;
  /** A yes stands before it. */
  confirmed: boolean;
  /** Ids on the way there, from the command on. */
  path: string[];
}

/** Everything that changes something and that this command can reach. */
export function effectsOf(command: FlowNode, nodes: readonly FlowNode[]): Effect[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const effects: Effect[] = [];
  const seen = new Set<string>();
  const todo = [{ id: command.id, confirmed: false, actions: givenActions(command), path: [] as string[] }];
  for (let at = todo.pop(); at; at = todo.pop()) {
    const node = byId.get(at.id);
    const mark = `${at.id} ${at.confirmed} ${at.actions.join()}`;
    if (!node || seen.has(mark)) continue;
    seen.add(mark);
    const path = [...at.path, node.id];
    const actions = setActions(node) ?? at.actions;
    const possible = node === command ? [] : actions.length > 0 ? [...actions, node.action] : [node.action];
    for (const action of possible)
      if (changesSomething(node.type, action)) effects.push({ node, action, confirmed: at.confirmed, path });
    for (const { to, confirms, without } of nextOf(node, nodes))
      todo.push({ id: to, confirmed: at.confirmed || confirms, actions: without ? [] : actions, path });
  }
  return effects;
}

interface Way {
  to: string;
  confirms: boolean;
  /** No message with an action of its own goes this way. */
  without: boolean;
}

/** Where a message goes from here: wires, links, and the Catch nodes that would hear of a failure. */
function nextOf(node: FlowNode, nodes: readonly FlowNode[]): Way[] {
  const wires = (node.wires ?? []).flatMap((ids, output) =>
    ids.map((to) => ({ to, confirms: isYes(node, output), without: isWithoutAction(node, output) })),
  );
  const links = node.type === 'link out' ? ((node.links as string[] | undefined) ?? []) : [];
  const catches = nodes.filter(
    ({ type, z, scope }) =>
      type === 'catch' && z === node.z && (scope === null || (scope as string[]).includes(node.id)),
  );
  const plain = [...links, ...catches.map(({ id }) => id)].map((to) => ({
    to,
    confirms: false,
    without: false,
  }));
  return [...wires, ...plain];
}

/** A yes, or root's own word in the file of scripts that nobody need be asked about this one. */
function isYes({ type, action }: FlowNode, output: number): boolean {
  return (
    (type === 'potion-confirm' && output === 0) ||
    (type === 'potion-script' && action === 'check' && output === 1)
  );
}

/** The way of a switch that those with an action do not take. */
function isWithoutAction({ type, property, rules, checkall }: FlowNode, output: number): boolean {
  if (type !== 'switch' || property !== 'action' || !Array.isArray(rules)) return false;
  const kinds = rules.map(({ t }) => String(t));
  const rest =
    kinds[output] === 'else' && kinds.slice(0, output).some((t) => t === 'nempty' || t === 'nnull');
  return ['empty', 'null'].includes(kinds[output] ?? '') || (rest && checkall === 'false');
}

/** What a command's arguments may make of `msg.action`, which overrides a node's own. */
function givenActions({ args = '' }: FlowNode): string[] {
  const found = String(args).matchAll(/[<[](?:action:)?([\w-]+(?:\|[\w-]+)+)(?:=[^>\]]*)?[>\]]/g);
  return [...found].flatMap(([, words = '']) => words.split('|'));
}

function setActions({ type, rules }: FlowNode): string[] | undefined {
  if (type !== 'change' || !Array.isArray(rules)) return undefined;
  const rule = rules.findLast(({ p, pt = 'msg' }) => p === 'action' && pt === 'msg');
  if (!rule) return undefined;
  if (rule.t === 'delete') return [];
  return rule.t === 'set' && rule.tot === 'str' ? [String(rule.to)] : ['whatever the flow makes of it'];
}

import { type Credentials, type FlowNode, isOwner, nameOf } from './model.js';

/** What is wrong with one node of a list. */
export interface Fault {
  /** Place in the list, or the node's id for a credential. */
  node: number | string;
  /** The property that is at fault. */
  field?: string;
  what: string;
  hint: string;
}

/** A bot token, wherever it stands. */
const TOKEN = /\d{5,}:[\w-]{20,}/;
/** The only form in which a secret may stand in a file. */
const REFERENCE = /^\$\{[A-Za-z_][A-Za-z0-9_]*\}$/;
/** Node-RED takes the credentials of these literally: a reference there would never be resolved. */
const UNRESOLVED = /^(tab|group|subflow(:.*)?|global-config)$/;

/** Whether a list entry has what every node must have. */
export function isNode(entry: unknown): entry is FlowNode {
  if (entry === null || typeof entry !== 'object') return false;
  const { id, type } = entry as Partial<FlowNode>;
  return typeof id === 'string' && id !== '' && typeof type === 'string' && type !== '';
}

/** Everything that makes a list of nodes unfit to be started or stored. */
export function faultsOf(entries: readonly unknown[]): Fault[] {
  const owners = new Set(
    entries
      .filter(isNode)
      .filter(isOwner)
      .map(({ id }) => id),
  );
  const seen = new Set<string>();
  return entries.flatMap((entry, node): Fault[] => {
    if (!isNode(entry))
      return [
        {
          node,
          what: 'this is not a node: it needs an "id" and a "type"',
          hint: 'Complete or delete this entry.',
        },
      ];
    const faults = secretsIn(entry).map((fault) => ({ ...fault, node }));
    if (seen.has(entry.id))
      faults.push({
        node,
        field: 'id',
        what: `a second node has the id ${entry.id} (${nameOf(entry)})`,
        hint: 'Two files may hold the same tab after a merge: delete one, or give the copy an id of its own.',
      });
    seen.add(entry.id);
    if (entry.z && !owners.has(entry.z))
      faults.push({
        node,
        field: 'z',
        what: `${nameOf(entry)} belongs to the tab or subflow ${entry.z}, which does not exist`,
        hint: 'Bring the tab back (git log shows where it went) or delete the node.',
      });
    return faults;
  });
}

function secretsIn(node: FlowNode): Omit<Fault, 'node'>[] {
  const faults = Object.entries(node)
    .filter(([, value]) => TOKEN.test(typeof value === 'string' ? value : JSON.stringify(value)))
    .map(([field]) => ({
      field,
      what: `${nameOf(node)} holds a bot token in its field “${field}”`,
      hint: `Put it into .env (BOT_TOKEN=…) and write ${reference('BOT_TOKEN')} here. If the file was ever shared, let @BotFather make a new token.`,
    }));
  if (node.credentials !== undefined)
    faults.push({
      field: 'credentials',
      what: `${nameOf(node)} carries its credentials itself`,
      hint: `They belong into credentials.json, as ${reference('NAME')}.`,
    });
  return faults;
}

/**
 * Credentials that are more than a reference to the environment. Node-RED gives them in plain text, so what
 * passes here is what git gets to see.
 */
export function credentialFaults(credentials: Credentials, nodes: readonly FlowNode[]): Fault[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  return Object.entries(credentials).flatMap(([id, fields]) => {
    const node = byId.get(id) ?? { id, type: 'unknown' };
    const resolved = !UNRESOLVED.test(node.type);
    return secretFields(fields, resolved).map((field) => ({ node: id, field, ...adviceFor(node, field) }));
  });
}

/** Names of the fields that hold something else than nothing, a flag or (where it is resolved) a reference. */
function secretFields(fields: unknown, resolved: boolean): string[] {
  if (fields === null || typeof fields !== 'object') return [''];
  return Object.entries(fields).flatMap(([field, value]) => {
    if (value === null || value === undefined || typeof value === 'boolean') return [];
    // global-config keeps its environment's credentials one level deeper.
    if (typeof value === 'object') return secretFields(value, resolved);
    const harmless =
      typeof value === 'string' && (value.trim() === '' || (resolved && REFERENCE.test(value)));
    return harmless ? [] : [field];
  });
}

function adviceFor(node: FlowNode, field: string): { what: string; hint: string } {
  const what = `${nameOf(node)} would store a secret in its field “${field}”`;
  const name = field.replace(/\W+/g, '_').toUpperCase() || 'NAME';
  return {
    what,
    hint: UNRESOLVED.test(node.type)
      ? `Secrets live in .env alone: put it there (${name}=…) and make this property of the type “env variable” instead of “credential”.`
      : `Secrets live in .env alone: put it there (${name}=…) and write ${reference(name)} into this field.`,
  };
}

/** How a node refers to a variable of the environment. */
function reference(name: string): string {
  return `\${${name}}`;
}

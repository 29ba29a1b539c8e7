import { CREDENTIALS, type Files, type FlowNode, ORDER } from './model.js';

/** Longest line before a value is spread over several. */
const WIDTH = 100;

// What a reviewer looks for comes first, what moving and wiring change comes last, the rest by name: so the
// order does not depend on who wrote the node (editor, API client, an older version of its type).
const FIRST = ['id', 'type', 'z', 'd', 'g', 'label', 'name'];
const LAST = ['x', 'y', 'w', 'h', 'wires'];

/** The node with its properties in the order that files have. Nested values are left as they are. */
export function inFileOrder(node: FlowNode): FlowNode {
  const place = (key: string) => {
    if (FIRST.includes(key)) return FIRST.indexOf(key);
    return LAST.includes(key) ? FIRST.length + 1 + LAST.indexOf(key) : FIRST.length;
  };
  const byName = (a: string, b: string) => (a < b ? -1 : 1);
  return Object.fromEntries(
    Object.entries(node).sort(([a], [b]) => place(a) - place(b) || byName(a, b)),
  ) as FlowNode;
}

/**
 * A list of nodes as JSON that diffs well: two spaces, one property per line; a value that fits on its line
 * (wires, a switch rule, an env variable) stays on it.
 */
export function formatNodes(nodes: readonly FlowNode[]): string {
  if (nodes.length === 0) return '[]\n';
  return `[\n${nodes.map((node) => `  ${spread(inFileOrder(node), 2)}`).join(',\n')}\n]\n`;
}

/** An object as JSON with one entry per line where it fits. */
export function formatEntries(object: object): string {
  return `${Object.keys(object).length === 0 ? '{}' : spread(object, 0)}\n`;
}

/** Every entry on a line of its own; each value on one line if it fits. */
function spread(value: object, indent: number): string {
  const pad = ' '.repeat(indent + 2);
  const list = Array.isArray(value);
  const lines = Object.entries(value).map(([key, entry]) => {
    const before = list ? pad : `${pad}${JSON.stringify(key)}: `;
    return before + valueText(entry, indent + 2, before.length);
  });
  const [open, close] = list ? ['[', ']'] : ['{', '}'];
  return `${open}\n${lines.join(',\n')}\n${' '.repeat(indent)}${close}`;
}

function valueText(value: unknown, indent: number, column: number): string {
  const line = inline(value);
  if (column + line.length < WIDTH || value === null || typeof value !== 'object') return line;
  return Object.keys(value).length === 0 ? line : spread(value, indent);
}

function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined);
  if (entries.length === 0) return '{}';
  return `{ ${entries.map(([key, entry]) => `${JSON.stringify(key)}: ${inline(entry)}`).join(', ')} }`;
}

/** Readable files in the form in which Potion writes them; names and order stay. */
export function reformat(files: Files): Files {
  const tidy = (name: string, text: string) => {
    if (name === ORDER) return text;
    return name === CREDENTIALS ? formatEntries(JSON.parse(text)) : formatNodes(JSON.parse(text));
  };
  return new Map([...files].map(([name, text]) => [name, tidy(name, text)]));
}

import { credentialFaults, faultsOf, isNode } from './faults.js';
import { inFileOrder } from './format.js';
import { locate } from './locate.js';
import type { Credentials, FlowNode, Flows } from './model.js';
import { parseJson } from './parse.js';
import { FlowsError, type Problem } from './problem.js';

/**
 * All flows as the one list that Node-RED exports and imports. Credentials, which are references only, ride
 * on their nodes, where the editor's import and POST /flows take them from.
 */
export function toBundle({ nodes, credentials }: Flows): string {
  const list = nodes.map((node) => {
    const own = credentials[node.id];
    return own ? { ...inFileOrder(node), credentials: own } : inFileOrder(node);
  });
  return `${JSON.stringify(list, null, 2)}\n`;
}

/**
 * Reads an export of Node-RED: a list of nodes, or `{ flows, credentials }` as its admin API gives it.
 * @throws FlowsError with file, line and column
 */
export function fromBundle(file: string, text: string): Flows {
  const refuse = (problems: Problem[]) => {
    throw new FlowsError(`${file} can't be brought in:`, problems);
  };
  const read = parseJson(file, text.replace(/^\uFEFF/, ''));
  if ('problem' in read) return refuse([read.problem]);
  const whole = read.value as { flows?: unknown; credentials?: Credentials } | null;
  const wrapped = Array.isArray(whole?.flows);
  const list = wrapped ? whole?.flows : whole;
  if (!Array.isArray(list))
    return refuse([
      {
        file,
        line: 1,
        column: 1,
        what: 'this is not a list of nodes',
        hint: 'Export it as JSON from Node-RED.',
      },
    ]);

  const { nodes, credentials } = withoutCredentials(list);
  const all = { ...(wrapped ? whole?.credentials : {}), ...credentials };
  const indexOf = new Map(nodes.map((node, index) => [isNode(node) ? node.id : '', index]));
  const problems = [...faultsOf(nodes), ...credentialFaults(all, nodes.filter(isNode))].map(
    ({ node, field, what, hint }) => {
      const index = typeof node === 'number' ? node : (indexOf.get(node) ?? 0);
      const inside = typeof node === 'number' ? [field ?? ''] : ['credentials', field ?? ''];
      return { file, ...locate(text, [...(wrapped ? ['flows'] : []), index, ...inside]), what, hint };
    },
  );
  if (problems.length > 0) return refuse(problems);
  return { nodes: nodes as FlowNode[], credentials: all };
}

function withoutCredentials(list: readonly unknown[]): { nodes: unknown[]; credentials: Credentials } {
  const credentials: Credentials = {};
  const nodes = list.map((entry) => {
    if (!isNode(entry) || entry.credentials === undefined) return entry;
    const { credentials: own, ...node } = entry;
    credentials[entry.id] = own as Record<string, unknown>;
    return node;
  });
  return { nodes, credentials };
}

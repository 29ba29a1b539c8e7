import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HOME } from './node-red.ts';

/** A node as it stands in a flow file. */
export interface FlowNode {
  id: string;
  type: string;
  [property: string]: unknown;
}

/** All examples as one flow, with a node that several of them share once. */
export function exampleFlows(): FlowNode[] {
  const nodes = readdirSync(join(HOME, 'examples')).flatMap((file): FlowNode[] =>
    JSON.parse(readFileSync(join(HOME, 'examples', file), 'utf8')),
  );
  return [...new Map(nodes.map((node) => [node.id, node])).values()];
}

/** The types of Potion's nodes, in order. */
export function potionTypes(): string[] {
  const manifest = JSON.parse(readFileSync(join(HOME, 'package.json'), 'utf8'));
  return Object.keys(manifest['node-red'].nodes).sort();
}

import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { formatEntries, formatNodes } from './format.js';
import {
  CONFIG,
  CREDENTIALS,
  type Credentials,
  type Files,
  type FlowNode,
  type Flows,
  isOwner,
  labelOf,
  ORDER,
} from './model.js';
import { keepOrder } from './order.js';

const ORDER_HEAD = '# Tabs and subflows in the order of the editor, one file per line.\n';
// Leaves room for the id within the 255 bytes of a file name, also in scripts of four bytes a character.
const LONGEST_SLUG = 40;

/**
 * Lays flows out as files. What does not change in `before` keeps its name, place and very text, so that a
 * small change in the editor is a small change in git.
 * @param flows must have passed the checks of faults.ts
 * @param before the files as they are now, readable
 */
export function arrange(flows: Flows, before: Files = new Map()): Map<string, string> {
  const old = homesIn(before);
  const files = new Map<string, string>();
  const owners = [
    ...flows.nodes.filter(({ type }) => type === 'tab'),
    ...flows.nodes.filter(({ type }) => type === 'subflow'),
  ];
  const taken = new Set<string>([CONFIG, CREDENTIALS]);
  // Kept names first, so that a new tab never takes the name of one that stays.
  const names = new Map<FlowNode, string>();
  for (const owner of owners) {
    const home = old.get(owner.id);
    if (home && home.label === labelOf(owner)) names.set(owner, claim(home.file, taken));
  }
  for (const owner of owners) {
    const name = names.get(owner) ?? claim(`${fileStem(owner)}.json`, taken);
    names.set(owner, name);
    const own = flows.nodes.filter((node) => node.z === owner.id && !isOwner(node));
    const home = old.get(owner.id);
    files.set(name, listText([owner, ...keepOrder(own, home?.nodes ?? [])], home?.text));
  }
  const shared = flows.nodes.filter((node) => !node.z && !isOwner(node));
  if (shared.length > 0 || before.has(CONFIG)) {
    const text = before.get(CONFIG);
    files.set(CONFIG, listText(keepOrder(shared, text === undefined ? [] : JSON.parse(text)), text));
  }
  const credentials = withoutEmpty(flows.credentials);
  if (Object.keys(credentials).length > 0 || before.has(CREDENTIALS))
    files.set(CREDENTIALS, formatEntries(credentials));
  if (owners.length > 0 || before.has(ORDER))
    files.set(ORDER, ORDER_HEAD + owners.map((owner) => `${names.get(owner)}\n`).join(''));
  return files;
}

interface Home {
  file: string;
  label: string;
  nodes: FlowNode[];
  text: string;
}

/** Where each tab and subflow stands now. */
function homesIn(files: Files): Map<string, Home> {
  const homes = new Map<string, Home>();
  for (const [file, text] of files) {
    if (file === CONFIG || file === CREDENTIALS || file === ORDER) continue;
    const list = JSON.parse(text) as FlowNode[];
    const owner = list.find(isOwner);
    const nodes = list.filter((node) => node !== owner);
    if (owner) homes.set(owner.id, { file, label: labelOf(owner), nodes, text });
  }
  return homes;
}

/** The old text if it says the same, whoever formatted it. */
function listText(nodes: readonly FlowNode[], old: string | undefined): string {
  return old !== undefined && isDeepStrictEqual(JSON.parse(old), nodes) ? old : formatNodes(nodes);
}

/**
 * File name of a tab or subflow, without `.json`: what can be read of its label, and its id, so that two tabs
 * of one name have two files. Letters of any script stay; emoji, slashes and dots go.
 */
export function fileStem(owner: FlowNode): string {
  const slug = [
    ...labelOf(owner)
      .normalize('NFKC')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}]+/gu, '-'),
  ]
    .slice(0, LONGEST_SLUG)
    .join('')
    .replace(/^-+|-+$/g, '');
  return `${slug || owner.type}.${safeId(owner.id)}`;
}

/** The id, or as much of it as a file name may hold with a hash that keeps it apart from others. */
function safeId(id: string): string {
  if (/^[A-Za-z0-9_-]{1,40}$/.test(id)) return id;
  const readable = id.replace(/[^A-Za-z0-9_-]+/g, '').slice(0, 20);
  return `${readable}${readable && '-'}${createHash('sha256').update(id).digest('hex').slice(0, 12)}`;
}

function claim(wanted: string, taken: Set<string>): string {
  let name = wanted;
  for (let n = 2; taken.has(name); n++) name = wanted.replace(/(\.json)$/, `-${n}$1`);
  taken.add(name);
  return name;
}

/** Only what says something, sorted by id, so that the text does not depend on who was saved first. */
function withoutEmpty(credentials: Credentials): Credentials {
  const filled = Object.entries(credentials).filter(([, fields]) => Object.keys(fields ?? {}).length > 0);
  return Object.fromEntries(filled.sort(([a], [b]) => (a < b ? -1 : 1)));
}

import { credentialFaults, type Fault, faultsOf, isNode } from './faults.js';
import { locate, placeOf } from './locate.js';
import { CONFIG, CREDENTIALS, type Credentials, type Files, type Flows, isOwner, ORDER } from './model.js';
import { FlowsError, type Problem } from './problem.js';
import { syntaxFault } from './syntax.js';

const MARKER = /^(<{7}|={7}|>{7}|\|{7})( .*)?$/m;

type Entry = { value: unknown } | { problem: Problem };

/**
 * Reads the files of a flows folder: tabs and subflows in the order of `order.txt`, each followed by its own
 * nodes, and the shared config nodes.
 * @throws FlowsError with every problem, each with file, line and column
 */
export function parseFiles(files: Files, lead = 'These flow files need mending:'): Flows {
  const problems: Problem[] = [];
  const lists = new Map<string, unknown[]>();
  let credentials: Credentials = {};
  for (const [file, text] of files) {
    const entry = file === ORDER ? conflictIn(file, text) : (conflictIn(file, text) ?? parseJson(file, text));
    if (!entry) continue;
    if ('problem' in entry) problems.push(entry.problem);
    else if (file === CREDENTIALS && isRecord(entry.value)) credentials = entry.value as Credentials;
    else if (file !== CREDENTIALS && Array.isArray(entry.value)) lists.set(file, entry.value);
    else problems.push(wrongShape(file));
  }
  const order = orderOf(files);
  problems.push(...order.problems, ...[...lists].flatMap(([file, list]) => strangersIn(files, file, list)));

  const origins = order.names.flatMap((file) =>
    (lists.get(file) ?? []).map((entry, index) => ({ entry, file, index })),
  );
  const entries = origins.map(({ entry }) => entry);
  const place = ({ node, field }: Fault) => {
    if (typeof node === 'string') return placed(files, CREDENTIALS, [node, field ?? '']);
    const { file, index } = origins[node] as (typeof origins)[number];
    return placed(files, file, field === undefined ? [index] : [index, field]);
  };
  const nodes = entries.filter(isNode);
  // A stranger in a file is already named as such.
  for (const fault of [...faultsOf(entries), ...credentialFaults(credentials, nodes)])
    if (fault.field !== 'z') problems.push({ ...place(fault), what: fault.what, hint: fault.hint });
  if (problems.length > 0) throw new FlowsError(lead, problems);
  return { nodes, credentials };
}

/** Parses JSON; what is wrong with it comes as a problem with its place. */
export function parseJson(file: string, text: string): Entry {
  try {
    return { value: JSON.parse(text) };
  } catch (thrown) {
    const { offset, what } = syntaxFault(text) ?? { offset: 0, what: String(thrown) };
    const hint = `Mend the line, or take the last good state: git checkout -- ${file}`;
    return { problem: { file, ...placeOf(text, offset), what: `not JSON: ${what}`, hint } };
  }
}

function conflictIn(file: string, text: string): Entry | undefined {
  const marker = MARKER.exec(text);
  if (!marker) return undefined;
  return {
    problem: {
      file,
      ...placeOf(text, marker.index),
      what: 'a merge conflict of git was left here',
      hint: 'Keep one of the two sides and delete the lines with <<<<<<<, ======= and >>>>>>>.',
    },
  };
}

/** File names of tabs and subflows in the editor's order. Files that `order.txt` does not name come last. */
function orderOf(files: Files): { names: string[]; problems: Problem[] } {
  const text = files.get(ORDER) ?? '';
  const problems: Problem[] = [];
  const names: string[] = [];
  for (const [index, line] of MARKER.test(text) ? [] : text.split('\n').entries()) {
    const name = line.trim();
    if (name === '' || name.startsWith('#')) continue;
    const place = { file: ORDER, line: index + 1, column: 1 };
    if (names.includes(name))
      problems.push({ ...place, what: `${name} stands here twice`, hint: 'Delete one of the lines.' });
    else if (!files.has(name))
      problems.push({
        ...place,
        what: `there is no file ${name}`,
        hint: `Bring it back (git checkout -- ${name}), or delete this line if the tab is meant to be gone.`,
      });
    names.push(name);
  }
  const others = [...files.keys()].filter((name) => ![ORDER, CONFIG, ...names].includes(name)).sort();
  return { names: [...names, ...others, CONFIG], problems };
}

/** A file holds exactly one tab or subflow, with all its nodes and no others. */
function strangersIn(files: Files, file: string, list: readonly unknown[]): Problem[] {
  const problem = (index: number, what: string, hint: string) => [
    { ...placed(files, file, index < 0 ? [] : [index, 'z']), what, hint },
  ];
  const find = (test: (z: unknown, owner: boolean) => boolean) =>
    list.findIndex((entry) => isNode(entry) && test(entry.z, isOwner(entry)));
  if (file === CONFIG) {
    const stray = find((z, owner) => owner || Boolean(z));
    if (stray < 0) return [];
    return problem(stray, 'this node belongs to a tab, not here', 'Move it into the file of its tab.');
  }
  const owners = list.filter(isNode).filter(isOwner);
  const [owner, second] = owners;
  if (!owner)
    return problem(
      -1,
      'the tab (or subflow) that these nodes belong to is missing',
      `Bring it back (git checkout -- ${file}), or delete the file.`,
    );
  if (second)
    return problem(
      list.indexOf(second),
      'a second tab or subflow stands in this file',
      'Each has a file of its own. A whole export is brought in with: npm run flows -- import <file>',
    );
  const stray = find((z, isTab) => !isTab && z !== owner.id);
  if (stray < 0) return [];
  return problem(
    stray,
    'this node belongs to another tab',
    'Move it into the file of its tab, or mend its "z".',
  );
}

function wrongShape(file: string): Problem {
  const wanted = file === CREDENTIALS ? 'an object of node ids with their fields' : 'a list of nodes';
  return { file, line: 1, column: 1, what: `this must be ${wanted}`, hint: `git checkout -- ${file}` };
}

function placed(files: Files, file: string, path: (string | number)[]) {
  return { file, ...locate(files.get(file) ?? '', path) };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

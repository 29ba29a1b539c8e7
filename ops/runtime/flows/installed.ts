import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const REGISTERED = /RED\.nodes\.registerType\(\s*(['"])(.+?)\1/g;

/**
 * Node types that Node-RED will find, read from the html files as its own tools do, without starting it.
 * @param home Potion's folder
 * @param userDir Node-RED's user folder, where a person may have installed nodes
 */
export function installedTypes(home: string, userDir: string): Set<string> {
  const modules = [join(home, 'node_modules'), join(userDir, 'node_modules')].flatMap(packagesIn);
  const files = [home, ...modules].flatMap(nodeFilesOf);
  files.push(...below(join(home, 'node_modules', '@node-red', 'nodes', 'core')));
  const types = new Set<string>();
  for (const file of files)
    for (const [, , type] of readText(file).matchAll(REGISTERED)) if (type) types.add(type);
  return types;
}

/** The html beside each node file that a package offers. */
function nodeFilesOf(folder: string): string[] {
  const text = readText(join(folder, 'package.json'));
  if (!text.includes('"node-red"')) return [];
  const nodes = (JSON.parse(text) as { 'node-red'?: { nodes?: Record<string, string> } })['node-red']?.nodes;
  return Object.values(nodes ?? {}).map((file) => join(folder, file.replace(/\.[^./]+$/, '.html')));
}

function packagesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((name) =>
    name.startsWith('@')
      ? readdirSync(join(folder, name)).map((inner) => join(folder, name, inner))
      : [join(folder, name)],
  );
}

function below(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.html') && !dirname(name).split('/').includes('locales'))
    .map((name) => join(folder, name));
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

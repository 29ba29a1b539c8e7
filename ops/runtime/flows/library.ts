import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { writeWhole } from './whole-files.js';

const HEADER = /^\/\/ (\w+): (.*)$/;

/**
 * Node-RED's library of snippets (function bodies, exported flows) as files below `<userDir>/lib/<type>`, in
 * the format of Node-RED's own file storage: meta data as `// name: value` lines before the body.
 */
export function library(root: string) {
  return {
    /** The text of an entry; for a folder its sub-folders, then its entries with their meta data. */
    async getLibraryEntry(type: string, path: string): Promise<string | (string | Record<string, string>)[]> {
      const target = inside(root, type, path);
      const isFolder = await stat(target).then(
        (stats) => stats.isDirectory(),
        () => undefined,
      );
      if (isFolder === false) return split(await readFile(target, 'utf8')).body;
      if (isFolder) return listing(target);
      if (path === '' || path.endsWith('/')) return [];
      if (type === 'flows' && !path.endsWith('.json')) return this.getLibraryEntry(type, `${path}.json`);
      throw new Error(`there is no library entry ${path}`);
    },

    async saveLibraryEntry(type: string, path: string, meta: Record<string, unknown>, body: string) {
      const name = type === 'flows' && !path.endsWith('.json') ? `${path}.json` : path;
      const target = inside(root, type, name);
      const header = Object.entries(meta ?? {}).map(
        ([key, value]) => `// ${key}: ${oneLine(String(value))}\n`,
      );
      await mkdir(dirname(target), { recursive: true });
      await writeWhole(target, header.join('') + body);
    },
  };
}

async function listing(folder: string): Promise<(string | Record<string, string>)[]> {
  const entries = (await readdir(folder, { withFileTypes: true })).filter(
    ({ name }) => !name.startsWith('.'),
  );
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const files = entries
    .filter((entry) => entry.isFile())
    .map(async ({ name }) => {
      const { meta } = split(await readFile(join(folder, name), 'utf8'));
      return { ...meta, fn: name };
    });
  return [...folders, ...(await Promise.all(files))];
}

function split(text: string): { meta: Record<string, string>; body: string } {
  const lines = text.split('\n');
  const meta: Record<string, string> = {};
  let count = 0;
  for (const line of lines) {
    const header = HEADER.exec(line);
    if (!header?.[1]) break;
    meta[header[1]] = manyLines(header[2] ?? '');
    count++;
  }
  return { meta, body: lines.slice(count).join('\n') };
}

/** @throws when the path leads out of the library */
function inside(root: string, type: string, path: string): string {
  const target = join(root, type, path);
  if (target === root || target.startsWith(root + sep)) return target;
  throw Object.assign(new Error('a library entry lies in the library'), { code: 'forbidden' });
}

function oneLine(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function manyLines(text: string): string {
  return text.replace(/\\[\\n]/g, (pair) => (pair === '\\\\' ? '\\' : '\n'));
}

import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Files, ORDER } from './model.js';
import { FlowsError, type Problem } from './problem.js';

/**
 * The flow files of a folder; undefined when there is no such folder. Other files in it (a README) and what
 * starts with a dot are left alone.
 * @throws FlowsError for a symbolic link, a folder named like a flow file, or text that is not UTF-8
 */
export async function readFolder(dir: string): Promise<Files | undefined> {
  const names = await namesIn(dir);
  if (!names) return undefined;
  const files = new Map<string, string>();
  const problems: Problem[] = [];
  for (const file of names.filter((name) => isFlowFile(name)).sort()) {
    const what = await unfit(join(dir, file));
    if (what) problems.push({ file, what, hint: 'Flow files are plain files in this very folder.' });
    else {
      const text = decode(await readFile(join(dir, file)));
      if (text === undefined)
        problems.push({ file, what: 'this is not UTF-8 text', hint: `git checkout -- ${file}` });
      else files.set(file, text);
    }
  }
  if (problems.length > 0) throw new FlowsError(`These files in ${dir} can't be used:`, problems);
  return files;
}

/** Whether a name is one that Potion reads and writes in the flows folder. */
export function isFlowFile(name: string): boolean {
  return name === ORDER || (name.endsWith('.json') && !name.startsWith('.'));
}

async function namesIn(dir: string): Promise<string[] | undefined> {
  try {
    return await readdir(dir);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new FlowsError(`The flows folder ${dir} can't be read:`, [
      { what: String(thrown), hint: 'Check FLOWS_DIR in .env and who owns the folder.' },
    ]);
  }
}

/** A link could lead reading and writing out of the folder. */
async function unfit(path: string): Promise<string | undefined> {
  const stats = await lstat(path);
  if (stats.isSymbolicLink()) return 'this is a symbolic link';
  return stats.isFile() ? undefined : 'this is not a file';
}

// The byte order mark that some editors write is dropped.
const UTF8 = new TextDecoder('utf-8', { fatal: true });

function decode(bytes: Uint8Array): string | undefined {
  try {
    return UTF8.decode(bytes);
  } catch {
    return undefined;
  }
}

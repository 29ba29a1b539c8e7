import { readFileSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';

/** Which Potion this is. */
export interface Release {
  /** As in package.json; '' when that can't be read. */
  version: string;
  /** Seven digits of the commit; '' when nothing tells. */
  commit: string;
}

/** Folder of the package that this file belongs to. */
const HOME = join(__dirname, '..', '..');

/**
 * Which Potion runs: an installed release carries its commit in the name of its folder (`0.1.0-abc1234`), a
 * clone in `.git`. Reads files alone, no program.
 */
export function ownRelease(home = HOME): Release {
  return { version: versionOf(home), commit: (folderCommit(home) ?? gitCommit(home) ?? '').slice(0, 7) };
}

function versionOf(home: string): string {
  try {
    const { version } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as { version?: unknown };
    return typeof version === 'string' ? version : '';
  } catch {
    return '';
  }
}

function folderCommit(home: string): string | undefined {
  return /^\d+\.\d+\.\d+.*-([0-9a-f]{7,40})$/.exec(basename(resolve(home)))?.[1];
}

/** gitrepository-layout(5): HEAD names a commit, or a ref in a file of its own or in `packed-refs`. */
function gitCommit(home: string): string | undefined {
  try {
    const git = gitFolder(home);
    const head = readFileSync(join(git, 'HEAD'), 'utf8').trim();
    const ref = /^ref: (refs\/[\w./-]+)$/.exec(head)?.[1];
    if (!ref) return commitIn(head);
    const common = commonFolder(git);
    for (const folder of [git, common]) {
      const own = commitIn(textOf(join(folder, ref)));
      if (own) return own;
    }
    const line = textOf(join(common, 'packed-refs'))
      .split('\n')
      .find((one) => one.endsWith(` ${ref}`));
    return commitIn(line?.split(' ')[0] ?? '');
  } catch {
    return undefined;
  }
}

/** `.git` itself, or where it leads to in a work tree of its own. */
function gitFolder(home: string): string {
  const path = join(home, '.git');
  if (statSync(path).isDirectory()) return path;
  return resolve(
    home,
    readFileSync(path, 'utf8')
      .replace(/^gitdir:\s*/, '')
      .trim(),
  );
}

function commonFolder(git: string): string {
  const common = textOf(join(git, 'commondir')).trim();
  return common ? resolve(git, common) : git;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function commitIn(text: string): string | undefined {
  return /^[0-9a-f]{40,64}$/.exec(text.trim())?.[0];
}

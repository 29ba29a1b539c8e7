import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PotionError } from '../kit/errors.js';

/** How the packages on the disk differ from the lock file. Paths as in the lock file: `node_modules/a/node_modules/b`. */
export interface PackagesState {
  /** Packages that are as they must be. */
  good: number;
  /** Not there. */
  missing: string[];
  /** Another version than the lock file's. */
  different: { path: string; wanted: string; found: string }[];
  /** Not in the lock file. */
  extra: string[];
}

interface Entry {
  version?: string;
  integrity?: string;
  optional?: boolean;
  dev?: boolean;
  devOptional?: boolean;
  peer?: boolean;
  link?: boolean;
}

/** The `packages` of a lock file (npm 7 and later): path → entry; the project itself is "". */
export type LockedPackages = Readonly<Record<string, Entry>>;

/** So many files at a time. */
const AT_ONCE = 32;

/**
 * Compares package-lock.json with what npm has written down in node_modules/.package-lock.json when it installed,
 * and with each package that lies there.
 * @param found versions by path as the packages' own package.json say; undefined where there is none
 */
export function comparePackages(
  wanted: LockedPackages,
  written: LockedPackages,
  found: ReadonlyMap<string, string | undefined>,
): PackagesState {
  const state: PackagesState = { good: 0, missing: [], different: [], extra: [] };
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '' || entry.link) continue;
    const own = written[path];
    const here = found.get(path);
    // For another kind of machine, or for developing: npm may leave it out.
    const isOptional = entry.optional || entry.dev || entry.devOptional || entry.peer;
    if (own === undefined || here === undefined) {
      if (own !== undefined || !isOptional) state.missing.push(path);
    } else if (here !== entry.version || own.version !== entry.version)
      state.different.push({ path, wanted: entry.version ?? '', found: here });
    else if (own.integrity !== entry.integrity)
      state.different.push({ path, wanted: entry.version ?? '', found: `${here} (?)` });
    else state.good++;
  }
  state.extra = Object.keys(written).filter((path) => path !== '' && wanted[path] === undefined);
  return state;
}

/**
 * Looks whether the packages of a folder are those of its package-lock.json.
 * @throws PotionError NOT_FOUND when the folder has no lock file
 */
export async function packagesState(home: string): Promise<PackagesState> {
  const wanted = await lockOf(join(home, 'package-lock.json'));
  if (!wanted) throw new PotionError('NOT_FOUND', 'errors.no-lockfile', { home });
  const written = (await lockOf(join(home, 'node_modules', '.package-lock.json'))) ?? {};
  const paths = Object.keys(wanted).filter((path) => path.startsWith('node_modules/'));
  const found = new Map<string, string | undefined>();
  for (let at = 0; at < paths.length; at += AT_ONCE)
    await Promise.all(
      paths.slice(at, at + AT_ONCE).map(async (path) => found.set(path, await versionOf(join(home, path)))),
    );
  return comparePackages(wanted, written, found);
}

async function lockOf(file: string): Promise<LockedPackages | undefined> {
  try {
    const { packages } = JSON.parse(await readFile(file, 'utf8'));
    return typeof packages === 'object' && packages !== null ? packages : undefined;
  } catch {
    return undefined;
  }
}

async function versionOf(folder: string): Promise<string | undefined> {
  try {
    return String(JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')).version);
  } catch {
    return undefined;
  }
}

import { lstatSync, readlinkSync, type Stats, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** What makes a file one that somebody else may have written. */
export interface Distrust {
  why: 'owner' | 'writable' | 'not-a-file';
  /** The file, or a folder on the way to it. */
  path: string;
}

/** Who owns a file, and who may change it. */
export type Rights = Pick<Stats, 'uid' | 'mode'>;

const WRITABLE_BY_OTHERS = 0o022;
const STICKY = 0o1000;
/** As the kernel has it. */
const MOST_LINKS = 40;

/** Why a file or folder with these rights can't be relied on; an ACL for somebody else shows in the group's rights. */
export function whyDistrust(
  { uid, mode }: Rights,
  isFolder: boolean,
  owners: readonly number[],
): Distrust['why'] | undefined {
  if (!owners.includes(uid)) return 'owner';
  // In a sticky folder, as /tmp, nobody else can take away or replace what an owner has put there.
  if (isFolder && mode & STICKY) return undefined;
  return mode & WRITABLE_BY_OTHERS ? 'writable' : undefined;
}

/**
 * Why what a path leads to can't be relied on: the file, each folder above it, and the same of every symbolic
 * link on the way must belong to one of `owners`, and nobody else may write there.
 * @throws what the file system throws, e.g. ENOENT
 */
export function distrustOf(path: string, owners: readonly number[]): Distrust | undefined {
  for (const { step, stats, isEnd } of way(path)) {
    if (isEnd && !stats.isFile()) return { why: 'not-a-file', path: step };
    // Everybody may "write" a link, but only its owner can make another of it.
    const rights = stats.isSymbolicLink() ? { uid: stats.uid, mode: 0 } : stats;
    const why = whyDistrust(rights, stats.isDirectory(), owners);
    if (why) return { why, path: step };
  }
  return undefined;
}

/** Every folder and link that decides what a path leads to, from the root on, and what it leads to at the end. */
function* way(path: string): Generator<{ step: string; stats: Stats; isEnd: boolean }> {
  let at = '/';
  let todo = resolve(path).split('/');
  yield { step: at, stats: lstatSync(at), isEnd: false };
  for (let hops = 0; todo.length > 0; ) {
    const [name = '', ...rest] = todo;
    todo = rest;
    if (name === '' || name === '.') continue;
    if (name === '..') {
      at = dirname(at);
      continue;
    }
    const step = join(at, name);
    const stats = lstatSync(step);
    if (!stats.isSymbolicLink()) {
      at = step;
      yield { step, stats, isEnd: todo.every((one) => one === '' || one === '.') };
      continue;
    }
    yield { step, stats, isEnd: false };
    if (++hops > MOST_LINKS) throw Object.assign(new Error(`too many links: ${path}`), { code: 'ELOOP' });
    const to = readlinkSync(step);
    if (to.startsWith('/')) at = '/';
    todo = [...to.split('/'), ...todo];
  }
}

/**
 * Whose files count as root's own word: root's; and the own ones of somebody who runs Potion from a checkout of
 * their own, because whoever can change Potion's code gains nothing by them. An installed Potion belongs to root
 * and runs as a user of its own, whose files do not count.
 */
export function trustedOwners(): number[] {
  const self = process.geteuid?.() ?? 0;
  return self !== 0 && statSync(__dirname).uid === self ? [0, self] : [0];
}

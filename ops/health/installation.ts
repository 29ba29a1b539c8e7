import { readFile, stat } from 'node:fs/promises';

/** Locked by ops/install/install.sh while it works; the file stays. */
const LOCK = '/run/lock/potion-install.lock';

/** Since when an installation or upgrade is under way, epoch ms; undefined when there is none. Never throws. */
export async function installingSince(file = LOCK): Promise<number | undefined> {
  try {
    const { dev, ino, mtimeMs } = await stat(file);
    return isLocked(await readFile('/proc/locks', 'utf8'), dev, ino) ? mtimeMs : undefined;
  } catch {
    return undefined;
  }
}

/** Reads /proc/locks, see proc_locks(5): `1: FLOCK  ADVISORY  WRITE 1234 00:1a:5678 0 EOF`. */
function isLocked(table: string, dev: number, inode: number): boolean {
  const hex = (number: number) => number.toString(16).padStart(2, '0');
  // As makedev(3) packs them.
  const major = (dev >>> 8) & 0xfff;
  const minor = (dev & 0xff) | ((dev >>> 12) & 0xfff00);
  return table
    .split('\n')
    .some((line) => line.includes('FLOCK') && line.includes(` ${hex(major)}:${hex(minor)}:${inode} `));
}

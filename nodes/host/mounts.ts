import { readFile, statfs } from 'node:fs/promises';
import { normalize } from 'node:path';

export interface Mount {
  /** Where it is mounted, e.g. `/mnt/potion-data`. */
  path: string;
  /** Major:minor number of the file system; the same for all mounts of one. */
  device: string;
  /** Folder of the file system that is mounted here; not `/` for a bind mount or a btrfs subvolume. */
  root: string;
  /** File system type, e.g. `ext4`. */
  type: string;
  /** What is mounted: `/dev/sda1`, `nas:/films` … */
  source: string;
}

/** Room on a file system, in bytes. */
export interface Room {
  size: number;
  used: number;
  /** What an ordinary user may still write; less than size − used by the blocks kept for root. */
  available: number;
  /** used ÷ (used + available), as df shows it: 1 when nobody but root can write. */
  ratio: number;
}

/** Reads `/proc/self/mountinfo`, see proc_pid_mountinfo(5). What is hidden under a later mount is left out. */
export function parseMountinfo(text: string): Mount[] {
  const visible = new Map<string, Mount>();
  for (const line of text.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const [, , device, root, path] = before.split(' ');
    const [type, source] = after.split(' ');
    if (!device || !root || !path || !type) continue;
    const mount = {
      path: unescaped(path),
      device,
      root: unescaped(root),
      type,
      source: unescaped(source ?? ''),
    };
    visible.delete(mount.path);
    visible.set(mount.path, mount);
  }
  return [...visible.values()];
}

/**
 * Device numbers of the file systems that take no writes, e.g. after an error of the disk. A single mount of
 * a file system that can be written may be read-only all the same, as in the sandbox of a service.
 */
export function readOnlyDevices(mountinfo: string): ReadonlySet<string> {
  const devices = new Set<string>();
  for (const line of mountinfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const device = before.split(' ')[2];
    const options = after.split(' ')[2]?.split(',') ?? [];
    if (device && options.some((option) => option === 'ro' || option === 'emergency_ro')) devices.add(device);
  }
  return devices;
}

// Space, tab, newline and backslash are written as octal.
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** Types without a block device that hold a person's files all the same. */
const STORAGE =
  /^(zfs|btrfs|bcachefs|nfs4?|cifs|smb3|ceph|glusterfs|9p|virtiofs|fuseblk|fuse\.(mergerfs|sshfs|rclone|glusterfs|s3fs))$/;
/** Images that are full by nature: snaps, install media. */
const IMAGES = /^(squashfs|erofs|iso9660|udf|cramfs)$/;
/** Where container engines and snapd mount what is theirs; inside a container, the files they lay in. */
const ENGINES =
  /^\/(snap|var\/snap|var\/lib\/(docker|containers|containerd|kubelet|lxcfs|snapd)|etc\/(hosts|hostname|resolv\.conf))(\/|$)/;

/**
 * The mounts that a person would call a disk, each file system once: no tmpfs, overlay, snap, bind mount or
 * container layer. The root directory and the paths in `always` are kept whatever they are.
 */
export function disksOf(mounts: readonly Mount[], always: readonly string[] = []): Mount[] {
  const wanted = new Set(['/', ...always.map((path) => normalize(`${path}/`).replace(/(.)\/$/, '$1'))]);
  const chosen = mounts.filter((mount) => wanted.has(mount.path));
  const seen = new Set(chosen.map((mount) => mount.device));
  // The whole file system is a better name for it than a folder of it, a short path better than a long one.
  const byName = (a: Mount, b: Mount) =>
    Number(a.root !== '/') - Number(b.root !== '/') || a.path.length - b.path.length;
  for (const mount of mounts.filter(isStorage).sort(byName)) {
    if (seen.has(mount.device)) continue;
    seen.add(mount.device);
    chosen.push(mount);
  }
  return chosen.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function isStorage({ path, source, type }: Mount): boolean {
  if (IMAGES.test(type) || ENGINES.test(path)) return false;
  return STORAGE.test(type) || (source.startsWith('/dev/') && type !== 'devtmpfs' && type !== 'autofs');
}

export async function readMounts(proc = '/proc'): Promise<Mount[]> {
  return parseMountinfo(await readFile(`${proc}/self/mountinfo`, 'utf8'));
}

/**
 * Room on the file system at `path`. Hangs for as long as a dead server or disk does, and holds one of
 * Node's few file threads meanwhile: the caller sets a limit and doesn't ask twice.
 */
export async function readRoom(path: string): Promise<Room> {
  return roomOf(await statfs(path));
}

/** The block counts of statfs(2), in bytes. */
export function roomOf(counts: {
  bsize: number;
  frsize?: number;
  blocks: number;
  bfree: number;
  bavail: number;
}): Room {
  // Blocks are counted in fragments; bsize is the preferred size of a transfer, and larger on ZFS and FUSE.
  // Older Nodes don't tell frsize; bsize is the best there is then.
  const unit = counts.frsize || counts.bsize;
  const used = (counts.blocks - counts.bfree) * unit;
  const available = counts.bavail * unit;
  return { size: counts.blocks * unit, used, available, ratio: used > 0 ? used / (used + available) : 0 };
}

import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Refusal } from './request.js';

const NAME = /^\/dev\/((?:sd[a-z]{1,3}|hd[a-z]|vd[a-z]{1,2}|mmcblk\d{1,2}|nvme\d{1,3}(?:n\d{1,3})?))$/;
const LINK = /^\/dev\/disk\/by-(?:id|path|diskseq)\/[\w.:+@=,#-]{1,200}$/;

/**
 * The device of a whole disk. Partitions, loop devices and whatever else lies below /dev are none.
 * @param value a device or one of udev's links to it
 * @param root where /sys and /dev are found, for tests
 * @throws Refusal
 */
export function wholeDisk(value: unknown, root = '/'): string {
  if (typeof value !== 'string' || !(NAME.test(value) || LINK.test(value)))
    throw new Refusal('request', 'not a disk such as /dev/sda, /dev/nvme0 or /dev/disk/by-id/…');
  // What a controller says is asked through the disk behind it, which more than root may open.
  const disk = value.replace(/^(\/dev\/nvme\d+)$/, '$1n1');
  const path = real(join(root, disk), value, root);
  const name = NAME.exec(path)?.[1];
  if (!name || !statSync(join(root, path)).isBlockDevice() || !isListed(name, path, root))
    throw new Refusal('request', `${value} is not a whole disk`);
  return path;
}

/** Whether the kernel has a disk of that name and number; partitions are not listed there. */
function isListed(name: string, path: string, root: string): boolean {
  const listed = join(root, 'sys/block', name, 'dev');
  return (
    existsSync(listed) &&
    readFileSync(listed, 'utf8').trim() === deviceNumber(statSync(join(root, path)).rdev)
  );
}

function real(path: string, value: string, root: string): string {
  try {
    const found = realpathSync(path);
    return root === '/' ? found : found.slice(root.length);
  } catch {
    throw new Refusal('no-disk', value);
  }
}

// As glibc packs it: gnu_dev_major(3), gnu_dev_minor(3).
function deviceNumber(rdev: number): string {
  const bits = BigInt(rdev);
  const major = ((bits >> 8n) & 0xfffn) | ((bits >> 32n) & 0xfffff000n);
  const minor = (bits & 0xffn) | ((bits >> 12n) & 0xffffff00n);
  return `${major}:${minor}`;
}

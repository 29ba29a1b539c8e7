import { readFileSync, realpathSync, statSync } from 'node:fs';
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
  const path = real(join(root, value), value, root);
  const name = NAME.exec(path)?.[1];
  if (!name) throw new Refusal('request', `${value} is not a whole disk`);
  const stat = statSync(join(root, path));
  // nvme0 is the controller, a character device; nvme0n1 is what is on it.
  const isController = /^nvme\d+$/.test(name);
  const kind = isController ? stat.isCharacterDevice() : stat.isBlockDevice();
  const listed = join(root, 'sys', isController ? 'class/nvme' : 'block', name, 'dev');
  if (!kind || numberIn(listed) !== deviceNumber(stat.rdev))
    throw new Refusal('request', `${value} is not a whole disk`);
  return path;
}

function real(path: string, value: string, root: string): string {
  try {
    const found = realpathSync(path);
    return root === '/' ? found : found.slice(root.length);
  } catch {
    throw new Refusal('no-disk', value);
  }
}

function numberIn(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}

// As glibc packs it: gnu_dev_major(3), gnu_dev_minor(3).
function deviceNumber(rdev: number): string {
  const bits = BigInt(rdev);
  const major = ((bits >> 8n) & 0xfffn) | ((bits >> 32n) & 0xfffff000n);
  const minor = (bits & 0xffn) | ((bits >> 12n) & 0xffffff00n);
  return `${major}:${minor}`;
}

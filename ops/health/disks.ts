import { readFile, realpath, statfs } from 'node:fs/promises';
import { type Mount, parseMountinfo, readOnlyDevices, roomOf } from '../../nodes/host/mounts.js';
import type { Config } from '../../nodes/kit/config.js';
import type { DiskFinding } from './findings.js';
import { within } from './limit.js';

/** From here on a database and a journal soon have no room to work; ext4 keeps 5 % for root by default. */
const FULL = { used: 0.97, available: 200 * 1024 ** 2 };
const INODES = 0.97;

interface Counts {
  bsize: number;
  frsize?: number;
  blocks: number;
  bfree: number;
  bavail: number;
  files: number;
  ffree: number;
}

/** The file systems that Potion lives on, each once, and the big disk. Never throws. */
export async function lookAtDisks(config: Config, ms: number): Promise<DiskFinding[]> {
  const table = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
  const mounts = parseMountinfo(table);
  const readOnly = readOnlyDevices(table);
  const judged = async (path: string, mount: Mount | undefined, read: () => Promise<Counts>) =>
    within<DiskFinding>(
      ms,
      async () => judge(path, await read(), mount !== undefined && readOnly.has(mount.device)),
      () => ({ path, problem: 'silent' }),
    );

  const seen = new Set<string>();
  const own: Promise<DiskFinding>[] = [];
  for (const path of ['/', config.dataDir, config.logDir]) {
    const there = await existing(path);
    const mount = mountOf(mounts, there);
    const device = mount?.device ?? there;
    if (seen.has(device)) continue;
    seen.add(device);
    own.push(judged(mount?.path ?? path, mount, () => statfs(there)));
  }
  return Promise.all([...own, ...bigDisk(config.hddMount, mounts, ms, judged)]);
}

type Judged = (path: string, mount: Mount, read: () => Promise<Counts>) => Promise<DiskFinding>;

function bigDisk(path: string, mounts: readonly Mount[], ms: number, judged: Judged): Promise<DiskFinding>[] {
  if (!path) return [];
  const mount = mounts.find((mount) => mount.path === path);
  if (!mount) return [Promise.resolve({ path, problem: 'missing' })];
  return [judged(path, mount, () => statfsElsewhere(path, ms))];
}

/**
 * statfs(2) in a process of its own: a disk or a server that hangs would hold a thread of this one, and with
 * it the end of this program.
 */
async function statfsElsewhere(path: string, ms: number): Promise<Counts> {
  const { run } = await import('../../nodes/kit/run.js');
  const { stdout } = await run('stat', ['-f', '-c', '%s %S %b %f %a %c %d', '--', path], { timeout: ms });
  const [bsize, frsize, blocks, bfree, bavail, files, ffree] = stdout.split(' ').map(Number);
  const counts = { bsize, frsize, blocks, bfree, bavail, files, ffree };
  if (Object.values(counts).some((count) => !Number.isFinite(count))) throw new Error('stat says nothing');
  return counts as Counts;
}

function judge(path: string, counts: Counts, readOnly: boolean): DiskFinding {
  const { size, available, ratio } = roomOf(counts);
  const finding: DiskFinding = { path, used: ratio, available };
  if (counts.files > 0) finding.inodes = (counts.files - counts.ffree) / counts.files;
  if (readOnly) finding.problem = 'read-only';
  // A small file system may be meant to be small.
  else if (ratio >= FULL.used || (available < FULL.available && size > 10 * FULL.available))
    finding.problem = 'full';
  else if ((finding.inodes ?? 0) >= INODES) finding.problem = 'inodes';
  return finding;
}

/** The mount that a path lies on. */
function mountOf(mounts: readonly Mount[], path: string): Mount | undefined {
  const below = (mount: Mount) => mount.path === '/' || `${path}/`.startsWith(`${mount.path}/`);
  return mounts.filter(below).sort((a, b) => b.path.length - a.path.length)[0];
}

/** The path itself, links followed, or what is there of it. */
async function existing(path: string): Promise<string> {
  for (let at = path; at !== '/'; at = at.slice(0, at.lastIndexOf('/')) || '/') {
    const real = await realpath(at).catch(() => undefined);
    if (real !== undefined) return real;
  }
  return '/';
}

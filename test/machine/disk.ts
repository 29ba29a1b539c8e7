import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';

/** Where machines lie: a disk file system, which an overlay needs for what it writes. */
export const BASE = '/var/tmp';
export const PREFIX = 'potion-machine-';

/** Removes what earlier runs that crashed have left. */
export function clearLeftovers(): void {
  for (const name of readdirSync(BASE)) {
    const folder = join(BASE, name);
    if (!name.startsWith(PREFIX) || isBeingMade(folder) || noted(folder, 'owner') !== undefined) continue;
    for (const process of [noted(folder, 'nspawn'), noted(folder, 'guest')])
      if (process !== undefined) kill(process);
    removeMachine(folder);
  }
}

/** Another run may have made the folder just now and not yet noted that it is its own. */
function isBeingMade(folder: string): boolean {
  return !existsSync(join(folder, 'owner')) && Date.now() - statSync(folder).mtimeMs < 60_000;
}

/** Unmounts and removes everything of a machine whose processes have ended. */
export function removeMachine(folder: string): void {
  const root = join(folder, 'root');
  const disk = join(folder, 'disk');
  for (const point of [root, disk]) while (isMounted(point) && umount(point));
  if (isMounted(root) || isMounted(disk)) return;
  // Never recursive: were the overlay still there, this would have to fail.
  if (existsSync(root)) rmdirSync(root);
  rmSync(folder, { recursive: true, force: true });
}

/** Lays a file system over / that keeps what is written in `disk`. @returns whether it could be mounted */
export function overlay(disk: string, root: string): boolean {
  for (const name of ['upper', 'work']) mkdirSync(join(disk, name), { recursive: true });
  const layers = `lowerdir=/,upperdir=${join(disk, 'upper')},workdir=${join(disk, 'work')}`;
  return mount(['-t', 'overlay', 'overlay', '-o', layers, root]);
}

/** @returns whether it could be mounted */
export const mount = (args: string[]) => spawnSync('mount', args).status === 0;

const umount = (point: string) => spawnSync('umount', ['--lazy', point]).status === 0;

function isMounted(point: string): boolean {
  return readFileSync('/proc/self/mounts', 'utf8').includes(` ${point} `);
}

/** Process id of the machine that an nspawn runs, as seen from here; 0 while there is none. */
export function leaderOf(nspawn: number): number {
  try {
    const [child = '0'] = readFileSync(`/proc/${nspawn}/task/${nspawn}/children`, 'utf8').trim().split(' ');
    // While it is still setting up, the child is nspawn itself.
    return readFileSync(`/proc/${child}/comm`, 'utf8').startsWith('systemd\n') ? Number(child) : 0;
  } catch {
    return 0;
  }
}

/** Ends a process at once, if it is still there. */
export function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}

/** A process id alone may be another process by now, so its start time is noted with it. */
export function noteProcess(folder: string, name: string, pid: number): void {
  appendFileSync(join(folder, name), `${pid} ${startOf(pid)}\n`);
}

function noted(folder: string, name: string): number | undefined {
  try {
    const [pid = '', start] = (
      readFileSync(join(folder, name), 'utf8').trim().split('\n').at(-1) ?? ''
    ).split(' ');
    return startOf(Number(pid)) === start ? Number(pid) : undefined;
  } catch {
    return undefined;
  }
}

function startOf(pid: number): string {
  // Field 22; the name in field 2 may hold anything, so count from its closing bracket.
  return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[19] ?? '';
}

// What Potion and its root helper say to each other over a Unix socket: one JSON line asks,
// `{"verb": …, "args": {…}}`, JSON lines answer, the last one is the end. See ops/helper.

/** A disk as a person or a program names it: `/dev/sda`, `/dev/nvme0`, `/dev/disk/by-id/…`. */
type Disk = { disk: string };

/** The verbs, with what each needs to know. */
export interface HelperArgs {
  /** Everything SMART says about a disk; one that sleeps is left asleep. */
  'smartctl.read': Disk;
  /** Starts a disk's self-test, which runs inside the disk. */
  'smartctl.test': Disk & { kind: 'short' | 'long' };
  /** Ends a process that a person has started, or only looks whether that would be let through. */
  'process.signal': { pid: number; start: number; signal: 'TERM' | 'KILL' | 'CHECK' };
  /** Fetches the lists of packages. */
  'apt.refresh': Record<string, never>;
  /** What apt.upgrade would do now. */
  'apt.list': Record<string, never>;
  /** Installs newer versions, and what they need; removes nothing, keeps changed configuration files. */
  'apt.upgrade': Record<string, never>;
  /** Fetches Potion's own source, and tells what is new in it. */
  'potion.incoming': Record<string, never>;
  /** Begins to bring Potion to a commit of its remembered branch; last-upgrade.json tells what came of it. */
  'potion.upgrade': { commit: string };
}

export type HelperVerb = keyof HelperArgs;

/** Several helpers: one for disks and one for processes need few rights and no network, while a package may change anything. */
export const HELPER_SOCKETS = {
  smartctl: '/run/potion-helper.sock',
  apt: '/run/potion-packages.sock',
  process: '/run/potion-processes.sock',
} as const;

/** Longest request line, bytes. */
export const MOST_REQUEST = 4096;

export interface HelperProgress {
  phase: 'download' | 'install';
  /** 0..1 of this phase. */
  ratio: number;
  /** What is being done, in apt's words. */
  text: string;
}

/** Why a request did not do what it was to do. */
export const HELPER_REASONS = [
  'request', // it is no request, or its arguments make no sense
  'switched-off', // the administrator has switched this verb off
  'no-disk', // there is no such disk
  'no-process', // there is no such process any more
  'guarded', // it is none that a person has started
  'no-program', // the program is not installed
  'busy', // another request of the same kind is running
  'apt-lock', // another program is installing packages
  'dpkg-interrupted', // an earlier installation was cut off and has to be finished by hand
  'no-space', // the disk is full
  'no-network', // the packages could not be fetched
  'apt-failed', // apt did not succeed
  'limit', // it took longer than allowed and was ended
  'broken', // the helper itself has failed
] as const;

export type HelperReason = (typeof HELPER_REASONS)[number];

/** The last line. */
export interface HelperEnd {
  /** Exit code of the program; null where none was run or a signal ended it. */
  exit: number | null;
  reason?: HelperReason;
  detail?: string;
}

/** One line of the answer. */
export type HelperLine = { out: string } | { err: string } | { progress: HelperProgress } | HelperEnd;

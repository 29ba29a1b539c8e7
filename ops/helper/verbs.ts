import { join } from 'node:path';
import type { HelperReason, HelperVerb } from '../../nodes/host/helper-protocol.js';
import { APT_ENVIRONMENT, judgeApt, STATUS_FD, UPGRADE } from './apt.js';
import { wholeDisk } from './disk.js';
import { type Check, commitId, oneOf, Refusal, wholeNumber } from './request.js';
import { SIGNAL_EXIT } from './signal.js';

/** Which of the services does it: each has the rights that its verbs need. */
export type Group = 'devices' | 'packages' | 'processes';

/** One thing that the helper does. */
export interface Verb {
  group: Group;
  /** The arguments, by name, in the order in which argv() takes them. */
  args: Record<string, Check>;
  /** Program with its whole path, and arguments. */
  argv(...args: string[]): [string, ...string[]];
  /** Seconds until it is ended; absent: it must never be ended, as a half-installed package helps nobody. */
  limit?: number;
  /** Of those with the same name only one runs at a time. */
  lock?: string;
  /** Added to the helper's small environment. */
  environment?: Record<string, string>;
  /** The program tells its progress on this file descriptor. */
  statusFd?: number;
  /** What the end of the program means. Default: whatever its exit code, the caller judges. */
  judge?(exit: number | null, errors: readonly string[]): HelperReason | undefined;
}

const SMARTCTL = '/usr/sbin/smartctl';
const APT = '/usr/bin/apt-get';
const FLOCK = '/usr/bin/flock';
const SYSTEMCTL = '/usr/bin/systemctl';

/** Started by root, so it has to be root's own: the release that this helper is part of. */
const PULL = join(__dirname, '..', 'install', 'pull.mjs');
/** Held by whoever works in root's clone of Potion, see paths.mjs of the installer. */
const PULL_LOCK = '/opt/potion/pull.lock';
const PULLING = 75;

const apt = {
  group: 'packages',
  args: {},
  environment: APT_ENVIRONMENT,
  judge: judgeApt,
} as const;

const devices = { group: 'devices', limit: 60 } as const;

/** Looks and signals in one go, so that no other process can take the place of the one that was looked at. */
const SIGNAL = join(__dirname, 'signal.js');

function judgeSignal(exit: number | null): HelperReason | undefined {
  if (exit === SIGNAL_EXIT.sent) return undefined;
  if (exit === SIGNAL_EXIT.gone) return 'no-process';
  return exit === SIGNAL_EXIT.guarded ? 'guarded' : 'broken';
}

/** Everything that the helper does. Whatever is not in this table is refused. */
const VERBS: Record<HelperVerb, Verb> = {
  'smartctl.read': {
    ...devices,
    args: { disk: wholeDisk },
    argv: (disk) => [SMARTCTL, '--json=c', '--xall', '--nocheck=standby', disk],
  },
  'smartctl.test': {
    ...devices,
    args: { disk: wholeDisk, kind: oneOf('short', 'long') },
    argv: (disk, kind) => [SMARTCTL, '--json=c', `--test=${kind}`, disk],
  },
  'process.signal': {
    group: 'processes',
    args: {
      pid: wholeNumber(2, 4_194_304),
      start: wholeNumber(0, 1e15 - 1),
      signal: oneOf('TERM', 'KILL', 'CHECK'),
    },
    argv: (pid, start, signal) => [process.execPath, '--jitless', '--no-addons', SIGNAL, pid, start, signal],
    limit: 10,
    judge: judgeSignal,
  },
  'apt.refresh': {
    ...apt,
    limit: 600,
    lock: 'apt',
    argv: () => [APT, '--quiet=2', 'update'],
  },
  'apt.list': {
    ...apt,
    limit: 120,
    argv: () => [APT, '--quiet', '--simulate', '-o=APT::Get::Show-User-Simulation-Note=false', ...UPGRADE],
  },
  'apt.upgrade': {
    ...apt,
    lock: 'apt',
    statusFd: STATUS_FD,
    argv: () => [
      APT,
      '--quiet',
      '--assume-yes',
      '-o=Dpkg::Options::=--force-confdef',
      '-o=Dpkg::Options::=--force-confold',
      `-o=APT::Status-Fd=${STATUS_FD}`,
      ...UPGRADE,
    ],
  },
  'potion.incoming': {
    group: 'packages',
    args: {},
    limit: 300,
    argv: () => [
      FLOCK,
      '--nonblock',
      `--conflict-exit-code=${PULLING}`,
      PULL_LOCK,
      process.execPath,
      '--no-warnings',
      PULL,
      'show',
    ],
    judge: (exit) => (exit === 0 ? undefined : exit === PULLING ? 'busy' : 'broken'),
  },
  'potion.upgrade': {
    group: 'packages',
    args: { commit: commitId },
    limit: 30,
    // Its own unit: it has to outlive Potion, and with it the helper.
    argv: (commit) => [SYSTEMCTL, 'start', '--no-block', `potion-upgrade@${commit}.service`],
    judge: (exit) => (exit === 0 ? undefined : 'broken'),
  },
};

/**
 * The verb of that name, if this service does it and the administrator lets it.
 * @param allowed HELPER_VERBS: names with spaces or commas, `none`; empty or absent: all
 * @throws Refusal
 */
export function verbNamed(name: string, group: Group, allowed = ''): Verb {
  const verb = Object.hasOwn(VERBS, name) ? VERBS[name as HelperVerb] : undefined;
  if (verb?.group !== group) throw new Refusal('request', 'there is no such verb here');
  const names = allowed.split(/[\s,]+/).filter(Boolean);
  if (names.length > 0 && !names.includes(name))
    throw new Refusal('switched-off', `${name} is not in HELPER_VERBS`);
  return verb;
}

// Ends a process for somebody who may not do that himself. Run by the helper, with a right that only this needs:
//   signal.js <pid> <start> <TERM|KILL|CHECK>
import {
  type Owner,
  type ProcStatLine,
  readOwner,
  readProcess,
  readText,
} from '../../nodes/host/process-table.js';

/** What the end of this program says. */
export const SIGNAL_EXIT = { sent: 0, gone: 3, guarded: 4, malformed: 5 } as const;

/** Everything that is looked at. */
export interface Subject {
  pid: number;
  line: ProcStatLine | undefined;
  owner: Owner | undefined;
  /** Text of /proc/<pid>/cgroup. */
  cgroup: string;
}

/** People, not the system's own users nor those of containers: UID_MIN and UID_MAX of login.defs(5). */
const FIRST_PERSON = 1000;
const LAST_PERSON = 60_000;

// Without these a person's session, or the way into the machine, is gone. systemd names itself so for each user.
const SESSION =
  /^(systemd|\(sd-pam\)|sshd.*|login|dbus-.*|sddm.*|gdm.*|lightdm.*|Xorg|Xwayland|kwin.*|gnome-shell|plasmashell)$/;

/**
 * What may be done about a process: only what a person has started in a session of his own, as that person. All that
 * belongs to the system, to services and to containers is left alone, and so is whatever runs as root.
 * @param start its start time in clock ticks, as it was shown: another process of the same id is not meant
 */
export function judge({ pid, line, owner, cgroup }: Subject, start: number): 'may' | 'gone' | 'guarded' {
  if (!line || !owner || line.start !== start || line.pid !== pid) return 'gone';
  // The id of a thread: a signal to it would reach the whole process, whichever that is.
  if (owner.group !== pid) return 'gone';
  const [uid = 0] = owner.uids;
  const isPerson = uid >= FIRST_PERSON && uid <= LAST_PERSON && owner.uids.every((one) => one === uid);
  if (pid < 2 || line.kernel || !isPerson || SESSION.test(line.name)) return 'guarded';
  return isInSession(cgroup, uid) ? 'may' : 'guarded';
}

/**
 * Whether a control group is that of a login or of a program which a person has started: below its own slice, but
 * not the user's systemd (init.scope) nor what the desktop itself is made of (session.slice), see
 * systemd.special(7).
 */
function isInSession(cgroup: string, uid: number): boolean {
  const lines = cgroup.split('\n');
  const path = (
    lines.find((line) => line.startsWith('0::')) ?? lines.find((line) => line.includes(':name=systemd:'))
  )?.replace(/^\d+:[^:]*:/, '');
  const home = `/user.slice/user-${uid}.slice/`;
  if (!path?.startsWith(home)) return false;
  const [scope = '', slice = ''] = path.slice(home.length).split('/');
  if (/^session-[\w-]+\.scope$/.test(scope)) return true;
  return scope === `user@${uid}.service` && (slice === 'app.slice' || slice === 'background.slice');
}

/** Looks, and at once after that, without a pause, signals. */
function main([pidText = '', startText = '', signal = '']: string[]): number {
  if (!/^\d{1,7}$/.test(pidText) || !/^\d{1,15}$/.test(startText)) return SIGNAL_EXIT.malformed;
  if (!['TERM', 'KILL', 'CHECK'].includes(signal)) return SIGNAL_EXIT.malformed;
  const pid = Number(pidText);
  const start = Number(startText);
  const before = readProcess(pid);
  const owner = readOwner(pid);
  const cgroup = readText(`/proc/${pid}/cgroup`) ?? '';
  const line = readProcess(pid);
  // The same process before and after, so that what was read in between is of that one too.
  if (before?.start !== start) return SIGNAL_EXIT.gone;
  const verdict = judge({ pid, line, owner, cgroup }, start);
  if (verdict !== 'may') return SIGNAL_EXIT[verdict];
  try {
    process.kill(pid, signal === 'CHECK' ? 0 : `SIG${signal}`);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ESRCH') return SIGNAL_EXIT.gone;
    throw thrown;
  }
  return SIGNAL_EXIT.sent;
}

if (require.main === module) process.exit(main(process.argv.slice(2)));

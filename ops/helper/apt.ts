import type { HelperProgress, HelperReason } from '../../nodes/host/helper-protocol.js';

/** Asks nothing, restarts nothing by itself, keeps configuration files that a person has changed. */
export const APT_ENVIRONMENT = {
  DEBIAN_FRONTEND: 'noninteractive',
  DEBIAN_PRIORITY: 'critical',
  UCF_FORCE_CONFFOLD: '1',
  APT_LISTCHANGES_FRONTEND: 'none',
  APT_LISTBUGS_FRONTEND: 'none',
  // needrestart only lists; what it would restart might be Potion itself, in the middle of this.
  NEEDRESTART_MODE: 'l',
};

/** Arguments that both what would be upgraded and what is upgraded have, so that they agree. */
export const UPGRADE = ['--with-new-pkgs', '--no-remove', 'upgrade'];

/** Number of the file descriptor on which apt tells its progress. */
export const STATUS_FD = 3;

/**
 * Reads a line of APT::Status-Fd, see README.progress-reporting in apt's documentation.
 * @returns undefined for one that tells no progress
 */
export function parseStatus(line: string): HelperProgress | undefined {
  const [kind, , percent, ...text] = line.split(':');
  const phase = kind === 'dlstatus' ? 'download' : kind === 'pmstatus' ? 'install' : undefined;
  const ratio = Number(percent) / 100;
  if (!phase || !(ratio >= 0 && ratio <= 1)) return undefined;
  return { phase, ratio, text: text.join(':').trim() };
}

/** Texts of apt 2.6 to 2.8 under LC_ALL=C, and what each means. The first that is found counts. */
const MEANINGS: readonly (readonly [RegExp, HelperReason])[] = [
  [/Could not get lock|Unable to acquire the dpkg frontend lock|Unable to lock (directory|the)/, 'apt-lock'],
  [/dpkg was interrupted|run 'dpkg --configure -a'/, 'dpkg-interrupted'],
  [/No space left on device|don't have enough free space/, 'no-space'],
  [/Failed to fetch|Temporary failure resolving|Could not (resolve|connect)|Unable to fetch/, 'no-network'],
];

/**
 * What the end of a run of apt means. `update` exits 0 also when nothing could be fetched, so the
 * errors and warnings count, not the exit code alone.
 * @param errors last lines of stderr
 */
export function judgeApt(exit: number | null, errors: readonly string[]): HelperReason | undefined {
  const said = errors.filter((line) => /^[EW]:/.test(line));
  if (exit === 0 && !said.some((line) => /^W: (Failed to fetch|Some index files failed)/.test(line)))
    return undefined;
  const text = said.join('\n');
  return MEANINGS.find(([pattern]) => pattern.test(text))?.[1] ?? 'apt-failed';
}

/** What one look at the machine has found. Plain JSON, no secret in it; times are epoch ms. */
export interface Findings {
  at: number;
  /** The kernel's id of this boot; '' where it has none. */
  boot: string;
  /** Seconds since the boot, which no correction of the clock changes. */
  uptime: number;
  health: HealthFinding;
  unit: UnitFinding;
  /** One for each bot, the one that reaches the owner first. */
  api: ApiFinding[];
  disks: DiskFinding[];
  logs: LogsFinding;
  /** Since when an installation or upgrade is under way. */
  installing?: number;
  /** What is wrong in the settings, each starting with the variable's name. */
  settings: readonly string[];
}

export type HealthFinding =
  | { answer: 'ok' }
  /** Potion answers and says that parts of it ail: part → why. */
  | { answer: 'ailing'; parts: Record<string, string> }
  | { answer: 'none'; why: 'refused' | 'timeout' | 'foreign' | 'failed'; detail: string };

export type UnitFinding =
  | {
      /** LoadState of systemd: loaded, not-found, masked … */
      load: string;
      /** ActiveState: active, activating, inactive, failed … */
      active: string;
      sub: string;
      /** How it last ended: success, exit-code, signal, watchdog, oom-kill, start-limit-hit … */
      result: string;
      /** Automatic restarts since somebody started it. */
      restarts: number;
      /** Exit status of its last main process. */
      status: number;
    }
  | { load: 'unknown'; why: string };

export interface ApiFinding {
  bot: 'owner' | 'potion';
  /**
   * - `refused`     Telegram does not know the token (any more)
   * - `trouble`     Telegram, or a proxy before it, answers with an error
   * - `unreachable` no answer
   * - `offline`     this machine has no way to the internet
   */
  answer: 'ok' | 'refused' | 'trouble' | 'unreachable' | 'offline';
  detail?: string;
}

export interface DiskFinding {
  path: string;
  problem?: 'full' | 'inodes' | 'read-only' | 'missing' | 'silent';
  /** Part of the room that is taken, 0..1, as df shows it. */
  used?: number;
  /** Bytes that an ordinary user may still write. */
  available?: number;
  /** Part of the inodes that is taken, 0..1; absent where a file system has no fixed number. */
  inodes?: number;
}

export interface LogsFinding {
  /** Bytes of runtime.log. */
  runtime?: number;
  /** Bytes of everything in LOG_DIR. */
  total?: number;
  /** Bytes that the system's journal takes. */
  journal?: number;
  problem?: 'not-rotated' | 'large';
}

import { hitStartLimit, type UnitProps } from './start-limit.js';

export type { UnitProps };

/**
 * What a unit is doing, in one word. The first that fits:
 *
 * active           it runs (or a mount is mounted, a timer waits, a socket listens)
 * exited           it did its work and counts as up: a oneshot with RemainAfterExit=yes
 * reloading        it runs and reads its configuration anew
 * auto-restart     it went down and systemd itself will start it again (Restart=)
 * activating       on its way up; a long oneshot stays here while it works
 * deactivating     on its way down
 * missing          there is no such unit file
 * masked           made unstartable on purpose
 * start-limit-hit  failed, and systemd refuses further starts until reset-failed
 * failed           it ended badly, or its unit file can't be used (see `problem`)
 * inactive         not running, nothing wrong
 */
export type Condition =
  | 'active'
  | 'exited'
  | 'reloading'
  | 'auto-restart'
  | 'activating'
  | 'deactivating'
  | 'missing'
  | 'masked'
  | 'start-limit-hit'
  | 'failed'
  | 'inactive';

/** What a person wants to know first: `busy` is on its way somewhere, `off` is down on purpose. */
export type Health = 'ok' | 'busy' | 'off' | 'failed' | 'missing';

/** One unit as systemd describes it. The words are systemd's own. */
export interface UnitState {
  /** The name that was asked for, with its type: `nginx.service`. */
  unit: string;
  /** systemd's own name for it; differs when `unit` is an alias. */
  id: string;
  /** There is a unit file (or a running unit) behind the name. */
  exists: boolean;
  condition: Condition;
  health: Health;
  /** LoadState: loaded, not-found, masked, bad-setting, error, merged, stub. */
  load: string;
  /** ActiveState: active, reloading, inactive, failed, activating, deactivating, maintenance. */
  active: string;
  /** SubState, e.g. running, exited, dead, auto-restart, waiting, listening, mounted. */
  sub: string;
  /** How the last run ended: success, exit-code, signal, timeout, start-limit-hit …; '' where not known. */
  result: string;
  /** Type= of a service: simple, exec, forking, oneshot, notify, dbus, idle; '' for other units. */
  type: string;
  /** UnitFileState: enabled, disabled, static, masked, generated, transient …; '' for none. */
  enabled: string;
  description: string;
  /** Why the unit file can't be used; '' when it can. */
  problem: string;
  /** Restart= of a service: no, on-failure, always …; '' for other units. */
  restart: string;
  /** Process id of the main process, 0 when there is none. */
  mainPid: number;
  /** Exit code, or signal number, of the main process that ended last. */
  execMainStatus: number;
  /** How often systemd itself has restarted it since it was last started by hand. */
  restarts: number;
  /** Id of this run; a new one with every start. journald stamps it on every line of the run. */
  invocation: string;
  /** False when a Condition…= of the unit file kept the last start from happening. */
  conditionMet: boolean;
  /** Epoch ms of the last state change; 0 when it never changed since boot. */
  since: number;
  /** Bytes that its processes use now, and seconds of processor time of this run; where systemd keeps account. */
  memory?: number;
  cpuTime?: number;
}

/** ActiveState, SubState, LoadState and Result in one word; see {@link Condition}. */
export function conditionOf(props: UnitProps): Condition {
  const load = text(props.LoadState);
  const sub = text(props.SubState);
  switch (text(props.ActiveState)) {
    case 'active':
      return sub === 'exited' ? 'exited' : 'active';
    case 'reloading':
    case 'refreshing':
      return 'reloading';
    case 'activating':
      return sub.startsWith('auto-restart') ? 'auto-restart' : 'activating';
    case 'deactivating':
      return 'deactivating';
  }
  if (load === 'not-found') return 'missing';
  if (load === 'masked') return 'masked';
  if (text(props.ActiveState) === 'failed') return hitStartLimit(props) ? 'start-limit-hit' : 'failed';
  if (load === 'bad-setting' || load === 'error') return 'failed';
  return 'inactive';
}

const HEALTH: Record<Condition, Health> = {
  active: 'ok',
  exited: 'ok',
  reloading: 'ok',
  'auto-restart': 'busy',
  activating: 'busy',
  deactivating: 'busy',
  missing: 'missing',
  masked: 'off',
  'start-limit-hit': 'failed',
  failed: 'failed',
  inactive: 'off',
};

/** A oneshot that is down and did not fail is well: it has done its work, or its time has not come. */
export function healthOf(condition: Condition, type: string): Health {
  return condition === 'inactive' && type === 'oneshot' ? 'ok' : HEALTH[condition];
}

/** The properties that a {@link UnitState} is made of. */
export const UNIT_PROPS: ReadonlySet<string> = new Set([
  'ActiveState',
  'CPUUsageNSec',
  'ConditionResult',
  'ConditionTimestamp',
  'Description',
  'ExecMainCode',
  'ExecMainExitTimestampMonotonic',
  'ExecMainStatus',
  'Id',
  'InactiveEnterTimestampMonotonic',
  'InvocationID',
  'Job',
  'LoadError',
  'LoadState',
  'MainPID',
  'MemoryCurrent',
  'NRestarts',
  'Restart',
  'RestartPreventExitStatus',
  'RestartUSec',
  'Result',
  'StateChangeTimestamp',
  'StateChangeTimestampMonotonic',
  'SubState',
  'Type',
  'UnitFileState',
]);

/** How many units are how. */
export function countHealth(states: Iterable<UnitState>): Record<Health, number> {
  const counts = { ok: 0, busy: 0, off: 0, failed: 0, missing: 0 };
  for (const { health } of states) counts[health]++;
  return counts;
}

/** Puts what systemd says of a unit into Potion's shape. */
export function unitState(unit: string, props: UnitProps): UnitState {
  const condition = conditionOf(props);
  const type = text(props.Type);
  const since = Math.round(number(props.StateChangeTimestamp) / 1000);
  return {
    unit,
    id: text(props.Id) || unit,
    exists: condition !== 'missing',
    condition,
    health: healthOf(condition, type),
    load: text(props.LoadState),
    active: text(props.ActiveState),
    sub: text(props.SubState),
    result: text(props.Result),
    type,
    enabled: text(props.UnitFileState),
    description: text(props.Description),
    problem: Array.isArray(props.LoadError) ? text(props.LoadError[1]) : '',
    restart: text(props.Restart),
    mainPid: number(props.MainPID),
    execMainStatus: number(props.ExecMainStatus),
    restarts: number(props.NRestarts),
    invocation: hex(props.InvocationID),
    conditionMet: props.ConditionResult !== false || number(props.ConditionTimestamp) === 0,
    since,
    ...accounts(props),
  };
}

// Not kept, or the unit is down: the largest 64-bit number.
const UNKNOWN = 2 ** 64;

function accounts({ MemoryCurrent, CPUUsageNSec }: UnitProps): Pick<UnitState, 'memory' | 'cpuTime'> {
  const memory = number(MemoryCurrent);
  const cpu = number(CPUUsageNSec);
  return {
    ...(memory > 0 && memory < UNKNOWN ? { memory } : {}),
    ...(cpu > 0 && cpu < UNKNOWN ? { cpuTime: cpu / 1e9 } : {}),
  };
}

/** D-Bus object of a unit: what is no letter or digit is escaped, as systemd does. */
export function unitPath(unit: string): string {
  const escaped = unit.replace(
    /[^A-Za-z0-9]|^\d/g,
    (sign) => `_${sign.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
  return `/org/freedesktop/systemd1/unit/${escaped}`;
}

const TOLD: readonly (keyof UnitState)[] = [
  'id',
  'condition',
  'health',
  'load',
  'active',
  'sub',
  'result',
  'type',
  'enabled',
  'problem',
  'restart',
  'restarts',
];

/** Whether nothing that a watcher is told of has changed; process ids and times come with the rest. */
export function sameState(a: UnitState, b: UnitState): boolean {
  return TOLD.every((key) => a[key] === b[key]);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function number(value: unknown): number {
  return typeof value === 'bigint' || typeof value === 'number' ? Number(value) : 0;
}

function hex(value: unknown): string {
  if (Buffer.isBuffer(value)) return value.toString('hex');
  return Array.isArray(value) ? Buffer.from(value as number[]).toString('hex') : '';
}

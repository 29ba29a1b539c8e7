/** Unit properties by their D-Bus names, as plain values. */
export type UnitProps = Readonly<Record<string, unknown>>;

/** Results after which Restart= starts a service again: systemd.service(5), the table under Restart=. */
const RESTARTS_AFTER: Readonly<Record<string, (result: string) => boolean>> = {
  always: () => true,
  'on-failure': (result) => result !== 'success',
  'on-abnormal': (result) => ['signal', 'core-dump', 'timeout', 'watchdog', 'oom-kill'].includes(result),
  'on-abort': (result) => ['signal', 'core-dump'].includes(result),
  'on-watchdog': (result) => result === 'watchdog',
  'on-success': (result) => result === 'success',
};

/**
 * Whether systemd refused to start a failed service again because of its start limit.
 *
 * systemd says so in Result only when the last run ended well; after a crash Result keeps the reason of the
 * crash. So it is told from the rest:
 * - A refused start is a state change without a run: the unit went down earlier than its state last changed
 *   (seen with 252, for starts by hand and, because they stop the unit first, for automatic ones).
 * - From 254 an automatic restart goes straight from waiting to failed. Then the service was restarted before,
 *   its Restart= asks for another restart, and it was declared failed only after the wait for that restart
 *   (RestartUSec) was over; a service that fails while it is being stopped is declared failed at once.
 */
export function hitStartLimit(props: UnitProps): boolean {
  const result = String(props.Result ?? '');
  if (result === 'start-limit-hit') return true;
  // The other way to fail without a run.
  if (result === 'resources') return false;
  const changed = Number(props.StateChangeTimestampMonotonic ?? 0);
  const down = Number(props.InactiveEnterTimestampMonotonic ?? 0);
  if (down > 0 && changed > down) return true;
  if (Number(props.NRestarts ?? 0) === 0) return false;
  if (!RESTARTS_AFTER[String(props.Restart)]?.(result) || isExempt(props)) return false;
  return changed - Number(props.ExecMainExitTimestampMonotonic) >= Number(props.RestartUSec);
}

const CLD_EXITED = 1;

/** RestartPreventExitStatus= names the way in which it ended. */
function isExempt(props: UnitProps): boolean {
  const [codes = [], signals = []] = (props.RestartPreventExitStatus ?? []) as [number[]?, number[]?];
  const exempt = props.ExecMainCode === CLD_EXITED ? codes : signals;
  return exempt.includes(Number(props.ExecMainStatus));
}

/**
 * Whether what systemd has just said of a unit may be only a step on the way: a service with Restart= is
 * declared failed for an instant before it waits for its restart, and a start or stop under way shows halves.
 */
export function isPassing(props: UnitProps): boolean {
  const down = props.ActiveState === 'failed' || props.ActiveState === 'inactive';
  const [job] = (props.Job ?? []) as [number?];
  const restarts = props.Restart !== undefined && props.Restart !== 'no';
  return down && (restarts || (job !== undefined && job !== 0));
}

import type { UnitFinding } from './findings.js';

const UNIT = 'potion.service';
const PROPERTIES = ['LoadState', 'ActiveState', 'SubState', 'Result', 'NRestarts', 'ExecMainStatus'];

/** How systemd sees Potion. @throws PotionError when systemctl can't be asked */
export async function lookAtUnit(ms: number): Promise<UnitFinding> {
  // What stands on a package comes in here and not at the top: this program must run where one is damaged.
  const { run } = await import('../../nodes/kit/run.js');
  const { stdout, stderr } = await run('systemctl', ['show', UNIT, '-p', PROPERTIES.join(',')], {
    timeout: ms,
  });
  return (
    parseUnit(stdout) ?? {
      load: 'unknown',
      why: stderr.split('\n')[0]?.slice(0, 200) || 'systemctl says nothing',
    }
  );
}

/** Reads what `systemctl show` prints: one `Name=value` a line. */
export function parseUnit(text: string): UnitFinding | undefined {
  const values = new Map(
    text.split('\n').map((line) => {
      const equals = line.indexOf('=');
      return [line.slice(0, equals), line.slice(equals + 1)] as const;
    }),
  );
  const load = values.get('LoadState');
  const active = values.get('ActiveState');
  if (!load || !active) return undefined;
  return {
    load,
    active,
    sub: values.get('SubState') ?? '',
    result: values.get('Result') ?? '',
    restarts: Number(values.get('NRestarts')) || 0,
    status: Number(values.get('ExecMainStatus')) || 0,
  };
}

import { parseQuantity } from '../kit/quantity.js';
import { type Resolved, resolveSetting, type Setting, type Stored } from './settings.js';

/** Settings of thresholds begin so: `threshold.cpu`, `threshold.disk:/`, and `threshold.disk` for all disks. */
export const THRESHOLD = 'threshold.';

/**
 * The threshold of a code as a setting: `threshold.<code>` over the variable `THRESHOLD_<CODE>` over the
 * node's own. For `disk:/mnt/x` each is looked for under its own name first (`THRESHOLD_DISK_MNT_X`), then
 * under that of all disks (`THRESHOLD_DISK`).
 */
export function thresholdSetting(code: string, fallback: number): Setting<number> {
  const [family = code] = code.split(':');
  const names = code === family ? [code] : [code, family];
  return {
    keys: names.map((name) => THRESHOLD + name),
    env: [...new Set(names.map(variable))],
    fallback,
    parse,
  };
}

/** What counts for a code now, and where it comes from. */
export function thresholdOf(
  code: string,
  fallback: number,
  stored: Stored,
  env: Readonly<Record<string, string | undefined>>,
): Resolved<number> {
  return resolveSetting(thresholdSetting(code, fallback), stored, env);
}

function variable(name: string): string {
  const word = name.toUpperCase().replace(/[^A-Z0-9]+/g, '_');
  return `THRESHOLD_${word.replace(/^_|_$/g, '')}`;
}

function parse(value: unknown): number | undefined {
  if (typeof value === 'string') return parseQuantity(value);
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the machine lives on. */
export interface PowerSupply {
  /** Charge 0..1 of the fullest battery; null: it has none. */
  battery: number | null;
  /** Mains is there; null: not known. */
  mains: boolean | null;
}

/** Reads /sys/class/power_supply, see the kernel's sysfs-class-power. Batteries of mice and the like don't count. */
export function readPowerSupply(folder = '/sys/class/power_supply'): PowerSupply {
  let battery: number | null = null;
  let mains: boolean | null = null;
  for (const name of list(folder)) {
    const read = (file: string) => text(join(folder, name, file));
    if (read('scope') === 'Device') continue;
    if (read('type') === 'Battery') {
      const charge = Number(read('capacity') || Number.NaN) / 100;
      if (charge >= 0 && charge <= 1) battery = Math.max(battery ?? 0, charge);
    } else if (read('online')) mains = mains === true || read('online') !== '0';
  }
  return { battery, mains };
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function text(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}

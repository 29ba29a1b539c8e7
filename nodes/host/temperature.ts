import { readdir, readFile } from 'node:fs/promises';

/** A file of /sys with a temperature in thousandths of a degree Celsius. */
export interface Sensor {
  path: string;
  /** How surely it is the CPU's: lower is better. */
  rank: number;
}

// Drivers that read the CPU itself, in Linux' drivers/hwmon and drivers/thermal.
const CPU_CHIPS = /^(coretemp|k10temp|k8temp|zenpower|via_cputemp|cpu_?thermal|cpu-thermal|soc_thermal)$/;
const CPU_ZONES = /^(x86_pkg_temp|(cpu|soc)[\w-]*)$/i;
// The laptop's own sensor near the CPU: a fair guess where there is nothing better.
const BOARD_ZONES = /^acpitz$/;
const WHOLE_PACKAGE = /^(Package id|Physical id|Tctl|Tdie)/;

/** The files that tell the CPU's temperature, best first; none in most virtual machines. */
export async function findSensors(sys = '/sys'): Promise<Sensor[]> {
  const found: Sensor[] = [];
  for (const chip of await list(`${sys}/class/hwmon`)) {
    if (!CPU_CHIPS.test(await word(`${chip}/name`))) continue;
    for (const file of await list(chip)) {
      const input = /^(.*\/temp\d+)_input$/.exec(file)?.[1];
      if (!input) continue;
      const whole = WHOLE_PACKAGE.test(await word(`${input}_label`));
      found.push({ path: file, rank: whole ? 0 : 1 });
    }
  }
  for (const zone of await list(`${sys}/class/thermal`)) {
    const type = await word(`${zone}/type`);
    if (CPU_ZONES.test(type)) found.push({ path: `${zone}/temp`, rank: 2 });
    else if (BOARD_ZONES.test(type)) found.push({ path: `${zone}/temp`, rank: 3 });
  }
  return found.sort((a, b) => a.rank - b.rank);
}

/** The hottest of the best sensors, in °C; undefined when none gives a reading. */
export async function readTemperature(sensors: readonly Sensor[]): Promise<number | undefined> {
  for (const rank of new Set(sensors.map((sensor) => sensor.rank))) {
    const same = sensors.filter((sensor) => sensor.rank === rank);
    const readings = await Promise.all(same.map(async ({ path }) => parseMillidegrees(await word(path))));
    const real = readings.filter((reading) => reading !== undefined);
    if (real.length > 0) return Math.max(...real);
  }
  return undefined;
}

/** 45500 → 45.5. What no running CPU can have is a sensor without a reading: 0, −273, 255 °C. */
export function parseMillidegrees(text: string): number | undefined {
  const degrees = Number.parseInt(text, 10) / 1000;
  return degrees > -40 && degrees < 150 && degrees !== 0 ? degrees : undefined;
}

async function list(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.sort().map((name) => `${folder}/${name}`);
}

// A sensor may be asleep or gone at any time: that is no reading, not a failure.
async function word(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.trim();
}

/** Least and most that a threshold may be, in SI base units. */
export interface Bounds {
  min: number;
  max: number;
}

const MB = 2 ** 20;

/** By the first part of the code. Below or above these a threshold would ring all the time, or never. */
const BY_FAMILY: Record<string, Bounds> = {
  cpu: { min: 0.1, max: 1 },
  swap: { min: 0.1, max: 1 },
  disk: { min: 0.1, max: 0.99 },
  temperature: { min: 40, max: 110 },
  load: { min: 0.1, max: 1000 },
};

/** For what has no bounds of its own. */
const BY_UNIT: Record<string, Bounds> = {
  ratio: { min: 0, max: 1 },
  bytes: { min: MB, max: 2 ** 50 },
  rate: { min: 1024, max: 2 ** 40 },
  celsius: { min: -40, max: 200 },
  seconds: { min: 1, max: 365 * 86_400 },
};

const ANY: Bounds = { min: -1e12, max: 1e12 };

/** @param memory bytes of RAM of this machine: no more can be free, and none of it means that it is too late */
export function boundsOf(code: string, unit: string, memory: number): Bounds {
  const [family = code] = code.split(':');
  if (family === 'memory' && unit === 'bytes') return { min: 50 * MB, max: memory };
  return BY_FAMILY[family] ?? BY_UNIT[unit] ?? ANY;
}

const SIZES: Record<string, number> = { b: 1, kb: 2 ** 10, mb: 2 ** 20, gb: 2 ** 30, tb: 2 ** 40 };
const TIMES: Record<string, number> = {
  ...{ '': 1, s: 1, d: 1, detik: 1, second: 1, seconds: 1 },
  ...{ m: 60, min: 60, menit: 60, minute: 60, minutes: 60 },
  ...{ h: 3600, j: 3600, jam: 3600, hour: 3600, hours: 3600 },
};

/**
 * What a person writes for a value of this unit, in SI base units: `90%`, `0.9` and `90` for a ratio, `500 MB`
 * (powers of 1024) for bytes, `10 MB/s` for a rate, `85`, `85 °C`, `5 menit`. A decimal comma is understood.
 * @returns undefined when it is none, or of another unit
 */
export function readMeasure(text: string, unit: string): number | undefined {
  const match = /^([+-]?\d{1,15}(?:[.,]\d{1,15})?)\s*([^\d\s][^\d]{0,15})?$/.exec(text.trim());
  if (!match) return undefined;
  const number = Number(match[1]?.replace(',', '.'));
  const factor = factorOf(number, (match[2] ?? '').trim().toLowerCase(), unit);
  // 0.57 × 100 percent and back: 57 × 0.01 is 0.5700000000000001.
  return factor === undefined ? undefined : Number((number * factor).toPrecision(15));
}

function factorOf(number: number, suffix: string, unit: string): number | undefined {
  switch (unit) {
    case 'ratio':
      // Nobody means 9000 % by 90.
      if (suffix === '') return Math.abs(number) > 1 ? 0.01 : 1;
      return suffix === '%' || suffix === 'persen' || suffix === 'percent' ? 0.01 : undefined;
    case 'bytes':
      return suffix === '' ? 1 : sizeOf(suffix);
    case 'rate':
      return suffix === '' ? 1 : sizeOf(suffix.replace(/\s*(\/\s*s|ps|\/\s*detik)$/, ''));
    case 'celsius':
      return /^(°?\s?c|°|derajat|degrees?)?$/.test(suffix) ? 1 : undefined;
    case 'seconds':
      return Object.hasOwn(TIMES, suffix) ? TIMES[suffix] : undefined;
    default:
      return suffix === '' ? 1 : undefined;
  }
}

function sizeOf(suffix: string): number | undefined {
  const name = suffix.replace(/^([kmgt])i?b?$/, '$1b');
  return Object.hasOwn(SIZES, name) ? SIZES[name] : undefined;
}

/** A value as a person could type it, so that `readMeasure` reads the very same back. */
export function writeMeasure(value: number, unit: string): string {
  if (unit === 'ratio') return `${Number((value * 100).toPrecision(12))}%`;
  if ((unit === 'bytes' || unit === 'rate') && value % MB === 0) return `${value / MB}MB`;
  return String(value);
}

/** How far the four step buttons go. */
export function stepsOf(unit: string): [fine: number, coarse: number] {
  switch (unit) {
    case 'ratio':
      return [0.01, 0.1];
    case 'celsius':
      return [1, 5];
    case 'bytes':
      return [50 * MB, 250 * MB];
    case 'rate':
      return [MB, 10 * MB];
    case 'seconds':
      return [60, 600];
    default:
      return [1, 10];
  }
}

/** A value so much further, within its bounds; what stands between two steps goes to the next whole one. */
export function stepped(value: number, by: number, { min, max }: Bounds): number {
  const size = Math.abs(by);
  const at = value / size;
  const whole =
    Math.abs(at - Math.round(at)) < 1e-6
      ? Math.round(at) + Math.sign(by)
      : by > 0
        ? Math.ceil(at)
        : Math.floor(at);
  return Math.min(max, Math.max(min, Number((whole * size).toPrecision(12))));
}

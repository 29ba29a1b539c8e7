export type Language = 'id' | 'en-US';

/** Indonesian is written first; English is the second language. */
export const LANGUAGES: readonly Language[] = ['id', 'en-US'];

/** Keeps a number and its unit on one line of a narrow phone. */
const NO_BREAK = '\u00a0';

/** 1536 → "1,5 KB" (id) or "1.5 KB" (en-US). Powers of 1024, one decimal below 100; the space does not break. */
export function bytes(value: number, lang: Language): string {
  const steps = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'];
  let size = Math.abs(value);
  let step = 0;
  while (size >= 1024 && step < steps.length - 1) {
    size /= 1024;
    step++;
  }
  const digits = step === 0 || size >= 100 ? 0 : 1;
  return `${number(Math.sign(value) * size, lang, digits)}${NO_BREAK}${steps[step]}`;
}

/** A number with at most `digits` decimals in the reader's notation. */
export function number(value: number, lang: Language, digits = 1): string {
  return new Intl.NumberFormat(lang, { maximumFractionDigits: digits }).format(value);
}

/** 0.914 → "91%". */
export function percent(ratio: number, lang: Language, digits = 0): string {
  return `${number(ratio * 100, lang, digits)}%`;
}

const PARTS = [
  { size: 86_400, id: 'hari', one: 'day', many: 'days' },
  { size: 3_600, id: 'jam', one: 'hour', many: 'hours' },
  { size: 60, id: 'menit', one: 'minute', many: 'minutes' },
  { size: 1, id: 'detik', one: 'second', many: 'seconds' },
] as const;

/** Seconds in words, the two largest parts: 93784 → "1 hari 2 jam" or "1 day 2 hours". */
export function duration(seconds: number, lang: Language): string {
  let rest = Math.max(0, Math.round(seconds));
  const words: string[] = [];
  for (const part of PARTS) {
    const count = Math.floor(rest / part.size);
    rest -= count * part.size;
    if (count > 0) words.push(`${count} ${lang === 'id' ? part.id : count === 1 ? part.one : part.many}`);
    else if (words.length > 0) break;
    if (words.length === 2) break;
  }
  return words.join(' ') || (lang === 'id' ? '0 detik' : '0 seconds');
}

/** A bar of ten blocks for a ratio 0..1: 0.42 → "▰▰▰▰▱▱▱▱▱▱". */
export function gauge(ratio: number): string {
  const full = Math.max(0, Math.min(10, Math.round(ratio * 10)));
  return '▰'.repeat(full) + '▱'.repeat(10 - full);
}

/** Local date and time of an epoch ms, in the server's time zone unless another is named. */
export function when(epochMs: number, lang: Language, timeZone?: string): string {
  return new Intl.DateTimeFormat(lang, {
    dateStyle: 'medium',
    timeStyle: 'short',
    hourCycle: 'h23',
    timeZone,
  }).format(epochMs);
}

/** Local time of day of an epoch ms: "14.05" (id) or "14:05"; with seconds "14.05.07". */
export function clockTime(
  epochMs: number,
  lang: Language,
  timeZone?: string,
  precision: 'minutes' | 'seconds' = 'minutes',
): string {
  return new Intl.DateTimeFormat(lang, {
    hour: '2-digit',
    minute: '2-digit',
    ...(precision === 'seconds' ? { second: '2-digit' } : {}),
    hourCycle: 'h23',
    timeZone,
  }).format(epochMs);
}

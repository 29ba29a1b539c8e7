/** A span of every day in local time, each end `HH:MM`. It may go past midnight; the end itself is outside. */
export interface QuietHours {
  from: string;
  to: string;
}

/**
 * A time of day as people write it: `02:30`, `2.30`, `02,30`, and `7` for seven o'clock.
 * @returns `HH:MM`, undefined when it is none
 */
export function parseTimeOfDay(text: string): string | undefined {
  const match = /^(\d{1,2})(?:[:.,](\d{2}))?$/.exec(text.trim());
  const [hour, minute] = [Number(match?.[1]), Number(match?.[2] ?? 0)];
  if (!match || hour > 23 || minute > 59) return undefined;
  return `${two(hour)}:${two(minute)}`;
}

/** A span such as `22:00-06:00` or `22.00 6.00`; undefined when it is none, or begins where it ends. */
export function parseQuiet(text: string): QuietHours | undefined {
  const ends = text
    .trim()
    .split(/\s*[-–]\s*|\s+/)
    .map(parseTimeOfDay);
  const [from, to] = ends;
  return ends.length === 2 && from && to && from !== to ? { from, to } : undefined;
}

/** Whether a plain value is a span as it is kept. */
export function isQuiet(value: unknown): value is QuietHours {
  const { from, to } = (value ?? {}) as Partial<QuietHours>;
  return [from, to].every((end) => typeof end === 'string' && parseTimeOfDay(end) === end) && from !== to;
}

/** Whether a moment lies in the span, by the local clock. @param at epoch ms */
export function isWithin({ from, to }: QuietHours, at: number): boolean {
  const time = new Date(at);
  const now = `${two(time.getHours())}:${two(time.getMinutes())}`;
  return from < to ? from <= now && now < to : from <= now || now < to;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

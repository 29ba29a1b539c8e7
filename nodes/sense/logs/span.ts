/** A stretch of time, epoch ms, both ends included; an open end where one is missing. */
export interface Span {
  since?: number;
  until?: number;
}

type Edge = 'since' | 'until';

const SECONDS: Record<string, number> = {
  ...each(1, 's dtk detik sec secs second seconds'),
  ...each(60, 'm mnt menit min mins minute minutes'),
  ...each(3600, 'h j jam hour hours'),
  ...each(86_400, 'd hari day days'),
  ...each(604_800, 'w minggu week weeks'),
};

function each(seconds: number, words: string): Record<string, number> {
  return Object.fromEntries(words.split(' ').map((word) => [word, seconds]));
}

const DAYS_BACK: Record<string, number> = {
  'hari ini': 0,
  today: 0,
  kemarin: 1,
  yesterday: 1,
  'kemarin dulu': 2,
  'kemarin lusa': 2,
};

/**
 * A time as people write it: how long ago (`1h`, `30m`, `2 jam`, `1h30m`), a day (`kemarin`, `2026-11-20`), a
 * time of day (`10:00`, the last time it was that), both (`kemarin 10:00`, `2026-11-20 10:00`), or ISO 8601.
 * Local time unless it names another.
 * @param edge what it bounds: a whole day begins for `since`, and ends for `until`
 * @returns epoch ms; undefined when it is none
 */
export function parseTime(text: string, now: number, edge: Edge): number | undefined {
  const words = text.trim().toLowerCase().replace(/\s+/g, ' ');
  if (words === 'now' || words === 'sekarang') return now;
  const time = ago(words, now) ?? withDay(words, now, edge) ?? timeOfDay(words, now) ?? iso(text.trim());
  return time !== undefined && Math.abs(time) < 8.64e15 ? time : undefined;
}

function ago(words: string, now: number): number | undefined {
  const bare = words.replace(/ (lalu|yang lalu|ago)$/, '');
  if (!/^(\d{1,6}([.,]\d{1,3})? ?[a-z]+ ?)+$/.test(`${bare} `)) return undefined;
  let seconds = 0;
  for (const [, count = '', unit = ''] of bare.matchAll(/(\d+(?:[.,]\d+)?) ?([a-z]+)/g)) {
    const size = Object.hasOwn(SECONDS, unit) ? SECONDS[unit] : undefined;
    if (size === undefined) return undefined;
    seconds += Number(count.replace(',', '.')) * size;
  }
  return Math.round(now - seconds * 1000);
}

const CLOCK = /^(\d{1,2})[:.](\d\d)(?:[:.](\d\d))?$/;

function withDay(words: string, now: number, edge: Edge): number | undefined {
  const [, word = '', clock] = /^(.*?)(?: (\d{1,2}[:.]\d\d(?:[:.]\d\d)?))?$/.exec(words) ?? [];
  const day = dayOf(word, now);
  if (!day) return undefined;
  if (clock !== undefined) return onDay(day, clock);
  const [year, month, date] = day;
  if (edge === 'since') return new Date(year, month, date).getTime();
  return new Date(year, month, date + 1).getTime() - 1;
}

type Day = [year: number, month: number, date: number];

function dayOf(word: string, now: number): Day | undefined {
  const back = Object.hasOwn(DAYS_BACK, word) ? DAYS_BACK[word] : undefined;
  if (back !== undefined) {
    const today = new Date(now);
    return [today.getFullYear(), today.getMonth(), today.getDate() - back];
  }
  const [, year, month, date] = /^(\d{4})-(\d{1,2})-(\d{1,2})$/.exec(word)?.map(Number) ?? [];
  if (year === undefined || month === undefined || date === undefined) return undefined;
  const day = new Date(year, month - 1, date);
  // 2026-02-30 would be the 2nd of March.
  return day.getMonth() === month - 1 && day.getDate() === date ? [year, month - 1, date] : undefined;
}

function onDay([year, month, date]: Day, clock: string): number | undefined {
  const [, hour = 0, minute = 0, second = 0] = (CLOCK.exec(clock) ?? []).map((part) => Number(part ?? 0));
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  return new Date(year, month, date, hour, minute, second).getTime();
}

function timeOfDay(words: string, now: number): number | undefined {
  if (!CLOCK.test(words)) return undefined;
  const today = new Date(now);
  const day: Day = [today.getFullYear(), today.getMonth(), today.getDate()];
  const time = onDay(day, words);
  if (time === undefined || time <= now) return time;
  return onDay([day[0], day[1], day[2] - 1], words);
}

function iso(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:?\d\d)?$/i.test(text)) return undefined;
  const time = Date.parse(text.replace(' ', 'T').replace(/([+-]\d\d)(\d\d)$/, '$1:$2'));
  return Number.isNaN(time) ? undefined : time;
}

/**
 * A span as people write it: `1h` (since then), `10:00..11:00`, `kemarin..`, or `since=… until=…` in either order
 * (`sejak=`, `sampai=`).
 * @returns undefined when it is none; an empty text is the whole of time
 */
export function parseSpan(text: string, now: number): Span | undefined {
  if (text.trim() === '') return {};
  const { rest, found } = takeOptions(text);
  if (rest !== '' && found.since !== undefined) return undefined;
  const [first = '', second = '', ...more] = rest.split(/\.{2,}/);
  if (more.length > 0) return undefined;
  return spanOf(found.since ?? first, found.until ?? second, now);
}

/**
 * Takes `since=…` and `until=…` out of a text that says something else besides.
 * @returns undefined when one of them makes no sense
 */
export function takeSpan(text: string, now: number): { rest: string; span: Span } | undefined {
  const { rest, found } = takeOptions(text);
  const span = spanOf(found.since ?? '', found.until ?? '', now);
  return span && { rest, span };
}

const EDGES: Record<string, Edge> = {
  since: 'since',
  sejak: 'since',
  dari: 'since',
  until: 'until',
  sampai: 'until',
};
const OPTION =
  /(?:^|\s)(since|sejak|dari|until|sampai)=("[^"]*"|“[^”]*”|\S+(?:\s+\d{1,2}[:.]\d\d(?:[:.]\d\d)?(?=\s|$))?)/gi;

function takeOptions(text: string): { rest: string; found: Partial<Record<Edge, string>> } {
  const found: Partial<Record<Edge, string>> = {};
  const rest = text.replace(OPTION, (_all, name: string, value: string) => {
    const edge = EDGES[name.toLowerCase()];
    if (edge) found[edge] = value.replace(/^["“]|["”]$/g, '');
    return '';
  });
  return { rest: rest.trim(), found };
}

function spanOf(first: string, second: string, now: number): Span | undefined {
  const since = first.trim() ? parseTime(first, now, 'since') : undefined;
  const until = second.trim() ? parseTime(second, now, 'until') : undefined;
  if ((first.trim() && since === undefined) || (second.trim() && until === undefined)) return undefined;
  if (since !== undefined && until !== undefined && since > until) return undefined;
  return { ...(since === undefined ? {} : { since }), ...(until === undefined ? {} : { until }) };
}

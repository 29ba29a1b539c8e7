import type { Language } from '../../../nodes/kit/locale.js';
import type { TabChange } from '../../runtime/flows/compare.js';
import type { Conflict, ConflictKind, Difference } from './conflict.js';

/** What the commands say about flows. */
interface Texts {
  kinds: Record<ConflictKind, string>;
  shared: string;
  unnamed: string;
  nothing: string;
  absent: string;
  /** Over the list of what was not taken. */
  lead(count: number): string;
  added: string;
  removed: string;
}

const TEXTS: Record<Language, Texts> = {
  id: {
    kinds: {
      'changed-by-both': 'kamu dan Potion sama-sama mengubahnya: punyamu tetap (punyamu → Potion)',
      'added-by-both': 'node dengan id ini ada di kamu dan di Potion: punyamu tetap (punyamu → Potion)',
      'deleted-by-you': 'sudah kamu hapus, tapi Potion mengubahnya: tetap terhapus (dulu → Potion)',
      'deleted-by-potion': 'Potion tidak memakainya lagi, tapi kamu mengubahnya: tetap ada (dulu → punyamu)',
      'still-used': 'Potion mengubah atau membuangnya, tapi flow-mu masih memakainya: tetap seperti punyamu',
      'no-place': 'tidak dimasukkan: tab atau subflow-nya sudah kamu hapus',
      without: 'dimasukkan tanpa sambungan ke yang sudah kamu hapus (sekarang → Potion)',
      place: 'sama-sama dipindah: tetap di tempatmu (punyamu → Potion)',
      order: 'urutan tab sama-sama diubah: urutanmu tetap (punyamu → Potion)',
    },
    shared: 'node konfigurasi bersama',
    unnamed: 'tanpa nama',
    nothing: 'Tidak ada bedanya.',
    absent: '(tidak ada)',
    lead: (count) => `Perubahan dari Potion yang tidak dimasukkan, atau tidak seluruhnya (${count}):`,
    added: 'baru',
    removed: 'hilang',
  },
  'en-US': {
    kinds: {
      'changed-by-both': 'you and Potion both changed it: yours stays (yours → Potion)',
      'added-by-both': 'you and Potion both have a node of this id: yours stays (yours → Potion)',
      'deleted-by-you': 'you deleted it, Potion changed it: it stays deleted (was → Potion)',
      'deleted-by-potion': 'Potion no longer has it, but you changed it: it stays (was → yours)',
      'still-used': 'Potion changed or dropped it, but your flows still use it: yours stays',
      'no-place': 'not brought in: you deleted its tab or subflow',
      without: 'brought in without its links to what you deleted (now → Potion)',
      place: 'both moved it: it stays where you put it (yours → Potion)',
      order: 'both changed the order of the tabs: yours stays (yours → Potion)',
    },
    shared: 'shared config nodes',
    unnamed: 'without a name',
    nothing: 'No difference.',
    absent: '(nothing)',
    lead: (count) => `Changes of Potion that were not taken, or not whole (${count}):`,
    added: 'new',
    removed: 'gone',
  },
};

// What a line of a terminal shows; a longer value is cut around its first difference.
const WIDTH = 60;
const LINES = 8;

/** The differences for a person: tab, node, then a line for each property. */
export function describeConflicts(conflicts: readonly Conflict[], lang: Language): string {
  const texts = TEXTS[lang];
  if (conflicts.length === 0) return texts.nothing;
  // Where something stands matters least.
  const sorted = conflicts.toSorted((a, b) => Number(a.kind === 'place') - Number(b.kind === 'place'));
  const blocks = sorted.map((conflict) =>
    [
      `  ${headOf(conflict, texts)}`,
      `      ${texts.kinds[conflict.kind]}`,
      ...conflict.differences.flatMap((difference) => linesOf(conflict, difference, texts)),
    ].join('\n'),
  );
  return [texts.lead(conflicts.length), ...blocks].join('\n');
}

function headOf({ tab, name, type, id }: Conflict, texts: Texts): string {
  if (id === '') return texts.kinds.order.split(':')[0] as string;
  return `${tab || texts.shared} › ${name ? `“${name}”` : texts.unnamed} (${type}, ${id})`;
}

/** From what to what: between the two sides, or from what was to what one side made of it. */
function linesOf({ kind }: Conflict, difference: Difference, texts: Texts): string[] {
  const [from, to] =
    kind === 'deleted-by-you'
      ? [difference.base, difference.shipped]
      : kind === 'deleted-by-potion'
        ? [difference.base, difference.mine]
        : [difference.mine, difference.shipped];
  const several = [from, to].some((value) => typeof value === 'string' && value.includes('\n'));
  if (several) return [`      ${difference.property}:`, ...lineByLine(textOf(from), textOf(to))];
  const [left, right] = cut(from, to).map((text) => text ?? texts.absent);
  return [`      ${difference.property}: ${left} → ${right}`];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

/** Lines that one text has and the other has not, between what both begin and end with. */
function lineByLine(from: string, to: string): string[] {
  const [a, b] = [from.split('\n'), to.split('\n')];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  const some = (lines: string[], sign: string) => {
    const shown = lines.slice(start, lines.length - end);
    const rest = shown.length - LINES;
    return [
      ...shown.slice(0, LINES).map((line) => `        ${sign} ${line.slice(0, 2 * WIDTH)}`),
      ...(rest > 0 ? [`        ${sign} … +${rest}`] : []),
    ];
  };
  return [...some(a, '-'), ...some(b, '+')];
}

/** Both values as one line each, cut around the place where they begin to differ. */
function cut(from: unknown, to: unknown): (string | undefined)[] {
  const texts = [from, to].map((value) => (value === undefined ? undefined : (JSON.stringify(value) ?? '')));
  const [a = '', b = ''] = texts;
  let same = 0;
  while (same < a.length && a[same] === b[same]) same++;
  const start = Math.max(0, same - WIDTH / 3);
  return texts.map((text) => {
    if (text === undefined || text.length <= WIDTH) return text;
    const piece = text.slice(start, start + WIDTH);
    return `${start > 0 ? '…' : ''}${piece}${start + WIDTH < text.length ? '…' : ''}`;
  });
}

/** What has changed in the person's flows, tab by tab. */
export function describeTabs(changes: readonly TabChange[], lang: Language): string {
  const texts = TEXTS[lang];
  const line = ({ label, how, added, changed, removed }: TabChange) => {
    const word = how === 'added' ? ` (${texts.added})` : how === 'removed' ? ` (${texts.removed})` : '';
    const tab = label === TEXTS['en-US'].shared ? texts.shared : label;
    return `  ${tab}${word}: +${added.length} ~${changed.length} -${removed.length} node`;
  };
  return changes.length === 0 ? texts.nothing : changes.map(line).join('\n');
}

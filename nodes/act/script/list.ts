import type { Button } from '../../kit/messages.js';
import type { Language } from '../../kit/units.js';
import { usageOf } from './fill.js';
import type { Scripts } from './scripts-file.js';

/** What `/scripts` shows. */
export interface Listing {
  file: string;
  page: number;
  pages: number;
  scripts: { name: string; usage: string; description: string; confirm: boolean }[];
  /** On the last page only. */
  problems: { line: number; name?: string; text: string; data: Record<string, unknown> }[];
}

const PER_PAGE = 8;
const MOST_PROBLEMS = 10;

/** One page of the scripts, with a button for each that needs no argument, and for the other pages. */
export function listOf(
  found: Scripts | undefined,
  file: string,
  wanted: number,
  lang: Language,
): { payload: Listing; buttons: Button[][] } {
  const { scripts, problems } = found ?? { scripts: [], problems: [] };
  const pages = Math.max(1, Math.ceil(scripts.length / PER_PAGE));
  const page = Math.min(pages, Math.max(1, Math.floor(wanted) || 1));
  const some = scripts.slice((page - 1) * PER_PAGE, page * PER_PAGE);
  const simple = some.filter(({ parameters }) => parameters.length === 0);
  const buttons: Button[][] = simple.map(({ name }) => [{ label: `▶️ ${name}`, command: `/script ${name}` }]);
  const turn: Button[] = [];
  if (page > 1) turn.push({ label: `⬅️ ${page - 1}/${pages}`, command: `/scripts ${page - 1}` });
  if (page < pages) turn.push({ label: `${page + 1}/${pages} ➡️`, command: `/scripts ${page + 1}` });
  if (turn.length > 0) buttons.push(turn);
  return {
    payload: {
      file,
      page,
      pages,
      scripts: some.map((script) => ({
        name: script.name,
        usage: usageOf(script),
        description: script.description[lang],
        confirm: script.confirm,
      })),
      problems: page === pages ? problems.slice(0, MOST_PROBLEMS) : [],
    },
    buttons,
  };
}

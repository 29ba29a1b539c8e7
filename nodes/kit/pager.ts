import type { Button } from './messages.js';

/** A part of a list, as it fits into one message. */
export interface Page<T> {
  items: readonly T[];
  /** 1 is the first. */
  page: number;
  pages: number;
}

/** The page of a list; beyond its end the last one. */
export function pageOf<T>(list: readonly T[], wanted: number, size: number): Page<T> {
  const pages = Math.max(1, Math.ceil(list.length / size));
  const page = Math.min(Math.max(1, Math.trunc(wanted) || 1), pages);
  return { items: list.slice((page - 1) * size, page * size), page, pages };
}

/** Buttons to the pages before and after; none where all fits on one. @param command as typed, without the page */
export function pageButtons(
  { page, pages }: Pick<Page<unknown>, 'page' | 'pages'>,
  command: string,
): Button[] {
  if (pages === 1) return [];
  const to = (label: string, target: number): Button => ({ label, command: `${command} ${target}` });
  return [
    ...(page > 1 ? [to(`⬅️ ${page - 1}`, page - 1)] : []),
    to(`${page}/${pages}`, page),
    ...(page < pages ? [to(`${page + 1} ➡️`, page + 1)] : []),
  ];
}

/** Rows of so many buttons. */
export function rowsOf(buttons: readonly Button[], columns: number): Button[][] {
  return Array.from({ length: Math.ceil(buttons.length / columns) }, (_, i) =>
    buttons.slice(i * columns, (i + 1) * columns),
  );
}

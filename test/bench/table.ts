/** One line of the benchmark's table. */
export interface Row {
  what: string;
  figure: string;
  /** What it is compared with in the same run, if anything. */
  against?: string;
  /** What we aim for. */
  aim?: string;
}

/** The middle value; of an even number the upper one of the two. */
export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** The value below which the given share of all lies. Throws when there is none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  if (value === undefined) throw new Error('nothing was measured');
  return value;
}

/** The rows as a Markdown table. */
export function table(rows: readonly Row[]): string {
  const cells = rows.map((row) => [row.what, row.figure, row.against ?? '', row.aim ?? '']);
  return [['what', 'Potion', 'compared with', 'aim'], ['---', '---', '---', '---'], ...cells]
    .map((line) => `| ${line.join(' | ')} |`)
    .join('\n');
}

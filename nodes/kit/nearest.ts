/**
 * The candidate that a person most likely meant: fewest insertions, deletions, changes and swaps of neighbours
 * (optimal string alignment), at most two and at most a third of the word.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  // Longer words are no slips of a known command; the table below is not built for them.
  if (word.length > 64) return undefined;
  const most = Math.min(2, Math.ceil(word.length / 3));
  let best: string | undefined;
  let least = most + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) >= least) continue;
    const edits = distance(word, candidate);
    if (edits < least) {
      least = edits;
      best = candidate;
    }
  }
  return best;
}

/** Number of edits between two words. */
export function distance(a: string, b: string): number {
  const at = (row: readonly number[], j: number) => row[j] ?? Number.POSITIVE_INFINITY;
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = a[i - 1] === b[j - 1] ? 0 : 1;
      const swapped = j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row.push(
        Math.min(
          at(row, j - 1) + 1,
          at(last, j) + 1,
          at(last, j - 1) + changed,
          swapped ? at(before, j - 2) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    before = last;
    last = row;
  }
  return at(last, b.length);
}

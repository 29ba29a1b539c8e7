import { type Piece, pieces } from '../../kit/telegram-html.js';

/**
 * Splits Telegram HTML into parts of at most `limit` UTF-16 units as the reader sees them: after a line where
 * possible, else after a word, else between two characters; never inside a tag, an entity or a surrogate
 * pair. Tags that are open at the cut are closed and opened again in the next part.
 *
 * The plain texts of the parts, joined, are the plain text of the whole; parts that would hold nothing but
 * white space, which Telegram refuses, are left out.
 */
export function splitHtml(html: string, limit: number): string[] {
  const all = pieces(html);
  const parts: string[] = [];
  const open: Piece[] = [];
  for (let from = 0; from < all.length; ) {
    const to = endOfPart(all, from, limit);
    const reopened = open.map((piece) => piece.raw).join('');
    for (const piece of all.slice(from, to)) track(open, piece);
    const closing = open.toReversed().map((piece) => `</${piece.tag}>`);
    const chunk = all.slice(from, to);
    if (chunk.some((piece) => piece.text.trim()))
      parts.push(reopened + chunk.map((piece) => piece.raw).join('') + closing.join(''));
    from = to;
  }
  return parts;
}

/** Index behind the last piece that goes into the part which begins at `from`. */
function endOfPart(all: Piece[], from: number, limit: number): number {
  let length = 0;
  let afterLine = -1;
  let afterWord = -1;
  for (let at = from; at < all.length; at++) {
    const { text } = all[at] as Piece;
    // A single character can be two units; a limit of one would otherwise never advance.
    if (length + text.length > limit && length > 0) {
      if (afterLine > from) return afterLine;
      return afterWord > from ? afterWord : at;
    }
    length += text.length;
    // A cut in the first half would make many small parts of a text with few lines.
    if (length < limit / 2) continue;
    if (text === '\n') afterLine = at + 1;
    else if (/^\s$/.test(text)) afterWord = at + 1;
  }
  return all.length;
}

function track(open: Piece[], piece: Piece): void {
  if (piece.kind === 'open') open.push(piece);
  if (piece.kind === 'close' && open.at(-1)?.tag === piece.tag) open.pop();
}

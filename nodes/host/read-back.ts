import type { FileHandle } from 'node:fs/promises';

/** A line of a file, and where it begins, in bytes. */
export interface FileLine {
  text: string;
  start: number;
}

export interface ReadBackOptions {
  /** Begin before this byte instead of at the end; a line begins there. */
  end?: number;
  /** Bytes read at a time. Default 64 KB. */
  chunk?: number;
  /** Bytes of a line that are kept, its first ones. Default 16 KB. */
  longest?: number;
}

const NEWLINE = 0x0a;

/**
 * The lines of a file from its last to its first, as `tail` understands lines. However large the file and its
 * lines, only a chunk and a line are in memory. What is no UTF-8 becomes replacement characters.
 */
export async function* readBack(
  file: FileHandle,
  { end, chunk = 65_536, longest = 16_384 }: ReadBackOptions = {},
): AsyncGenerator<FileLine> {
  const size = end ?? (await file.stat()).size;
  // The part of the line that begins before the chunk, as far as it is kept.
  let rest = Buffer.alloc(0);
  for (let to = size; to > 0; ) {
    const from = Math.max(0, to - chunk);
    const bytes = await readFully(file, from, to - from);
    // It was truncated meanwhile: what is left is no line of this file any more.
    if (bytes.length < to - from) return;
    let stop = bytes.length;
    // The last line's end begins no other line.
    if (to === size && bytes[stop - 1] === NEWLINE) stop--;
    for (;;) {
      const newline = stop > 0 ? bytes.lastIndexOf(NEWLINE, stop - 1) : -1;
      if (newline < 0) break;
      yield { text: textOf(bytes.subarray(newline + 1, stop), rest, longest), start: from + newline + 1 };
      rest = Buffer.alloc(0);
      stop = newline;
    }
    rest = Buffer.concat([bytes.subarray(0, stop), rest]).subarray(0, longest + 1);
    to = from;
  }
  if (size > 0) yield { text: textOf(rest, Buffer.alloc(0), longest), start: 0 };
}

function textOf(begin: Buffer, rest: Buffer, longest: number): string {
  const bytes = rest.length === 0 ? begin : Buffer.concat([begin, rest]);
  if (bytes.length <= longest) return bytes.toString('utf8');
  return `${bytes.subarray(0, longest).toString('utf8')}…`;
}

async function readFully(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, length - done, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}

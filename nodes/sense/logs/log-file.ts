import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Clock } from '../../kit/clock.js';
import type { LogLine } from './entry.js';

const compress = promisify(gzip);

/** Lines as a file. */
export interface LogContent {
  bytes: Buffer;
  gzipped: boolean;
  lines: number;
  /** Epoch ms of the oldest line that tells its time. */
  oldest?: number;
  /** Why there are older lines that are not in it. */
  cut?: 'size' | 'time';
}

export interface Limits {
  /** Bytes up to which the text stays as it is. */
  plain: number;
  /** Bytes of the finished file. */
  most: number;
  /** Milliseconds to spend on it. */
  time: number;
}

/** Bytes of text that are compressed at a time; compressed parts make one file when they are joined. */
const PART = 1024 * 1024;

/**
 * Puts lines, which come newest first, into a file in their order. What does not fit is the oldest. Only one part
 * of the text, and the compressed rest, are in memory.
 */
export async function contentOf(
  lines: AsyncIterable<LogLine>,
  limits: Limits,
  clock: Clock,
): Promise<LogContent> {
  const end = clock.monotonic() + limits.time;
  const packed = new Packed(limits.most);
  let part = new Part();
  for await (const line of lines) {
    if (clock.monotonic() > end) return finish(packed, part, limits, 'time');
    part.add(line);
    if (part.size < Math.max(PART, limits.plain)) continue;
    if (!(await packed.add(part))) return packed.content('size');
    part = new Part();
  }
  return finish(packed, part, limits);
}

async function finish(packed: Packed, part: Part, limits: Limits, cut?: 'time'): Promise<LogContent> {
  const { lines, oldest } = part;
  if (packed.isEmpty && part.size <= limits.plain)
    return {
      bytes: part.bytes(),
      gzipped: false,
      lines,
      ...(oldest ? { oldest } : {}),
      ...(cut ? { cut } : {}),
    };
  return packed.content((await packed.add(part)) ? cut : 'size');
}

class Part {
  size = 0;
  oldest: number | undefined;
  readonly #texts: string[] = [];

  get lines(): number {
    return this.#texts.length;
  }

  add({ text, at }: LogLine): void {
    this.#texts.push(text);
    this.size += Buffer.byteLength(text) + 1;
    this.oldest = at ?? this.oldest;
  }

  bytes(): Buffer {
    return Buffer.from(
      this.#texts
        .map((text) => `${text}\n`)
        .reverse()
        .join(''),
    );
  }
}

class Packed {
  readonly #most: number;
  readonly #parts: Buffer[] = [];
  #size = 0;
  #lines = 0;
  #oldest: number | undefined;

  constructor(most: number) {
    this.#most = most;
  }

  get isEmpty(): boolean {
    return this.#parts.length === 0;
  }

  /** @returns false when it does not fit any more */
  async add(part: Part): Promise<boolean> {
    const bytes = await compress(part.bytes());
    if (this.#size + bytes.length > this.#most) return false;
    this.#parts.unshift(bytes);
    this.#size += bytes.length;
    this.#lines += part.lines;
    this.#oldest = part.oldest ?? this.#oldest;
    return true;
  }

  content(cut?: LogContent['cut']): LogContent {
    return {
      bytes: Buffer.concat(this.#parts),
      gzipped: true,
      lines: this.#lines,
      ...(this.#oldest === undefined ? {} : { oldest: this.#oldest }),
      ...(cut ? { cut } : {}),
    };
  }
}

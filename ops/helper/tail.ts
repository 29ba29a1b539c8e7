import { closeSync, openSync, readSync } from 'node:fs';

const LONGEST = 100_000;

/** Reads a file that another process is still writing, line by line. */
export class Tail {
  readonly #fd: number;
  readonly #onLine: (line: string) => void;
  readonly #chunk = Buffer.alloc(65_536);
  readonly #decoder = new TextDecoder();
  #rest = '';

  constructor(path: string, onLine: (line: string) => void) {
    this.#fd = openSync(path, 'r');
    this.#onLine = onLine;
  }

  /** Tells the lines that have come since. */
  read(): void {
    for (;;) {
      const length = readSync(this.#fd, this.#chunk);
      if (length === 0) return;
      this.#take(this.#decoder.decode(this.#chunk.subarray(0, length), { stream: true }));
    }
  }

  /** Tells what is left, a last line without its end too, and closes the file. */
  end(): void {
    this.read();
    if (this.#rest) this.#onLine(this.#rest);
    this.#rest = '';
    closeSync(this.#fd);
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    // A line without an end must not fill the memory.
    if (this.#rest.length > LONGEST) this.#rest = this.#rest.slice(0, LONGEST);
    for (const line of lines) this.#onLine(line.slice(0, LONGEST));
  }
}

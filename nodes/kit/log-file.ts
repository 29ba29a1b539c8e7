import {
  closeSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
  type Stats,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';

/** Where the file has been moved away and no new one is there, this long may pass before one is made. */
const PATIENCE = 5000;
/** A file that nobody rotates is put aside at this size, once: it and its `.old` are the most there ever is. */
const LARGEST = 64 * 1024 * 1024;

export interface LogFileOptions {
  /** Called once when the file can't be written any more; writing is tried again all the same. */
  onTrouble?: (thrown: unknown) => void;
  /** Milliseconds that only go forward. */
  clock?: () => number;
  /** Bytes at which the file is put aside as `.old`. */
  largest?: number;
}

/**
 * A file that lines are added to, unbuffered. It is followed by its name: after a rotation, or when somebody
 * removed the folder, the next line goes to the file that has the name now. While it can't be written (full
 * disk, wrong owner) lines are counted, and the count stands in the file once it can. Never throws.
 */
export class LogFile {
  readonly path: string;
  readonly #onTrouble: (thrown: unknown) => void;
  readonly #clock: () => number;
  readonly #largest: number;
  #fd: number | undefined;
  /** Device and inode of the open file. */
  #identity = '';
  #size = 0;
  /** Since when there has been no file of that name, although there is one open. */
  #goneSince: number | undefined;
  /** When opening it failed last. */
  #failedAt: number | undefined;
  #lost = 0;

  constructor(path: string, { onTrouble, clock, largest }: LogFileOptions = {}) {
    this.path = path;
    this.#onTrouble = onTrouble ?? (() => {});
    this.#clock = clock ?? (() => performance.now());
    this.#largest = largest ?? LARGEST;
  }

  /** Adds a line; its end is put there. @returns whether it stands in the file */
  write(line: string): boolean {
    const missing = this.#lost > 0 ? `(${this.#lost} lines could not be written here)\n` : '';
    try {
      this.#follow();
      this.#append(Buffer.from(`${missing}${line}\n`));
      this.#lost = 0;
      return true;
    } catch (thrown) {
      if (this.#lost++ === 0) this.#onTrouble(thrown);
      return false;
    }
  }

  /** Opens the file anew: what logrotate moved away is done with. */
  reopen(): void {
    this.close();
    this.#failedAt = undefined;
    try {
      this.#open();
    } catch {
      // The next line says so.
    }
  }

  close(): void {
    const fd = this.#fd;
    this.#fd = undefined;
    if (fd !== undefined) closeSync(fd);
  }

  /** Sees to it that the open file is the one that has the name. */
  #follow(): void {
    if (this.#fd === undefined) {
      this.#open();
      return;
    }
    const named = statSync(this.path, { throwIfNoEntry: false });
    if (named !== undefined && identity(named) === this.#identity) this.#goneSince = undefined;
    else if (named !== undefined || this.#isNowhere()) this.reopen();
    if (this.#fd === undefined) this.#open();
  }

  /**
   * Between logrotate's renaming and its making of a new file, a file made here would be in its way; the
   * renamed one takes the line then. A file that has no name at all takes nothing.
   */
  #isNowhere(): boolean {
    this.#goneSince ??= this.#clock();
    if (this.#clock() - this.#goneSince >= PATIENCE) return true;
    return this.#fd !== undefined && fstatSync(this.#fd).nlink === 0;
  }

  #open(): void {
    // While the folder is not there a flood of lines must not become a flood of attempts.
    if (this.#failedAt !== undefined && this.#clock() - this.#failedAt < 1000) throw new Error('not yet');
    try {
      mkdirSync(dirname(this.path), { recursive: true, mode: 0o750 });
      const fd = openSync(this.path, 'a', 0o640);
      const opened = fstatSync(fd);
      this.#fd = fd;
      this.#identity = identity(opened);
      this.#size = opened.size;
      this.#goneSince = undefined;
      this.#failedAt = undefined;
    } catch (thrown) {
      this.#failedAt = this.#clock();
      throw thrown;
    }
  }

  /** Adds all of it or nothing. */
  #append(bytes: Buffer): void {
    if (this.#size > 0 && this.#size + bytes.length > this.#largest) this.#putAside();
    const fd = this.#fd as number;
    let done = 0;
    try {
      while (done < bytes.length) done += writeSync(fd, bytes, done);
      this.#size += done;
    } catch (thrown) {
      // Half a line would run into the next one.
      if (done > 0) ftruncateSync(fd, fstatSync(fd).size - done);
      throw thrown;
    }
  }

  #putAside(): void {
    renameSync(this.path, `${this.path}.old`);
    this.close();
    this.#open();
  }
}

function identity({ dev, ino }: Stats): string {
  return `${dev}:${ino}`;
}

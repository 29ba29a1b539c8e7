import type { Duplex } from 'node:stream';
import { type HelperLine, MOST_REQUEST } from '../../nodes/host/helper-protocol.js';
import { Refusal } from './request.js';

const MOST_UNREAD = 4_000_000;

/**
 * The request line, without its end.
 * @param limit milliseconds in which all of it must have come
 * @throws Refusal when it is too long, too slow or cut off
 */
export function readLine(socket: Duplex, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let got: Buffer = Buffer.alloc(0);
    const settle = (result: Buffer | Refusal) => {
      clearTimeout(timer);
      socket.off('data', onData).off('end', onEnd).off('close', onEnd);
      if (result instanceof Refusal) reject(result);
      else resolve(result);
    };
    const onData = (chunk: Buffer) => {
      got = Buffer.concat([got, chunk]);
      const end = got.indexOf('\n');
      if (end >= 0) settle(got.subarray(0, end));
      else if (got.length > MOST_REQUEST) settle(new Refusal('request', `longer than ${MOST_REQUEST} bytes`));
    };
    const onEnd = () => settle(new Refusal('request', 'cut off'));
    const timer = setTimeout(() => settle(new Refusal('request', `not complete within ${limit} ms`)), limit);
    socket.on('data', onData).on('end', onEnd).on('close', onEnd);
  });
}

/** Writes lines to whoever asked, as long as somebody reads them; that nobody does is no failure. */
export class Answer {
  readonly #socket: Duplex;
  #gone = false;

  constructor(socket: Duplex) {
    this.#socket = socket;
    const gone = () => {
      this.#gone = true;
    };
    socket.on('error', gone).on('close', gone);
    // Whatever comes after the request is thrown away.
    socket.resume();
  }

  say(line: HelperLine): void {
    // Who does not read what is said must not fill the memory.
    if (this.#gone || this.#socket.writableLength > MOST_UNREAD) return;
    this.#socket.write(`${JSON.stringify(line)}\n`);
  }

  /** Resolves when all was read, or after 2 s. */
  end(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#gone) return resolve();
      const timer = setTimeout(resolve, 2000);
      this.#socket.end(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

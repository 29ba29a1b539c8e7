import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { compare } from 'bcryptjs';
import type { Config } from '../../../nodes/kit/config.js';
import { whereFrom } from './addresses.js';
import { LoginLimiter } from './limiter.js';

/** What came of an attempt: in, wrong, or not even looked at for so many milliseconds. */
export type Outcome = 'right' | 'wrong' | { wait: number };

/** Checks user name and password, and slows down who guesses. */
export class Passwords {
  readonly #user: string;
  readonly #hash: string;
  readonly #limiter = new LoginLimiter();
  readonly #warn: (text: string) => void;
  // What a browser sends again with every request was right before, and bcrypt is slow on purpose.
  readonly #pepper = randomBytes(32);
  #right: Buffer | undefined;

  constructor({ editorUser, editorPasswordHash }: Config, warn: (text: string) => void) {
    this.#user = editorUser;
    this.#hash = editorPasswordHash;
    this.#warn = warn;
  }

  /** Whether there is a password at all. */
  get set(): boolean {
    return this.#hash !== '';
  }

  /** @param peer address of who asks @param now ms of a clock that never jumps */
  async check(user: string, password: string, peer: string, now: number): Promise<Outcome> {
    const wait = this.#limiter.begin(whereFrom(peer), now);
    if (wait > 0) return { wait };
    const digest = this.#digest(`${user}\n${password}`);
    const known = this.#right !== undefined && timingSafeEqual(digest, this.#right);
    if (known || (await this.#compare(user, password))) {
      this.#limiter.success(whereFrom(peer));
      this.#right = digest;
      return 'right';
    }
    this.#tell(peer);
    return 'wrong';
  }

  async #compare(user: string, password: string): Promise<boolean> {
    // Compared also for a wrong name, or the time would tell which names there are.
    const same = await compare(password, this.#hash).catch(() => false);
    return this.set && same && user === this.#user;
  }

  #digest(text: string): Buffer {
    return createHmac('sha256', this.#pepper).update(text).digest();
  }

  #tell(peer: string): void {
    const who = this.#limiter.untold(whereFrom(peer));
    if (who === 'peer')
      this.#warn(
        `Somebody at ${peer} has given wrong passwords for the editor, and has to wait between tries now`,
      );
    if (who === 'all')
      this.#warn(
        'Wrong passwords for the editor come from many addresses; who has not logged in before must wait',
      );
  }
}

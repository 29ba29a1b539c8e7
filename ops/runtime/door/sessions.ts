import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../../nodes/kit/config.js';
import { replaceFile } from '../../../nodes/kit/write-file.js';
import type { User } from './user.js';

/** Seconds that a login by password lasts, as Node-RED's own. */
export const LASTS = 7 * 24 * 60 * 60;
const MOST = 100;

interface Session {
  user: User;
  /** Epoch ms. */
  until: number;
}

/**
 * Logins by password. They outlive a restart, in a file that holds no token, only their hashes; a new user name
 * or password ends them all.
 */
export class Sessions {
  readonly #file: string;
  readonly #key: string;
  readonly #sessions: Map<string, Session>;
  readonly #troubled: (thrown: unknown) => void;
  #writing: Promise<void> = Promise.resolve();

  constructor(
    { dataDir, editorUser, editorPasswordHash }: Config,
    now: number,
    troubled: (thrown: unknown) => void,
  ) {
    this.#file = join(dataDir, 'editor-sessions.json');
    this.#key = hash(`${editorUser}\n${editorPasswordHash}`);
    this.#troubled = troubled;
    this.#sessions = new Map(editorPasswordHash ? read(this.#file, this.#key) : []);
    this.#forget(now);
  }

  /** A new session's token, once: it is nowhere kept. */
  open(user: User, now: number): string {
    const token = randomBytes(32).toString('base64url');
    this.#forget(now);
    this.#sessions.set(hash(token), { user, until: now + LASTS * 1000 });
    this.#write();
    return token;
  }

  userOf(token: string, now: number): User | undefined {
    const session = this.#sessions.get(hash(token));
    return session && session.until > now ? session.user : undefined;
  }

  close(token: string): void {
    if (this.#sessions.delete(hash(token))) this.#write();
  }

  #forget(now: number): void {
    for (const [id, { until }] of this.#sessions)
      if (until <= now || this.#sessions.size >= MOST) this.#sessions.delete(id);
  }

  #write(): void {
    const text = () => JSON.stringify({ key: this.#key, sessions: [...this.#sessions] });
    this.#writing = this.#writing.then(() => replaceFile(this.#file, text(), 0o600)).catch(this.#troubled);
  }
}

/** Tokens are random and long, so that a plain hash of them tells nothing, and comparing it neither. */
function hash(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

/** What can't be read costs a login, nothing else. */
function read(file: string, key: string): [string, Session][] {
  try {
    const kept = JSON.parse(readFileSync(file, 'utf8'));
    return kept.key === key ? kept.sessions : [];
  } catch {
    return [];
  }
}

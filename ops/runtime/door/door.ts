import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { type Config, isLoopback } from '../../../nodes/kit/config.js';
import { describe } from '../../../nodes/kit/errors.js';
import { isOfLoopback, plain } from './addresses.js';
import { type Finding, Identities } from './identities.js';
import { fromOwnPage, hostName, isForwarded } from './origin.js';
import { Passwords } from './password.js';
import { isForLogin, isHealth, isRead, pathOf } from './public.js';
import { Sessions } from './sessions.js';
import type { User } from './user.js';

const COOKIE = '; Path=/; HttpOnly; SameSite=Strict';

/** What the door says to a request. `reason` is a key of the texts below `door.`. */
export type Verdict = Admitted | { open: true } | { status: 401 | 403 | 429; reason: string; data?: object };

export interface Admitted {
  user: User;
  /** A cookie that their browser lacks. */
  cookie?: string;
  /** Tailscale vouches for them, which may end while they are in. */
  vouched?: boolean;
}

/** What the door needs of its surroundings. */
export interface Surroundings {
  /** The key of this run for programs of Potion's own user. */
  localUser: (token: string) => User | undefined;
  warn: (text: string) => void;
  /** Milliseconds of a clock that never jumps. */
  ticks: () => number;
  /** Epoch ms. */
  now: () => number;
}

type Guest = Required<Omit<Admitted, 'cookie'>> & { socket: Socket };

/**
 * The one door of the editor: who asks, and whether that is enough. In comes who brings a token of a login, whom
 * Tailscale knows as one of EDITOR_LOGINS, or, where no password is set, who sits at this machine.
 */
export class Door {
  readonly passwords: Passwords;
  readonly sessions: Sessions;
  readonly #identities: Identities;
  readonly #around: Surroundings;
  readonly #pass: string;
  /** Those whose request is being answered, by the key that Node-RED is shown for them. */
  readonly #inside = new Map<string, Guest>();

  constructor(config: Config, around: Surroundings) {
    this.#around = around;
    // Cookies are the same for all ports of a machine, where another Potion may be.
    this.#pass = `potion-${config.port}=${randomBytes(24).toString('base64url')}`;
    this.passwords = new Passwords(config, around.warn);
    this.sessions = new Sessions(config, around.now(), (thrown) =>
      around.warn(`Logins of the editor can't be kept for after a restart: ${thrown}`),
    );
    this.#identities = new Identities(config.editorLogins, said(around.warn));
  }

  /** Judges a request by who sends it. @param upgrade it wants a web socket */
  async judge(request: IncomingMessage, upgrade = false): Promise<Verdict> {
    const path = pathOf(request.url);
    if (!upgrade && isHealth(request.method, path)) return { open: true };
    const user = this.#byToken(request);
    if (user) return { user, ...(this.#hasPass(request) ? {} : { cookie: `${this.#pass}${COOKIE}` }) };
    const near = await this.#byConnection(request);
    if ('user' in near || !this.passwords.set) return near;
    if (!upgrade && isRead(request.method) && this.#hasPass(request)) return { open: true };
    const known = await this.#byPassword(request);
    if (known) return known;
    // The editor's own web socket takes its token as the first thing said on it.
    const asks = upgrade ? path === '/comms' : isForLogin(request.method, path);
    return asks ? { open: true } : { status: 401, reason: 'login' };
  }

  /** Whether the connection itself says who asks: then a browser needs no token, and must not send an old one. */
  async isVouched(request: IncomingMessage): Promise<boolean> {
    return 'user' in (await this.#byConnection(request));
  }

  /**
   * Shows somebody who was let in to Node-RED, by a key that is good for this request alone.
   * @returns what ends that: to be called when the answer is complete
   */
  announce({ headers, socket }: IncomingMessage, { user, vouched = false }: Admitted): () => void {
    const key = randomBytes(24).toString('base64url');
    this.#inside.set(key, { user, socket, vouched });
    headers.authorization = `Bearer ${key}`;
    return () => this.#inside.delete(key);
  }

  /** Node-RED's `adminAuth.tokens`: who stands behind a token that came in through the door. */
  userOf(token: string): User | undefined {
    return (
      this.#inside.get(token)?.user ??
      this.sessions.userOf(token, this.#around.now()) ??
      this.#around.localUser(token)
    );
  }

  #byToken({ headers }: IncomingMessage): User | undefined {
    const [, token] = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '') ?? [];
    return token ? this.userOf(token) : undefined;
  }

  /**
   * Scripts and pictures of the editor's page come without the token. Its browser has shown one before, so they
   * may be asked for; a program at another port, which gets to see the cookie, gains no more than that.
   */
  #hasPass({ headers }: IncomingMessage): boolean {
    return fromOwnPage(headers) && (headers.cookie ?? '').split(/; */).includes(this.#pass);
  }

  async #byConnection({ socket, headers }: IncomingMessage): Promise<Verdict> {
    if (this.#identities.isOfTailnet(socket)) {
      const finding = await this.#identities.who(socket, this.#around.ticks());
      if (!finding.allowed || !finding.login) return refused(finding);
      const own = await this.#isOwnHost(socket, hostName(headers));
      if (!own || !fromOwnPage(headers)) return { status: 403, reason: 'foreign' };
      return { user: { username: finding.login, permissions: ['*'] }, vouched: true };
    }
    if (this.passwords.set || !isFromHere(socket)) return { status: 403, reason: 'only-here' };
    const name = hostName(headers);
    const own = (name === undefined || isLoopback(name)) && fromOwnPage(headers) && !isForwarded(headers);
    return own ? { user: { username: 'local', permissions: ['*'] } } : { status: 403, reason: 'only-here' };
  }

  async #isOwnHost({ localAddress }: Socket, name: string | undefined): Promise<boolean> {
    if (name === undefined || name === plain(localAddress)) return true;
    return this.#identities.isOwnName(name, this.#around.ticks());
  }

  /** What browsers ask for at pages other than the editor's, which brings a form of its own. */
  async #byPassword({ headers, socket }: IncomingMessage): Promise<Verdict | undefined> {
    const [, encoded] = /^Basic +(\S+)$/i.exec(headers.authorization ?? '') ?? [];
    if (!encoded || !fromOwnPage(headers)) return undefined;
    const [name = '', ...rest] = Buffer.from(encoded, 'base64').toString().split(':');
    const peer = plain(socket.remoteAddress);
    const outcome = await this.passwords.check(name, rest.join(':'), peer, this.#around.ticks());
    if (outcome === 'right') return { user: { username: name, permissions: ['*'] } };
    if (outcome === 'wrong') return { status: 401, reason: 'wrong' };
    return { status: 429, reason: 'wait', data: { seconds: Math.ceil(outcome.wait / 1000) } };
  }

  /** A device may leave the tailnet, or change hands, while its web socket stays open. */
  async lookAgain(): Promise<void> {
    for (const [key, { socket, user, vouched }] of this.#inside) {
      if (!vouched) continue;
      const { allowed, login } = await this.#identities.who(socket, this.#around.ticks());
      if (allowed && login === user.username) continue;
      this.#inside.delete(key);
      socket.destroy();
    }
  }
}

function refused({ login, unsure }: Finding): Verdict {
  return { status: 403, reason: unsure ? 'unsure' : 'stranger', data: { login } };
}

function isFromHere({ remoteAddress, localAddress }: Socket): boolean {
  return isOfLoopback(plain(remoteAddress)) && isOfLoopback(plain(localAddress));
}

/** Tells of Tailscale's failures, each kind once until it answers again. */
function said(warn: (text: string) => void): (thrown?: unknown) => void {
  let last = '';
  return (thrown) => {
    const text = thrown === undefined ? '' : describe(thrown);
    if (text && text !== last) warn(`The editor can't ask Tailscale who comes in: ${text}`);
    last = text;
  };
}

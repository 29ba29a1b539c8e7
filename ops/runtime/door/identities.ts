import type { Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { type Tailnet, type TailnetPeer, tailnet, whois } from '../../../nodes/host/tailscale.js';
import { isOfTailnet, ownAddresses, plain, tailnetAddresses } from './addresses.js';

/** Milliseconds for which Tailscale's answer is good, and for which a failure is not asked again. */
const KEEP = 30_000;
const KEEP_FAILURE = 3000;
const MOST = 500;
/** Programs at the same time. */
const MOST_AT_ONCE = 8;

/** What Tailscale says of a peer; `unsure` when it could not be asked. */
export type Finding = { login?: string; allowed: boolean; unsure: boolean };

interface Kept<T> {
  until: number;
  value: Promise<T>;
}

const NOBODY: Finding = { allowed: false, unsure: false };
const UNSURE: Finding = { allowed: false, unsure: true };

/**
 * Who is behind a connection from the tailnet, asked of Tailscale and kept for half a minute. Whatever is not
 * known for sure is nobody. Times in ms of a clock that never jumps.
 */
export class Identities {
  readonly #logins: ReadonlySet<string>;
  readonly #troubled: (thrown?: unknown) => void;
  readonly #peers = new Map<string, Kept<Finding>>();
  #asking = 0;
  #names: Kept<string[]> = { until: 0, value: Promise.resolve([]) };

  /** @param logins in lower case @param troubled is told when Tailscale fails to answer, or does so again */
  constructor(logins: readonly string[], troubled: (thrown?: unknown) => void) {
    this.#logins = new Set(logins);
    this.#troubled = troubled;
  }

  /** Whether this connection's two ends are Tailscale addresses, the far one another device's. */
  isOfTailnet({ localAddress, remoteAddress }: Socket): boolean {
    const peer = plain(remoteAddress);
    // Cheap, and most connections end here. What only claims to be from the tailnet has no such socket.
    if (this.#logins.size === 0 || !peer || !isOfTailnet(peer)) return false;
    const interfaces = networkInterfaces();
    // A program on this machine is not the person whom this machine belongs to.
    return (
      tailnetAddresses(interfaces).includes(plain(localAddress)) && !ownAddresses(interfaces).includes(peer)
    );
  }

  /** Who is behind an address for which {@link isOfTailnet} holds. */
  who(socket: Socket, now: number): Promise<Finding> {
    const peer = plain(socket.remoteAddress);
    const kept = this.#peers.get(peer);
    if (kept && kept.until > now) return kept.value;
    if (this.#asking >= MOST_AT_ONCE) return Promise.resolve(UNSURE);
    const value = this.#ask(peer, socket.remotePort ?? 0);
    const entry = { until: now + KEEP, value };
    this.#peers.delete(peer);
    this.#peers.set(peer, entry);
    for (const oldest of this.#peers.keys()) if (this.#peers.size > MOST) this.#peers.delete(oldest);
    void value.then(({ unsure }) => {
      if (unsure) entry.until = now + KEEP_FAILURE;
    });
    return value;
  }

  /** Whether this name is this machine's in its tailnet: `laptop.tail1234.ts.net`, or `laptop` alone. */
  async isOwnName(name: string, now: number): Promise<boolean> {
    if (this.#names.until <= now) this.#names = { until: now + KEEP, value: this.#askNames() };
    return (await this.#names.value).includes(name);
  }

  async #ask(peer: string, port: number): Promise<Finding> {
    this.#asking++;
    try {
      const finding = this.#judge(await whois(peer, port));
      this.#troubled();
      return finding;
    } catch (thrown) {
      this.#troubled(thrown);
      return UNSURE;
    } finally {
      this.#asking--;
    }
  }

  #judge(peer: TailnetPeer | undefined): Finding {
    const login = peer?.login;
    return login ? { login, allowed: this.#logins.has(login.toLowerCase()), unsure: false } : NOBODY;
  }

  async #askNames(): Promise<string[]> {
    try {
      return namesOf(await tailnet(false));
    } catch (thrown) {
      this.#troubled(thrown);
      this.#names.until = 0;
      return [];
    }
  }
}

function namesOf({ name }: Tailnet): string[] {
  const full = name.toLowerCase();
  return full ? [full, full.split('.')[0] as string] : [];
}

import { createServer, type Server, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { inUrl, ownAddresses, tailnetAddresses } from './addresses.js';

/** Connections at the same time on each further address; an editor needs about ten. */
const MOST_CONNECTIONS = 200;

interface Listener {
  server: Server;
  sockets: Set<Socket>;
}

interface Log {
  info: (text: string) => void;
  warn: (text: string) => void;
}

/**
 * Keeps the editor open on addresses that come and go: Tailscale's, which is there minutes after a boot and
 * may change, or one from DHCP. Their connections are handed to the server that listens on loopback.
 */
export class Listeners {
  readonly #wanted: string;
  readonly #port: number;
  readonly #take: (socket: Socket) => void;
  readonly #log: Log;
  readonly #open = new Map<string, Listener>();
  readonly #failed = new Map<string, string>();
  #missed = false;

  /** @param wanted an address of this machine, or `tailscale` for those in the tailnet */
  constructor(wanted: string, port: number, take: (socket: Socket) => void, log: Log) {
    this.#wanted = wanted;
    this.#port = port;
    this.#take = take;
    this.#log = log;
  }

  /** Opens and closes what the machine's addresses ask for now. Call it again and again: it asks the kernel alone. */
  look(): void {
    const there = this.#there();
    for (const [address, listener] of this.#open)
      if (!there.includes(address)) this.#close(address, listener);
    for (const address of there) if (!this.#open.has(address)) this.#listen(address);
    if (there.length === 0 && !this.#missed) this.#log.info(this.#waiting());
    this.#missed = there.length === 0;
  }

  stop(): void {
    for (const [address, listener] of this.#open) this.#close(address, listener);
  }

  #there(): string[] {
    const interfaces = networkInterfaces();
    if (this.#wanted === 'tailscale') return tailnetAddresses(interfaces);
    return ownAddresses(interfaces).filter((address) => address === this.#wanted);
  }

  #waiting(): string {
    return this.#wanted === 'tailscale'
      ? 'Tailscale has given this machine no address yet. The editor opens there when it does'
      : `This machine has no address ${this.#wanted} yet. The editor opens there when it has`;
  }

  #listen(address: string): void {
    const sockets = new Set<Socket>();
    // As Node's HTTP server listens itself.
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      this.#take(socket);
    });
    server.maxConnections = MOST_CONNECTIONS;
    server.on('error', (error) => this.#fail(address, server, error.message));
    server.listen({ host: address, port: this.#port, ipv6Only: true }, () => {
      this.#failed.delete(address);
      this.#log.info(`The editor is open at http://${inUrl(address)}:${this.#port}/`);
    });
    this.#open.set(address, { server, sockets });
  }

  /** It is tried again at the next look, but told once for each reason. */
  #fail(address: string, server: Server, why: string): void {
    server.close();
    this.#open.delete(address);
    if (this.#failed.get(address) !== why) this.#log.warn(`The editor can't open at ${address}: ${why}`);
    this.#failed.set(address, why);
  }

  #close(address: string, { server, sockets }: Listener): void {
    this.#open.delete(address);
    server.removeAllListeners('error').on('error', () => {});
    server.close();
    for (const socket of sockets) socket.destroy();
    this.#log.info(`The editor is closed at ${address}, which this machine has no more`);
  }
}

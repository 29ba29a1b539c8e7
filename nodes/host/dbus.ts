import { connect, type Socket } from 'node:net';
import { type Cancel, type Clock, systemClock } from '../kit/clock.js';
import { describe, PotionError } from '../kit/errors.js';
import { WireError } from './dbus-signature.js';
import {
  type Incoming,
  MESSAGE_TYPE,
  type MethodCall,
  messageLength,
  readMessage,
  writeCall,
} from './dbus-wire.js';

export type { MethodCall } from './dbus-wire.js';

/** A service on the bus answered a call with an error. */
export class BusError extends Error {
  /** D-Bus name of the error, e.g. `org.freedesktop.DBus.Error.AccessDenied`. */
  readonly errorName: string;

  constructor(errorName: string, text: string) {
    super(text || errorName);
    this.name = 'BusError';
    this.errorName = errorName;
  }
}

export interface BusOptions {
  /** D-Bus address; only Unix sockets. Default {@link systemBusAddress}. */
  address?: string;
  clock?: Clock;
  /** Signals that a match rule let through, in the order of the bus. Must not throw. */
  onSignal?: (signal: Incoming) => void;
  /** The connection, once opened, has ended other than by close(). Called once. Must not throw. */
  onLost?: (why: PotionError) => void;
}

const CONNECT_LIMIT = 5_000;
const CALL_LIMIT = 10_000;
const DAEMON = {
  destination: 'org.freedesktop.DBus',
  path: '/org/freedesktop/DBus',
  interface: 'org.freedesktop.DBus',
};

interface Waiting {
  answer(message: Incoming): void;
  fail(why: Error): void;
}

/** Where the system bus is, as the D-Bus Specification says. */
export function systemBusAddress(env: NodeJS.ProcessEnv = process.env): string {
  return env.DBUS_SYSTEM_BUS_ADDRESS || 'unix:path=/run/dbus/system_bus_socket';
}

/**
 * A client's connection to a D-Bus message bus. Calls and signals are handled strictly in the order in which
 * the bus sent them, so that what a reply says and what a signal says can be put together.
 */
export class Bus {
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #options: BusOptions;
  readonly #waiting = new Map<number, Waiting>();
  #rest: Buffer = Buffer.alloc(0);
  #greeted = false;
  #open = false;
  #serial = 0;
  #ended: PotionError | undefined;
  #onGreeted: (() => void) | undefined;

  /**
   * Connects and logs in with the process's own user id.
   * @throws PotionError UNAVAILABLE when there is no bus, TIMEOUT when it does not answer within 5 s
   */
  static async open(options: BusOptions = {}): Promise<Bus> {
    const address = options.address ?? systemBusAddress();
    let detail = 'there is no Unix socket in its address';
    for (const path of socketsOf(address)) {
      const bus = new Bus(connect(path), options);
      try {
        await bus.#greet();
        await bus.call({ ...DAEMON, member: 'Hello' });
        bus.#open = true;
        return bus;
      } catch (thrown) {
        bus.close();
        if (thrown instanceof PotionError && thrown.code === 'TIMEOUT') throw thrown;
        detail = thrown instanceof PotionError ? String(thrown.cause.data.detail) : describe(thrown);
      }
    }
    throw new PotionError('UNAVAILABLE', 'errors.no-bus', { address, detail });
  }

  private constructor(socket: Socket, options: BusOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (error) => this.#end(error));
    socket.on('close', () => this.#end(new Error('the bus closed the connection')));
  }

  /**
   * Calls a method.
   * @param read turns the reply into the result. It runs at the reply's place among the signals, before any
   *   later message is looked at. What it throws rejects the call.
   * @param limit milliseconds, default 10 s
   * @throws BusError when the service refuses, PotionError TIMEOUT, UNAVAILABLE when the connection is lost
   */
  call<T = unknown[]>(
    call: MethodCall,
    read: (body: unknown[]) => T = (body) => body as T,
    limit = CALL_LIMIT,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#ended) throw this.#ended;
      const serial = ++this.#serial;
      const bytes = writeCall(serial, call);
      const cancel = this.#clock.after(limit, () => {
        this.#waiting.delete(serial);
        reject(
          new PotionError('TIMEOUT', 'errors.bus-timeout', { member: call.member, seconds: limit / 1000 }),
        );
      });
      this.#waiting.set(serial, settle(cancel, resolve, reject, read));
      this.#socket.write(bytes);
    });
  }

  /** Asks for signals, see "Match Rules" in the D-Bus Specification. */
  async addMatch(rule: string): Promise<void> {
    await this.call({ ...DAEMON, member: 'AddMatch', signature: 's', args: [rule] });
  }

  async removeMatch(rule: string): Promise<void> {
    await this.call({ ...DAEMON, member: 'RemoveMatch', signature: 's', args: [rule] });
  }

  /** Unique name of the connection that owns a well-known name. @throws BusError when nobody does */
  ownerOf(name: string): Promise<string> {
    return this.call({ ...DAEMON, member: 'GetNameOwner', signature: 's', args: [name] }, ([owner]) =>
      String(owner),
    );
  }

  /** Ends the connection; calls under way fail. */
  close(): void {
    this.#end(new Error('closed'), true);
  }

  #greet(): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(CONNECT_LIMIT, () => {
        reject(
          new PotionError('TIMEOUT', 'errors.bus-timeout', { member: 'AUTH', seconds: CONNECT_LIMIT / 1000 }),
        );
      });
      this.#waiting.set(0, {
        answer: () => {},
        fail: (why) => {
          cancel();
          reject(why);
        },
      });
      this.#onGreeted = () => {
        cancel();
        this.#waiting.delete(0);
        resolve();
      };
      const uid = Buffer.from(String(process.geteuid?.() ?? 0)).toString('hex');
      this.#socket.write(`\0AUTH EXTERNAL ${uid}\r\n`);
    });
  }

  #receive(chunk: Buffer): void {
    if (this.#ended) return;
    this.#rest = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    try {
      if (!this.#greeted) this.#finishGreeting();
      while (this.#greeted && !this.#ended) {
        const length = messageLength(this.#rest);
        if (length === undefined || this.#rest.length < length) break;
        const bytes = this.#rest.subarray(0, length);
        this.#rest = this.#rest.subarray(length);
        this.#dispatch(readMessage(bytes));
      }
    } catch (thrown) {
      this.#end(thrown);
    }
  }

  #finishGreeting(): void {
    const end = this.#rest.indexOf('\r\n');
    if (end < 0 && this.#rest.length < 1000) return;
    const line = this.#rest.toString('latin1', 0, Math.max(end, 0));
    if (!line.startsWith('OK ')) throw new WireError(`the bus refused the login: ${line}`);
    this.#rest = this.#rest.subarray(end + 2);
    this.#greeted = true;
    this.#socket.write('BEGIN\r\n');
    this.#onGreeted?.();
  }

  #dispatch(message: Incoming): void {
    if (message.type === MESSAGE_TYPE.signal) this.#options.onSignal?.(message);
    if (message.replySerial === undefined) return;
    const waiting = this.#waiting.get(message.replySerial);
    this.#waiting.delete(message.replySerial);
    waiting?.answer(message);
  }

  #end(why: unknown, wanted = false): void {
    if (this.#ended) return;
    this.#ended = new PotionError('UNAVAILABLE', 'errors.bus-lost', {}, why);
    this.#socket.destroy();
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const call of waiting) call.fail(this.#ended);
    if (this.#open && !wanted) this.#options.onLost?.(this.#ended);
  }
}

function settle<T>(
  cancel: Cancel,
  resolve: (value: T) => void,
  reject: (why: unknown) => void,
  read: (body: unknown[]) => T,
): Waiting {
  return {
    answer(message) {
      cancel();
      if (message.type === MESSAGE_TYPE.error) {
        const [text] = message.body;
        return reject(new BusError(message.errorName ?? '', typeof text === 'string' ? text : ''));
      }
      try {
        resolve(read(message.body));
      } catch (thrown) {
        reject(thrown);
      }
    },
    fail(why) {
      cancel();
      reject(why);
    },
  };
}

/** Socket paths of an address such as `unix:path=/run/a;unix:abstract=b`, with `%20` for a space. */
export function socketsOf(address: string): string[] {
  const paths: string[] = [];
  for (const one of address.split(';')) {
    const pairs = /^unix:(.*)$/.exec(one)?.[1]?.split(',') ?? [];
    const value = (key: string) =>
      pairs
        .find((text) => text.startsWith(`${key}=`))
        ?.slice(key.length + 1)
        .replace(/%([0-9a-f]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
    const path = value('path');
    const abstract = value('abstract');
    if (path) paths.push(path);
    else if (abstract) paths.push(`\0${abstract}`);
  }
  return paths;
}

import { ALIGNMENT, padded, typesOf, WireError } from './dbus-signature.js';

/**
 * D-Bus messages as bytes, after the D-Bus Specification, "Message Protocol". Reads every type but file
 * descriptors; writes what method calls of a client need: basic types and arrays of them.
 *
 * Values: strings for s, o and g, booleans for b, numbers for all integers and doubles (64-bit ones lose
 * precision above 2^53), Buffer for ay, object for a{s…}, Map for other dictionaries, array for other arrays and
 * structs. A variant is its value.
 */

export const MESSAGE_TYPE = { call: 1, reply: 2, error: 3, signal: 4 } as const;

/** A message as it came from the bus. */
export interface Incoming {
  type: number;
  path?: string;
  interface?: string;
  member?: string;
  errorName?: string;
  replySerial?: number;
  destination?: string;
  sender?: string;
  body: unknown[];
}

/** A method call as it goes out. */
export interface MethodCall {
  destination: string;
  path: string;
  interface: string;
  member: string;
  /** Types of the arguments, e.g. `ss`. */
  signature?: string;
  args?: readonly unknown[];
}

// The specification allows 128 MiB; nothing that Potion asks for comes near this.
const LONGEST_MESSAGE = 16 * 1024 * 1024;

/** Bytes of the message that begins here, or undefined while its first 16 are not all there. */
export function messageLength(bytes: Buffer): number | undefined {
  if (bytes.length < 16) return undefined;
  const endian = bytes[0];
  if ((endian !== 0x6c && endian !== 0x42) || bytes[3] !== 1) throw new WireError('this is not D-Bus');
  const little = endian === 0x6c;
  const at = (offset: number) => (little ? bytes.readUInt32LE(offset) : bytes.readUInt32BE(offset));
  const length = padded(16 + at(12), 8) + at(4);
  if (length > LONGEST_MESSAGE) throw new WireError(`a message of ${length} bytes is too long`);
  return length;
}

/** Reads one whole message. @throws WireError */
export function readMessage(bytes: Buffer): Incoming {
  const little = bytes[0] === 0x6c;
  const header = new Reader(bytes, little, 12);
  const fields = header.value('a(yv)') as [number, unknown][];
  const field = (code: number) => fields.find(([which]) => which === code)?.[1];
  const body = new Reader(bytes.subarray(padded(header.at, 8)), little, 0);
  return {
    type: bytes[1] ?? 0,
    path: field(1) as string | undefined,
    interface: field(2) as string | undefined,
    member: field(3) as string | undefined,
    errorName: field(4) as string | undefined,
    replySerial: field(5) as number | undefined,
    destination: field(6) as string | undefined,
    sender: field(7) as string | undefined,
    body: typesOf((field(8) as string | undefined) ?? '').map((type) => body.value(type)),
  };
}

/** Writes a method call. @throws WireError when an argument does not fit its type */
export function writeCall(serial: number, call: MethodCall): Buffer {
  const signature = call.signature ?? '';
  const types = typesOf(signature);
  const args = call.args ?? [];
  if (types.length !== args.length) throw new WireError(`${call.member} takes ${types.length} arguments`);
  const body = new Writer();
  types.forEach((type, index) => {
    body.value(type, args[index]);
  });

  const head = new Writer();
  for (const byte of [0x6c, MESSAGE_TYPE.call, 0, 1]) head.value('y', byte);
  head.value('u', body.length);
  head.value('u', serial);
  const fields: [number, string, string][] = [
    [1, 'o', call.path],
    [2, 's', call.interface],
    [3, 's', call.member],
    [6, 's', call.destination],
  ];
  if (signature) fields.push([8, 'g', signature]);
  head.array('(', fields, ([code, type, value]) => {
    head.value('y', code);
    head.value('g', type);
    head.value(type, value);
  });
  head.pad(8);
  return Buffer.concat([head.bytes(), body.bytes()]);
}

class Reader {
  at: number;
  readonly #bytes: Buffer;
  readonly #little: boolean;

  constructor(bytes: Buffer, little: boolean, at: number) {
    this.#bytes = bytes;
    this.#little = little;
    this.at = at;
  }

  value(type: string): unknown {
    this.at = padded(this.at, ALIGNMENT[type[0] ?? ''] ?? 1);
    switch (type[0]) {
      case 'y':
        return this.#bytes.readUInt8(this.#take(1));
      case 'b':
        return this.#number('UInt32', 4) !== 0;
      case 'n':
        return this.#number('Int16', 2);
      case 'q':
        return this.#number('UInt16', 2);
      case 'i':
        return this.#number('Int32', 4);
      case 'u':
        return this.#number('UInt32', 4);
      case 'x':
        return this.#number('BigInt64', 8);
      case 't':
        return this.#number('BigUInt64', 8);
      case 'd':
        return this.#number('Double', 8);
      case 's':
      case 'o':
        return this.#text(this.#number('UInt32', 4));
      case 'g':
        return this.#text(this.#bytes.readUInt8(this.#take(1)));
      case 'v':
        return this.#variant();
      case 'a':
        return this.#array(type.slice(1));
      case '(':
        return typesOf(type.slice(1, -1)).map((inner) => this.value(inner));
      default:
        throw new WireError(`a type that Potion does not read: ${type}`);
    }
  }

  #take(length: number): number {
    const start = this.at;
    this.at += length;
    if (this.at > this.#bytes.length) throw new WireError('the message ends too early');
    return start;
  }

  #number(kind: 'UInt16' | 'Int16' | 'UInt32' | 'Int32' | 'Double' | 'BigInt64' | 'BigUInt64', size: number) {
    const start = this.#take(size);
    return Number(this.#bytes[`read${kind}${this.#little ? 'LE' : 'BE'}`](start));
  }

  #text(length: number): string {
    const start = this.#take(length + 1);
    return this.#bytes.toString('utf8', start, start + length);
  }

  #variant(): unknown {
    const type = this.value('g') as string;
    if (typesOf(type).length !== 1) throw new WireError('a variant holds one value');
    return this.value(type);
  }

  #array(type: string): unknown {
    const length = this.#number('UInt32', 4);
    this.at = padded(this.at, ALIGNMENT[type[0] ?? ''] ?? 1);
    const start = this.#take(length);
    const end = this.at;
    if (type === 'y') return Buffer.from(this.#bytes.subarray(start, end));
    this.at = start;
    const [key, value] = type[0] === '{' ? typesOf(type.slice(1, -1)) : [];
    const items: unknown[] = [];
    while (this.at < end) {
      if (!key || !value) items.push(this.value(type));
      else {
        this.at = padded(this.at, 8);
        items.push([this.value(key), this.value(value)]);
      }
    }
    if (this.at !== end) throw new WireError('an array is longer than it says');
    if (!key) return items;
    const entries = items as [string, unknown][];
    return 'sog'.includes(key) ? Object.fromEntries(entries) : new Map<unknown, unknown>(entries);
  }
}

class Writer {
  #bytes = Buffer.alloc(256);
  length = 0;

  bytes(): Buffer {
    return this.#bytes.subarray(0, this.length);
  }

  pad(to: number): void {
    this.#room(padded(this.length, to) - this.length);
  }

  value(type: string, value: unknown): void {
    this.pad(ALIGNMENT[type[0] ?? ''] ?? 1);
    if (type === 's' || type === 'o' || type === 'g') this.#text(type, value);
    else if (type[0] === 'a' && Array.isArray(value))
      this.array(type.slice(1), value, (item) => this.value(type.slice(1), item));
    else this.#number(type, value);
  }

  #number(type: string, value: unknown): void {
    const size = { y: 1, b: 4, u: 4, i: 4, t: 8 }[type];
    if (!size) throw new WireError(`Potion does not write ${type}`);
    const at = this.#room(size);
    if (type === 'y') this.#bytes.writeUInt8(Number(value), at);
    else if (type === 'b') this.#bytes.writeUInt32LE(value === true ? 1 : 0, at);
    else if (type === 'u') this.#bytes.writeUInt32LE(Number(value), at);
    else if (type === 'i') this.#bytes.writeInt32LE(Number(value), at);
    else this.#bytes.writeBigUInt64LE(BigInt(value as number), at);
  }

  array<T>(type: string, items: readonly T[], write: (item: T) => void): void {
    this.pad(4);
    const size = this.#room(4);
    this.pad(ALIGNMENT[type[0] ?? ''] ?? 1);
    const start = this.length;
    for (const item of items) {
      this.pad(ALIGNMENT[type[0] ?? ''] ?? 1);
      write(item);
    }
    this.#bytes.writeUInt32LE(this.length - start, size);
  }

  #text(type: string, value: unknown): void {
    if (typeof value !== 'string' || value.includes('\0'))
      throw new WireError(`not a text: ${String(value)}`);
    const text = Buffer.from(value);
    this.#number(type === 'g' ? 'y' : 'u', text.length);
    const at = this.#room(text.length + 1);
    text.copy(this.#bytes, at);
  }

  /** Makes room for so many zero bytes, which may move all of them, and returns where the room begins. */
  #room(length: number): number {
    const start = this.length;
    this.length += length;
    if (this.length > this.#bytes.length)
      this.#bytes = Buffer.concat([this.#bytes, Buffer.alloc(this.length * 2)]);
    return start;
  }
}

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A message bus that says what a test has it say, for what a real one does too seldom. */
export interface ScriptedBus {
  address: string;
  /** The client's connections, newest last. */
  clients: Socket[];
  stop(): Promise<void>;
}

export interface Script {
  /** Answers the login; default `OK`. */
  login?: (client: Socket) => void;
  /** Called with each method call's serial and member. */
  onCall?: (client: Socket, serial: number, member: string) => void;
}

export async function startBus(script: Script = {}): Promise<ScriptedBus> {
  const folder = mkdtempSync(join(tmpdir(), 'potion-bus-'));
  const path = join(folder, 'bus');
  const clients: Socket[] = [];
  const server = createServer((client) => {
    clients.push(client);
    let rest = Buffer.alloc(0);
    let loggedIn = false;
    client.on('error', () => {});
    client.on('data', (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      if (!loggedIn) {
        const begin = rest.indexOf('BEGIN\r\n');
        if (begin < 0 && rest.includes('AUTH ')) {
          rest = Buffer.alloc(0);
          if (script.login) script.login(client);
          else client.write(`OK ${'0'.repeat(32)}\r\n`);
        }
        if (begin < 0) return;
        loggedIn = true;
        rest = rest.subarray(begin + 7);
      }
      for (;;) {
        if (rest.length < 16) return;
        const length = Math.ceil((16 + rest.readUInt32LE(12)) / 8) * 8 + rest.readUInt32LE(4);
        if (rest.length < length) return;
        const call = rest.subarray(0, length);
        rest = rest.subarray(length);
        const member =
          /(Hello|AddMatch|RemoveMatch|GetNameOwner|Ask|CanReboot|CanPowerOff|ListInhibitors|Reboot|PowerOff)\0/.exec(
            call.toString('latin1'),
          )?.[1] ?? '';
        const serial = call.readUInt32LE(8);
        if (member === 'Hello') client.write(reply(serial, ':1.1'));
        else script.onCall?.(client, serial, member);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    address: `unix:path=${path}`,
    clients,
    async stop() {
      for (const client of clients) client.destroy();
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A method's reply with one text. */
export const reply = (to: number, text: string) => message(2, [field(5, 'u', u32(to))], text);

/** An error in answer to a call. */
export const refusal = (to: number, name: string, text: string) =>
  message(3, [field(4, 's', str(name)), field(5, 'u', u32(to))], text);

/** A signal with one text. */
export const signal = (member: string, text: string) =>
  message(4, [field(1, 'o', str('/x')), field(2, 's', str('x.y')), field(3, 's', str(member))], text);

const u32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const str = (text: string) => Buffer.concat([u32(Buffer.byteLength(text)), Buffer.from(`${text}\0`)]);
const pad = (bytes: Buffer, to: number) =>
  Buffer.concat([bytes, Buffer.alloc((to - (bytes.length % to)) % to)]);
const field = (code: number, type: string, value: Buffer) =>
  pad(Buffer.concat([Buffer.from([code, 1, type.charCodeAt(0), 0]), value]), 8);

function message(type: number, fields: Buffer[], text: string): Buffer {
  const body = str(text);
  const all = Buffer.concat([...fields, Buffer.from([8, 1, 0x67, 0, 1, 0x73, 0])]);
  const head = Buffer.concat([
    Buffer.from([0x6c, type, 0, 1]),
    u32(body.length),
    u32(1),
    u32(all.length),
    all,
  ]);
  return Buffer.concat([pad(head, 8), body]);
}

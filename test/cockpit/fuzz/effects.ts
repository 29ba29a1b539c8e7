// Everything through which a node could reach the world outside this process is noted and does nothing. Loaded
// before anything that could have kept the real ones.
import childProcess from 'node:child_process';
import dgram from 'node:dgram';
import dns from 'node:dns';
import { EventEmitter } from 'node:events';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';

/** Something that a node wanted to do outside. */
export interface Effect {
  kind: 'program' | 'signal' | 'connection' | 'request' | 'lookup';
  what: string;
}

/** What was wanted, in order; none of it has happened. */
export const effects: Effect[] = [];

const note = (kind: Effect['kind'], ...what: unknown[]) => {
  effects.push({ kind, what: what.map(String).join(' ').slice(0, 200) });
};
const refused = (code: string, what: string) => Object.assign(new Error(`${code} ${what}`), { code });

const nowhere = '/nonexistent/potion-fuzz';
const { spawn } = childProcess;
for (const name of ['spawn', 'execFile', 'exec', 'fork'] as const)
  Object.assign(childProcess, {
    [name]: (program: string, args: unknown) => {
      note('program', program, ...(Array.isArray(args) ? args : []));
      return spawn(nowhere, [], { stdio: 'pipe' });
    },
  });
for (const name of ['spawnSync', 'execFileSync', 'execSync'] as const)
  Object.assign(childProcess, {
    [name]: (program: string) => {
      note('program', program);
      throw refused('ENOENT', program);
    },
  });

const kill = process.kill.bind(process);
process.kill = (pid, signal) => {
  // Whether a process is there changes nothing.
  if (signal === 0) return kill(pid, 0);
  note('signal', pid, signal);
  throw refused('EPERM', 'kill');
};

net.Socket.prototype.connect = function (this: net.Socket, ...args: unknown[]) {
  const [to] = args.flat() as { path?: string; host?: string; port?: number }[];
  note('connection', JSON.stringify(typeof to === 'object' ? (to?.path ?? `${to?.host}:${to?.port}`) : to));
  setImmediate(() => this.destroy(refused('ENOENT', 'connect')));
  return this;
} as never;

const lookup = (name: string, ...rest: unknown[]) => {
  note('lookup', name);
  const done = rest.at(-1);
  if (typeof done === 'function') setImmediate(() => done(refused('ENOTFOUND', name)));
};
for (const name of ['lookup', 'resolve', 'resolve4', 'resolve6', 'reverse', 'lookupService'] as const) {
  Object.assign(dns, { [name]: lookup });
  Object.assign(dns.promises, {
    [name]: async (host: string) => {
      note('lookup', host);
      throw refused('ENOTFOUND', host);
    },
  });
}
Object.assign(dgram, {
  createSocket: () => {
    note('connection', 'dgram');
    const socket = new EventEmitter();
    setImmediate(() => socket.emit('error', refused('EACCES', 'dgram')));
    return Object.assign(socket, { bind() {}, send() {}, close() {}, unref() {}, ref() {} });
  },
});
globalThis.fetch = async (to) => {
  note('request', to instanceof Request ? to.url : to);
  throw new TypeError('fetch failed', { cause: refused('ENOTFOUND', String(to)) });
};
syncBuiltinESMExports();

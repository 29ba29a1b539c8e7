// Runs inside the machine as Potion's user: everything that it could ask root's programs for.
import { connect } from 'node:net';
import { Bus, BusError } from '../../../nodes/host/dbus.js';
import type { MethodCall } from '../../../nodes/host/dbus-wire.js';
import { canReboot, powerOff, reboot } from '../../../nodes/host/power.js';
import { askHelper } from '../../../nodes/host/root-helper.js';
import { Systemd } from '../../../nodes/host/systemd.js';
import { serve, tell } from './serve.ts';

let bus: Bus | undefined;

serve({
  helper: (verb: never, args: never, options: object = {}) =>
    askHelper(verb, args, {
      ...options,
      onLine: (line) => tell({ line }),
      onProgress: (progress) => tell({ progress }),
    }),
  /** Sends bytes (base64) to a socket and returns what came back until its end. */
  raw: (path: string, bytes: string) =>
    new Promise<string>((resolve) => {
      let got = '';
      const socket = connect(path, () => socket.write(Buffer.from(bytes, 'base64')));
      socket.setEncoding('utf8').on('data', (text) => {
        got += text;
      });
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(`${got}${error.code}`));
      socket.on('close', () => resolve(got));
    }),
  /** Calls a method on the system bus; the D-Bus name of the error where it is refused. */
  async call(call: MethodCall) {
    bus ??= await Bus.open();
    try {
      return { body: await bus.call(call) };
    } catch (thrown) {
      if (thrown instanceof BusError) return { error: thrown.errorName };
      // The bus hangs up on who sends what is no D-Bus.
      bus = undefined;
      return { error: String(thrown) };
    }
  },
  async unit(verb: 'start' | 'stop' | 'restart' | 'resetFailed', unit: string) {
    const systemd = await Systemd.connect();
    try {
      return await systemd[verb](unit);
    } finally {
      await systemd.close();
    }
  },
  canReboot: () => canReboot(),
  reboot: () => reboot(),
  powerOff: () => powerOff(),
});

import type { NodeAPI } from 'node-red';
import { type Config, config, isLoopback } from '../../../nodes/kit/config.js';
import { theDoor } from './front-door.js';
import { guard } from './gate.js';
import { Listeners } from './listeners.js';

/** Milliseconds between looks at this machine's addresses: one question to the kernel, no program. */
const LOOK = 5000;
/** Milliseconds between looks at whether those who are in may stay. */
const LOOK_AGAIN = 60_000;

/** Node-RED plugin: puts the editor's door before its server, and opens that on further addresses. */
export default function doorPlugin(RED: NodeAPI): void {
  const door = theDoor();
  if (!door) return;
  const { server, log } = RED;
  guard(server, door, (text) => log.warn(text));
  setInterval(() => void door.lookAgain(), LOOK_AGAIN).unref();

  const settings = config();
  server.once('listening', () => {
    const open = whoMayEnter(settings);
    if (open) log.info(open);
    if (!isLoopback(settings.editorBind)) log.warn(openToAll(settings));
    if (settings.editorOpensOn === '') return;
    const take = (socket: unknown) => server.emit('connection', socket);
    const listeners = new Listeners(settings.editorOpensOn, settings.port, take, {
      info: (text) => log.info(text),
      warn: (text) => log.warn(text),
    });
    const timer = setInterval(() => listeners.look(), LOOK).unref();
    server.once('close', () => {
      clearInterval(timer);
      listeners.stop();
    });
    listeners.look();
  });
}

function whoMayEnter({ editorLogins, editorPasswordHash, editorBind, editorOpensOn }: Config): string {
  const tailnet = editorOpensOn === 'tailscale' || !isLoopback(editorBind);
  const ways = [
    ...(tailnet && editorLogins.length > 0 ? [`${editorLogins.join(', ')} over Tailscale`] : []),
    ...(editorPasswordHash ? ['whoever has the password'] : []),
  ];
  return ways.length > 0 ? `Who may open the editor: ${ways.join('; ')}` : '';
}

function openToAll({ editorBind }: Config): string {
  return (
    `EDITOR_BIND=${editorBind}: the editor answers in every network that this machine is on, in the internet too ` +
    'where a router lets it through. The password is all that protects it, and it travels unencrypted'
  );
}

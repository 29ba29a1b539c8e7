import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { NodeAPI } from 'node-red';
import { config, isGuest } from '../../nodes/kit/config.js';
import { isFromHere } from './loopback.js';

/**
 * Node-RED plugin: the same rule for web sockets as for requests. Browsers let any page open one, and Node-RED
 * asks its HTTP middleware nothing before it opens `/comms`, which tells statuses and debug messages.
 */
export default function loopbackSockets(RED: NodeAPI): void {
  if (isGuest() || config().editorPasswordHash) return;
  RED.server.prependListener('upgrade', (request: IncomingMessage, socket: Duplex) => {
    // Whoever else listens finds the socket closed and leaves it.
    if (!isFromHere(request)) socket.destroy();
  });
}

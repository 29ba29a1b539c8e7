import type { NodeAPI } from 'node-red';
import { judgeHealth } from '../../nodes/kit/health.js';
import { ailing, alive, pulseOf } from '../../nodes/kit/pulse.js';
import { databaseWrites } from '../../nodes/state/probe.js';

/**
 * Node-RED plugin: `GET /potion/health` below the editor's address. Needs no login and tells no secret, so
 * that a watchdog outside this process can ask.
 */
export default function health(RED: NodeAPI): void {
  // Potion's nodes and plugins listen to more than the ten that Node takes for a leak.
  RED.events.setMaxListeners(50);
  // Only this event tells the truth: with a missing node type Node-RED reports "started" all the same.
  RED.events.on('flows:started', () => alive('flows', Date.now(), Number.POSITIVE_INFINITY));
  // A deploy stops them and starts them again; what never comes back stays named.
  RED.events.on('flows:stopping', () => ailing('flows', 'the flows are stopped', Date.now()));
  RED.httpAdmin.get('/potion/health', async (_request, response) => {
    await databaseWrites();
    const answer = judgeHealth(pulseOf, Date.now());
    response.status(answer.ok ? 200 : 503).json(answer);
  });
}

import type { AddressInfo } from 'node:net';
import type { NodeAPI } from 'node-red';
import { config, isGuest } from '../../nodes/kit/config.js';
import { describe } from '../../nodes/kit/errors.js';
import { readFlows, refuseUnknownTypes } from './flows/keeper.js';
import { unknownTypes } from './flows/lint.js';
import { isOwner } from './flows/model.js';
import { FlowsError } from './flows/problem.js';

/**
 * Node-RED plugin: `POST /potion/flows/reload` loads changed flow files without a restart. They are checked
 * first; a bad one is answered with file and line (422) and what runs goes on. Editors that are open get
 * Node-RED's own notice of an update.
 */
export default function flowReload(RED: NodeAPI): void {
  if (isGuest()) return;
  const mayWrite = RED.auth.needsPermission('flows.write');
  RED.httpAdmin.post('/potion/flows/reload', mayWrite, async (request, response) => {
    try {
      const { nodes } = (await readFlows(config())).flows;
      const admin = adminApi(RED, request.headers.authorization);
      const known = await loadedTypes(admin);
      refuseUnknownTypes(
        nodes,
        unknownTypes(nodes, (type) => known.has(type)),
      );
      await admin('flows', { method: 'POST', headers: { 'Node-RED-Deployment-Type': 'reload' } });
      response.json({ tabs: nodes.filter(isOwner).length, nodes: nodes.length });
    } catch (thrown) {
      const refused = thrown instanceof FlowsError;
      if (refused) RED.log.warn(`The flow files were not loaded, the flows run on. ${thrown.message}`);
      else RED.log.error(`Loading the flow files failed: ${describe(thrown)}`);
      response.status(refused ? thrown.status : 500).json({
        code: refused ? thrown.code : 'failed',
        message: describe(thrown),
        problems: refused ? thrown.problems : [],
      });
    }
  });
}

type Admin = (path: string, init?: RequestInit & { headers?: Record<string, string> }) => Promise<Response>;

/** Node-RED's admin API in the name of who asked: plugins get no other way to the flows. */
function adminApi(RED: NodeAPI, authorization: string | undefined): Admin {
  const { address, family, port } = RED.server.address() as AddressInfo;
  const open = address === '0.0.0.0' || address === '::';
  const host = open ? '127.0.0.1' : family === 'IPv6' ? `[${address}]` : address;
  return async (path, init = {}) => {
    const headers = {
      accept: 'application/json',
      ...(authorization ? { authorization } : {}),
      ...init.headers,
    };
    const answer = await fetch(`http://${host}:${port}${RED.settings.httpAdminRoot}${path}`, {
      ...init,
      headers,
    });
    if (!answer.ok) throw new Error(`Node-RED answered ${answer.status}: ${await answer.text()}`);
    return answer;
  };
}

/** What this process can run, which may be less than what has been installed since it started. */
async function loadedTypes(admin: Admin): Promise<Set<string>> {
  const sets = (await (await admin('nodes')).json()) as {
    types: string[];
    enabled: boolean;
    err?: unknown;
  }[];
  return new Set(sets.filter(({ enabled, err }) => enabled && !err).flatMap(({ types }) => types));
}

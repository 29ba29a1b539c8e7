import type { DefaultRoute } from '../../host/network-addresses.js';

/** A host to ping; without one it can't be asked. */
export interface Target {
  /** As people know it: `gateway`, `1.1.1.1`. */
  label: string;
  host?: string;
}

/** Stands for the router that leads out, wherever this machine is. */
const GATEWAY = 'gateway';

/** The hosts that are meant, each once. */
export function targetsOf(hosts: readonly string[], routes: readonly DefaultRoute[]): Target[] {
  return [...new Set(hosts)].map((label) =>
    label.toLowerCase() === GATEWAY ? { label: GATEWAY, host: gatewayOf(routes) } : { label, host: label },
  );
}

function gatewayOf(routes: readonly DefaultRoute[]): string | undefined {
  const route =
    routes.find(({ family, gateway }) => family === 4 && gateway) ?? routes.find(({ gateway }) => gateway);
  const address = route?.gateway;
  return address?.startsWith('fe80:') ? `${address}%${route?.interface}` : address;
}

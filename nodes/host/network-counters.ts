import { readFile } from 'node:fs/promises';

/** Bytes received and sent since the interface came up. */
export interface Traffic {
  rx: number;
  tx: number;
}

// Loopback, and what containers, bridges and traffic shaping add: their bytes are counted on the real one too.
const VIRTUAL = /^(lo|(veth|docker|br-|virbr|vnet|cni|flannel|cali|lxc|lxdbr|ifb|dummy|sit|tunl|ip6tnl).*)$/;

/** The interfaces of `/proc/net/dev` that carry traffic of their own, by name. */
export function parseNetDev(text: string): Record<string, Traffic> {
  const found: Record<string, Traffic> = {};
  for (const [, name = '', counters = ''] of text.matchAll(/^ *([^:\s]+): *(.+)$/gm)) {
    // 16 columns: 8 received, 8 sent, bytes first.
    const columns = counters.trim().split(/\s+/).map(Number);
    const [rx, tx] = [columns[0], columns[8]];
    if (!VIRTUAL.test(name) && rx !== undefined && tx !== undefined && Number.isFinite(rx + tx))
      found[name] = { rx, tx };
  }
  return found;
}

export async function readTraffic(proc = '/proc'): Promise<Record<string, Traffic>> {
  return parseNetDev(await readFile(`${proc}/net/dev`, 'utf8'));
}

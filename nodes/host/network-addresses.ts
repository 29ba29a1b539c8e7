import { readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';

/** How this machine is connected. */
export interface Network {
  interfaces: Interface[];
  /** Where what is for nobody near goes, the one that counts first; none when the machine is cut off. */
  routes: DefaultRoute[];
  dns: Resolvers;
}

export interface Interface {
  name: string;
  /** With the length of the prefix, e.g. `192.168.1.10/24`, IPv4 first; link-local ones last. */
  addresses: string[];
}

export interface DefaultRoute {
  family: 4 | 6;
  interface: string;
  /** Address of the router; undefined where the link itself leads out, e.g. a point-to-point one. */
  gateway?: string;
  /** The lowest counts. */
  metric: number;
}

export interface Resolvers {
  /** Addresses of the name servers that are asked in the end. */
  servers: string[];
  /** The local program that programs ask first and that asks those. */
  via?: 'systemd-resolved';
}

export interface NetworkFiles {
  proc?: string;
  etc?: string;
  run?: string;
}

/** Reads all of it from the kernel and from files; starts no program and asks nobody. Never throws. */
export async function readNetwork(files: NetworkFiles = {}): Promise<Network> {
  const { proc = '/proc', etc = '/etc', run = '/run' } = files;
  const [v4, v6, own, uplink] = await Promise.all(
    [
      `${proc}/net/route`,
      `${proc}/net/ipv6_route`,
      `${etc}/resolv.conf`,
      `${run}/systemd/resolve/resolv.conf`,
    ].map((file) => readFile(file, 'utf8').catch(() => '')),
  );
  return {
    interfaces: interfacesOf(networkInterfaces()),
    routes: [...parseRoutes(v4 ?? ''), ...parseRoutes6(v6 ?? '')],
    dns: resolvers(own ?? '', uplink ?? ''),
  };
}

/** The interfaces that have an address, without loopback. */
export function interfacesOf(found: ReturnType<typeof networkInterfaces>): Interface[] {
  return Object.entries(found).flatMap(([name, addresses = []]) => {
    const own = addresses
      .filter(({ internal }) => !internal)
      .map(({ address, cidr }) => cidr ?? address)
      .sort((a, b) => rank(a) - rank(b));
    return own.length > 0 ? { name, addresses: own } : [];
  });
}

function rank(address: string): number {
  if (address.startsWith('fe80:')) return 2;
  return address.includes(':') ? 1 : 0;
}

const UP = 0x1;
const REJECT = 0x200;

/** The default routes of `/proc/net/route`, whose addresses are in the byte order of the machine. */
export function parseRoutes(text: string): DefaultRoute[] {
  const routes = rows(text).flatMap((columns): DefaultRoute[] => {
    const [name = '', destination, gateway = '', flags = '', , , metric, mask] = columns;
    if (destination !== '00000000' || mask !== '00000000' || !isOpen(flags)) return [];
    return [{ family: 4, interface: name, metric: Number(metric), ...gatewayOf(ipv4(gateway)) }];
  });
  return routes.sort((a, b) => a.metric - b.metric);
}

/** The default routes of `/proc/net/ipv6_route`. */
export function parseRoutes6(text: string): DefaultRoute[] {
  const routes = rows(text).flatMap((columns): DefaultRoute[] => {
    const [destination = '', length, , , gateway = '', metric = '', , , flags = '', name = ''] = columns;
    if (!/^0{32}$/.test(destination) || length !== '00' || name === 'lo' || !isOpen(flags)) return [];
    return [{ family: 6, interface: name, metric: Number.parseInt(metric, 16), ...gatewayOf(ipv6(gateway)) }];
  });
  return routes.sort((a, b) => a.metric - b.metric);
}

function rows(text: string): string[][] {
  return text.split('\n').flatMap((line) => {
    const columns = line.trim().split(/\s+/);
    return columns.length >= 8 ? [columns] : [];
  });
}

function isOpen(flags: string): boolean {
  const bits = Number.parseInt(flags, 16);
  return (bits & UP) !== 0 && (bits & REJECT) === 0;
}

function gatewayOf(address: string | undefined): { gateway?: string } {
  return address === undefined || /^(0\.0\.0\.0|::)$/.test(address) ? {} : { gateway: address };
}

// Little-endian, as on every machine that Node runs on.
function ipv4(hex: string): string | undefined {
  const bytes = hex.match(/[0-9a-f]{2}/gi)?.reverse();
  return bytes?.length === 4 ? bytes.map((byte) => Number.parseInt(byte, 16)).join('.') : undefined;
}

function ipv6(hex: string): string | undefined {
  const full = hex.match(/[0-9a-f]{4}/gi)?.join(':') ?? '';
  // The URL standard writes addresses in their short form.
  return isIPv6(full) ? new URL(`http://[${full}]/`).hostname.slice(1, -1) : undefined;
}

/** systemd-resolved listens on these, and keeps the real servers in a file of its own. */
const STUBS = ['127.0.0.53', '127.0.0.54'];

/**
 * @param own text of `/etc/resolv.conf`
 * @param uplink text of `/run/systemd/resolve/resolv.conf`
 */
export function resolvers(own: string, uplink: string): Resolvers {
  const servers = nameServers(own);
  if (servers.length === 0 || !servers.every((server) => STUBS.includes(server))) return { servers };
  return { servers: nameServers(uplink), via: 'systemd-resolved' };
}

function nameServers(text: string): string[] {
  return [
    ...new Set([...text.matchAll(/^[ \t]*nameserver[ \t]+([^\s#;]+)/gm)].map(([, server = '']) => server)),
  ];
}

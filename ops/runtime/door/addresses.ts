import { BlockList, isIPv6 } from 'node:net';
import type { networkInterfaces } from 'node:os';

type Interfaces = ReturnType<typeof networkInterfaces>;

// https://tailscale.com/kb/1015/100.x-addresses and https://tailscale.com/kb/1033/ip-and-dns-addresses
const TAILNET = new BlockList();
TAILNET.addSubnet('100.64.0.0', 10, 'ipv4');
TAILNET.addSubnet('fd7a:115c:a1e0::', 48, 'ipv6');
const TAILNET_6 = new BlockList();
TAILNET_6.addSubnet('fd7a:115c:a1e0::', 48, 'ipv6');
const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** An address without what a socket may add: the IPv6 form of an IPv4 address, the interface behind a `%`. */
export function plain(address = ''): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
}

/** Whether an address is of the ranges that Tailscale gives out. */
export function isOfTailnet(address: string): boolean {
  return has(TAILNET, address);
}

export function isOfLoopback(address: string): boolean {
  return has(LOOPBACK, address);
}

/**
 * This machine's own addresses in its tailnet. Internet providers give out 100.64.0.0/10 as well, so the range
 * alone does not make an address Tailscale's: the interface has its name, or an address of its IPv6 range too.
 */
export function tailnetAddresses(interfaces: Interfaces): string[] {
  return Object.entries(interfaces).flatMap(([name, entries = []]) => {
    const addresses = entries.map(({ address }) => plain(address));
    const ofTailscale = name.startsWith('tailscale') || addresses.some((address) => has(TAILNET_6, address));
    return ofTailscale ? addresses.filter(isOfTailnet) : [];
  });
}

/** Every address of this machine. */
export function ownAddresses(interfaces: Interfaces): string[] {
  return Object.values(interfaces).flatMap((entries = []) => entries.map(({ address }) => plain(address)));
}

/** What counts as one caller: anybody has 2^64 IPv6 addresses of the open internet, but one in the tailnet. */
export function whereFrom(address: string): string {
  if (!isIPv6(address) || isOfTailnet(address)) return address;
  const [head = '', tail = ''] = address.toLowerCase().split('::');
  const first = head.split(':').filter(Boolean);
  const last = address.includes('::') ? tail.split(':').filter(Boolean) : [];
  const gap = Array(Math.max(0, 8 - first.length - last.length)).fill('0');
  return `${[...first, ...gap, ...last].slice(0, 4).join(':')}::/64`;
}

/** An address as it stands in a URL. */
export function inUrl(address: string): string {
  return isIPv6(address) ? `[${address}]` : address;
}

function has(list: BlockList, address: string): boolean {
  return list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

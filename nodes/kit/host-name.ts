import { isIP, isIPv4 } from 'node:net';
import { domainToASCII } from 'node:url';

/** A link-local address names its interface: `fe80::1%eth0`. */
const ZONE = /^[A-Za-z0-9._-]{1,15}$/;
const LABEL = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/;

/**
 * An address or a host name as programs take it: `1.1.1.1`, `fe80::1%eth0`, `example.org`; a name in another
 * script in its ASCII form. Nothing that looks like an option, holds a blank, or that old resolvers take for a
 * number (`127.1`, `0x7f000001`) gets through.
 * @returns undefined when it is neither
 */
export function hostName(text: string): string | undefined {
  const [address = '', zone, ...more] = text.trim().split('%');
  if (zone !== undefined)
    return more.length === 0 && isIP(address) === 6 && ZONE.test(zone)
      ? `${address.toLowerCase()}%${zone}`
      : undefined;
  if (isIP(address)) return address.toLowerCase();
  // Of a text that holds more than a name, the URL standard would keep the part that is one.
  if (/[\s/\\?#@:[\]<>^|]/.test(address)) return undefined;
  const name = domainToASCII(address).replace(/\.$/, '');
  const labels = name.split('.');
  const isName = name.length > 0 && name.length <= 253 && labels.every((label) => LABEL.test(label));
  return isName && !isIPv4(name) && !/^(\d+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? '') ? name : undefined;
}

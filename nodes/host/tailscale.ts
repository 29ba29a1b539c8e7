import { isIPv6 } from 'node:net';
import { PotionError } from '../kit/errors.js';
import { run } from '../kit/run.js';

/** This machine in its tailnet, and the other devices there. */
export interface Tailnet {
  /** Tailscale addresses of this machine, IPv4 first; empty while it has none. */
  addresses: string[];
  /** MagicDNS name of this machine without a dot at the end, e.g. `laptop.tail1234.ts.net`; '' without one. */
  name: string;
  /** Login of whom this machine belongs to; undefined for a tagged one. */
  login?: string;
  /** Whether it is in touch with Tailscale's own servers; when not, what is said of the devices is old. */
  online: boolean;
  /** What Tailscale itself complains about, in its words. */
  health: string[];
  devices: TailnetDevice[];
}

export interface TailnetDevice {
  /** First part of its MagicDNS name, or what it calls itself. */
  name: string;
  /** e.g. `linux`, `android`. */
  os: string;
  addresses: string[];
  login?: string;
  online: boolean;
  /** Epoch ms; only of a device that is offline. */
  lastSeen?: number;
  /** Offers to be an exit node. */
  exitNode: boolean;
}

/** Who is behind an address of the tailnet. */
export interface TailnetPeer {
  /** Login of the person whose device it is; undefined for a tagged device, which belongs to nobody. */
  login?: string;
  /** Name of the device. */
  device: string;
}

// Go's zero time, which stands for "never".
const NEVER = '0001-';
// A tailnet of thousands of devices is a few MB of JSON.
const MAX_OUTPUT = 30_000_000;

/**
 * How this machine stands in its tailnet, from `tailscale status --json` (type ipnstate.Status of Tailscale).
 * @param withDevices false leaves out the other devices, which is cheaper
 * @throws PotionError UNAVAILABLE when Tailscale is not installed, not running or not logged in; FAILED, TIMEOUT
 */
export async function tailnet(withDevices = true, signal?: AbortSignal): Promise<Tailnet> {
  const args = ['status', '--json', ...(withDevices ? [] : ['--peers=false'])];
  const { stdout, stderr, truncated } = await tailscale(args, signal);
  const status = truncated ? undefined : parsed<StatusJson>(stdout);
  if (!status) throw unusable(stderr || stdout);
  if (status.BackendState !== 'Running')
    throw new PotionError('UNAVAILABLE', 'errors.tailscale-off', { state: status.BackendState ?? '' });
  return readStatus(status);
}

/**
 * Who is behind this address, from `tailscale whois --json` (type apitype.WhoIsResponse).
 * @returns undefined when the address is none of the tailnet's
 * @throws PotionError UNAVAILABLE, FAILED, TIMEOUT as {@link tailnet}
 */
export async function whois(
  address: string,
  port: number,
  signal?: AbortSignal,
): Promise<TailnetPeer | undefined> {
  // With its port, because versions before 1.48 take no address alone.
  const peer = isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
  const { exitCode, stdout, stderr } = await tailscale(['whois', '--json', peer], signal);
  if (exitCode !== 0 && /peer not found|no match for/i.test(stderr)) return undefined;
  const answer = exitCode === 0 ? parsed<WhoisJson>(stdout) : undefined;
  if (!answer?.Node) throw unusable(stderr || stdout);
  return readWhois(answer, address);
}

async function tailscale(args: string[], signal?: AbortSignal) {
  try {
    return await run('tailscale', args, { timeout: 5000, maxOutput: MAX_OUTPUT, signal });
  } catch (thrown) {
    const missing = thrown instanceof PotionError && thrown.code === 'UNAVAILABLE';
    throw missing ? new PotionError('UNAVAILABLE', 'errors.tailscale-missing') : thrown;
  }
}

function unusable(said: string): PotionError {
  const detail = said.trim().slice(0, 300);
  return /failed to connect to local tailscaled|isn't running|not running/i.test(said)
    ? new PotionError('UNAVAILABLE', 'errors.tailscale-stopped')
    : new PotionError('FAILED', 'errors.tailscale-strange', { detail });
}

interface StatusJson {
  BackendState?: string;
  Health?: string[] | null;
  Self?: DeviceJson | null;
  Peer?: Record<string, DeviceJson> | null;
  User?: Record<string, { LoginName?: string }> | null;
}

interface DeviceJson {
  HostName?: string;
  DNSName?: string;
  OS?: string;
  UserID?: number;
  TailscaleIPs?: string[] | null;
  Tags?: string[] | null;
  Online?: boolean;
  LastSeen?: string;
  ExitNodeOption?: boolean;
  ShareeNode?: boolean;
}

interface WhoisJson {
  Node?: { Name?: string; Addresses?: string[] | null; Tags?: string[] | null; Expired?: boolean } | null;
  UserProfile?: { LoginName?: string } | null;
}

function readStatus({ Health, Self, Peer, User }: StatusJson): Tailnet {
  const loginOf = ({ Tags, UserID }: DeviceJson) =>
    Tags?.length ? undefined : User?.[String(UserID)]?.LoginName || undefined;
  return {
    addresses: Self?.TailscaleIPs ?? [],
    name: withoutDot(Self?.DNSName),
    login: Self ? loginOf(Self) : undefined,
    online: Self?.Online === true,
    health: Health ?? [],
    devices: Object.values(Peer ?? {})
      // Somebody else's device, there only because something is shared with that person.
      .filter(({ ShareeNode }) => !ShareeNode)
      .map((device) => ({
        name: device.DNSName?.split('.')[0] || device.HostName || '',
        os: device.OS ?? '',
        addresses: device.TailscaleIPs ?? [],
        login: loginOf(device),
        online: device.Online === true,
        lastSeen: device.Online ? undefined : timeOf(device.LastSeen),
        exitNode: device.ExitNodeOption === true,
      })),
  };
}

/** A device that only carries the traffic of others, or whose key has run out, vouches for nobody. */
function readWhois({ Node, UserProfile }: WhoisJson, address: string): TailnetPeer {
  const itself = Node?.Addresses?.some((prefix) => prefix.split('/')[0] === address);
  const vouches = itself && !Node?.Tags?.length && !Node?.Expired;
  return {
    login: (vouches && UserProfile?.LoginName) || undefined,
    device: withoutDot(Node?.Name),
  };
}

function withoutDot(name = ''): string {
  return name.replace(/\.$/, '');
}

function timeOf(text?: string): number | undefined {
  const time = text && !text.startsWith(NEVER) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}

function parsed<T>(text: string): T | undefined {
  try {
    const value = JSON.parse(text);
    return value !== null && typeof value === 'object' ? (value as T) : undefined;
  } catch {
    return undefined;
  }
}

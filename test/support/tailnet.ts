import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Asked, Replied } from './tailnet-peer.ts';

/** Addresses of the laptop, which runs Potion, and its MagicDNS name. */
export const LAPTOP = { v4: '100.64.0.1', v6: 'fd7a:115c:a1e0::1', name: 'laptop.tail1234.ts.net' };
/** A network at home that has nothing to do with Tailscale: the laptop, and a neighbour. */
export const LAN = { laptop: '192.0.2.1', neighbour: '192.0.2.9' };
export const ME = 'me@example.com';

/** Devices in the tailnet, by address. Tailscale's own answers know no tagged device's person. */
const DEVICES = {
  '100.64.0.7': { name: 'phone', login: ME, os: 'android' },
  'fd7a:115c:a1e0::7': { name: 'phone', login: ME, os: 'android' },
  '100.64.0.8': { name: 'guest', login: 'guest@example.com', os: 'windows' },
  '100.64.0.9': { name: 'ci', tags: ['tag:ci'], os: 'linux' },
};
const FAKE = join(dirname(fileURLToPath(import.meta.url)), 'tailscale.sh');
const PEER = join(dirname(fileURLToPath(import.meta.url)), 'tailnet-peer.ts');
let count = 0;

/**
 * A tailnet of network namespaces: the laptop with a `tailscale0`, and its peers, whose connections really come
 * from their addresses. In the laptop `tailscale` is a program that prints what the real one does.
 */
export class Tailnet {
  readonly #id = `pot${process.pid % 10000}x${count++}`;
  /** Answers of the fake program, its log, and switches. */
  readonly folder = mkdtempSync(join(tmpdir(), 'potion-tailnet-'));
  readonly #agents = new Map<string, Agent>();

  /** @param online whether Tailscale has given the laptop its addresses already */
  constructor(online = true) {
    for (const space of [this.#laptop, this.#peers]) {
      // Of a test that was killed.
      if (existsSync(`/run/netns/${space}`)) ip('netns', 'del', space);
      ip('netns', 'add', space);
    }
    for (const space of [this.#laptop, this.#peers]) ip('-n', space, 'link', 'set', 'lo', 'up');
    for (const [own, other] of [
      ['tailscale0', 'tail'],
      ['lan0', 'lan'],
    ] as const) {
      ip(
        'link',
        'add',
        own,
        'netns',
        this.#laptop,
        'type',
        'veth',
        'peer',
        'name',
        other,
        'netns',
        this.#peers,
      );
      ip('-n', this.#laptop, 'link', 'set', own, 'up');
      ip('-n', this.#peers, 'link', 'set', other, 'up');
    }
    this.#address(this.#laptop, `${LAN.laptop}/24`, 'lan0');
    this.#address(this.#peers, `${LAN.neighbour}/24`, 'lan');
    for (const device of Object.keys(DEVICES)) this.#address(this.#peers, host(device), 'tail');
    ip('-n', this.#peers, 'route', 'add', `${LAPTOP.v4}/32`, 'dev', 'tail');
    ip('-n', this.#peers, '-6', 'route', 'add', `${LAPTOP.v6}/128`, 'dev', 'tail');
    this.#writeAnswers();
    if (online) this.up();
  }

  get #laptop(): string {
    return `${this.#id}l`;
  }

  get #peers(): string {
    return `${this.#id}p`;
  }

  /** What to put before a command that shall run on the laptop. */
  get within(): string[] {
    // First in the fixed PATH of programs that Potion runs, and only in this process's view of the files.
    const mount = `mount --bind '${this.folder}' /usr/local/sbin && exec "$@"`;
    return [...this.#enter(this.#laptop), 'unshare', '--mount', 'sh', '-c', mount, 'sh'];
  }

  /** What to put before a command that shall run on a device that comes from this address. */
  from(device: keyof typeof DEVICES): string[] {
    ip('-n', this.#peers, 'route', 'replace', `${LAPTOP.v4}/32`, 'dev', 'tail', 'src', device);
    return this.#enter(this.#peers);
  }

  /** Tailscale gives the laptop its addresses. */
  up(addresses = [LAPTOP.v4, LAPTOP.v6]): void {
    for (const address of addresses) this.#address(this.#laptop, host(address), 'tailscale0');
    for (const device of Object.keys(DEVICES))
      ip('-n', this.#laptop, 'route', 'replace', host(device), 'dev', 'tailscale0');
  }

  /** It takes this one away again. */
  down(address: string): void {
    ip('-n', this.#laptop, 'address', 'del', host(address), 'dev', 'tailscale0');
  }

  /** The daemon stops; the addresses may stay. */
  stopped(yes: boolean): void {
    if (yes) writeFileSync(join(this.folder, 'stopped'), '');
    else rmSync(join(this.folder, 'stopped'), { force: true });
  }

  /** Another person logs in on a device. */
  hand(device: keyof typeof DEVICES, login: string): void {
    this.#write(`whois-${device}.json`, whoisOf(device, { ...DEVICES[device], login }));
  }

  /** How often Potion has run `tailscale whois`. */
  whoisCalls(): number {
    return readFileSync(join(this.folder, 'calls'), 'utf8')
      .split('\n')
      .filter((call) => /^whois/.test(call)).length;
  }

  /** A request from an address of a peer, or of the laptop itself. @param opened its web socket is open */
  ask(from: string, asked: Asked, opened?: () => void): Promise<Replied> {
    const space = Object.values(LAPTOP).includes(from) || from === '127.0.0.1' || from === LAN.laptop;
    return this.#agent(space ? this.#laptop : this.#peers).ask({ from, ...asked }, opened);
  }

  stop(): void {
    for (const agent of this.#agents.values()) agent.stop();
    for (const space of [this.#laptop, this.#peers]) ip('netns', 'del', space);
    rmSync(this.folder, { recursive: true, force: true });
  }

  #agent(space: string): Agent {
    const agent = this.#agents.get(space) ?? new Agent(this.#enter(space));
    this.#agents.set(space, agent);
    return agent;
  }

  #enter(space: string): string[] {
    return ['nsenter', `--net=/run/netns/${space}`];
  }

  #address(space: string, address: string, device: string): void {
    // Without the wait for an answer that somebody else has the address, during which it can't be used.
    const nodad = address.includes(':') ? ['nodad'] : [];
    ip('-n', space, 'address', 'add', address, 'dev', device, ...nodad);
  }

  #writeAnswers(): void {
    writeFileSync(join(this.folder, 'tailscale'), readFileSync(FAKE));
    chmodSync(join(this.folder, 'tailscale'), 0o755);
    writeFileSync(join(this.folder, 'calls'), '');
    this.#write('status.json', statusOf());
    for (const [address, device] of Object.entries(DEVICES))
      this.#write(`whois-${address}.json`, whoisOf(address, device));
    // Tailscale knows this machine as well, as its owner's.
    this.#write(`whois-${LAPTOP.v4}.json`, whoisOf(LAPTOP.v4, { name: 'laptop', login: ME, os: 'linux' }));
  }

  #write(name: string, answer: object): void {
    writeFileSync(join(this.folder, name), JSON.stringify(answer, null, 2));
  }
}

/** A program in a namespace that asks in its name. */
class Agent {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (reply: Replied) => void>();
  readonly #opened = new Map<number, () => void>();
  #last = 0;

  constructor([program = '', ...enter]: string[]) {
    this.#child = spawn(program, [...enter, process.execPath, PEER], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child.on('message', ({ id, reply }: { id: number; reply?: Replied }) => {
      if (!reply) {
        this.#opened.get(id)?.();
        return;
      }
      this.#waiting.get(id)?.(reply);
      this.#waiting.delete(id);
      this.#opened.delete(id);
    });
  }

  ask(asked: Asked & { from: string }, opened?: () => void): Promise<Replied> {
    const id = ++this.#last;
    if (opened) this.#opened.set(id, opened);
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#child.send({ id, asked });
    });
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }
}

interface Device {
  name: string;
  os: string;
  login?: string;
  tags?: string[];
}

/** As `tailscale whois --json` prints (apitype.WhoIsResponse), shortened where nothing is read. */
function whoisOf(address: string, { name, os, login, tags }: Device): object {
  return {
    Node: {
      ID: 4711,
      StableID: 'nStable11CNTRL',
      Name: `${name}.tail1234.ts.net.`,
      User: 12345,
      Key: 'nodekey:0000',
      KeyExpiry: '2027-01-01T00:00:00Z',
      Addresses: [host(address)],
      AllowedIPs: [host(address)],
      Hostinfo: { OS: os, Hostname: name, Services: [] },
      Created: '2026-01-01T00:00:00Z',
      ...(tags ? { Tags: tags } : {}),
      MachineAuthorized: true,
      ComputedName: name,
      ComputedNameWithHost: name,
    },
    UserProfile: {
      ID: 12345,
      LoginName: tags ? 'tagged-devices' : login,
      DisplayName: tags ? 'Tagged Devices' : 'Somebody',
      ProfilePicURL: '',
      Roles: [],
    },
    CapMap: {},
  };
}

/** As `tailscale status --json` prints (ipnstate.Status). */
function statusOf(): object {
  const device = ({ name, os, tags }: Device, addresses: string[], more: object) => ({
    ID: 'nStable11CNTRL',
    PublicKey: 'nodekey:0000',
    HostName: name,
    DNSName: `${name}.tail1234.ts.net.`,
    OS: os,
    UserID: tags ? 99 : 12345,
    TailscaleIPs: addresses,
    ...(tags ? { Tags: tags } : {}),
    Relay: 'sin',
    LastSeen: '0001-01-01T00:00:00Z',
    Online: true,
    ExitNode: false,
    ExitNodeOption: false,
    Active: false,
    ...more,
  });
  return {
    Version: '1.84.0-tfake',
    TUN: true,
    BackendState: 'Running',
    AuthURL: '',
    TailscaleIPs: [LAPTOP.v4, LAPTOP.v6],
    Self: device({ name: 'laptop', os: 'linux' }, [LAPTOP.v4, LAPTOP.v6], {}),
    Health: [],
    MagicDNSSuffix: 'tail1234.ts.net',
    CurrentTailnet: { Name: ME, MagicDNSSuffix: 'tail1234.ts.net', MagicDNSEnabled: true },
    Peer: {
      'nodekey:01': device(DEVICES['100.64.0.7'], ['100.64.0.7', 'fd7a:115c:a1e0::7'], {}),
      'nodekey:02': device(DEVICES['100.64.0.9'], ['100.64.0.9'], {
        Online: false,
        LastSeen: '2026-11-20T10:00:00.4Z',
        ExitNodeOption: true,
      }),
      'nodekey:03': device(DEVICES['100.64.0.8'], ['100.64.0.8'], { ShareeNode: true }),
    },
    User: {
      12345: { ID: 12345, LoginName: ME, DisplayName: 'Me', ProfilePicURL: '' },
      99: { ID: 99, LoginName: 'tagged-devices', DisplayName: 'Tagged Devices', ProfilePicURL: '' },
    },
    ClientVersion: null,
  };
}

function host(address: string): string {
  return `${address}/${address.includes(':') ? 128 : 32}`;
}

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

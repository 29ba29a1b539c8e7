import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { networkInterfaces } from 'node:os';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import {
  interfacesOf,
  type Network,
  parseRoutes,
  parseRoutes6,
  readNetwork,
  resolvers,
} from '../../nodes/host/network-addresses.js';
import { needs } from '../support/needs.ts';
import { HOME } from '../support/node-red.ts';

describe('the addresses of this machine', () => {
  it('stand by interface with their prefix, IPv4 first, link-local last, without loopback', () => {
    const one = (address: string, cidr: string, internal = false) =>
      ({ address, cidr, internal, family: 'IPv4', netmask: '', mac: '' }) as const;
    const found = {
      lo: [one('127.0.0.1', '127.0.0.1/8', true)],
      eth0: [
        one('fe80::1', 'fe80::1/64'),
        one('2001:db8::1', '2001:db8::1/64'),
        one('192.0.2.2', '192.0.2.2/24'),
      ],
    } as unknown as ReturnType<typeof networkInterfaces>;
    assert.deepEqual(interfacesOf(found), [
      { name: 'eth0', addresses: ['192.0.2.2/24', '2001:db8::1/64', 'fe80::1/64'] },
    ]);
  });

  it('come with the default routes alone, the one that counts first', () => {
    const routes = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
wlan0	00000000	FE01A8C0	0003	0	0	600	00000000	0	0	0
eth0	00000000	0101A8C0	0003	0	0	100	00000000	0	0	0
eth0	0001A8C0	00000000	0001	0	0	100	00FFFFFF	0	0	0
ppp0	00000000	00000000	0001	0	0	900	00000000	0	0	0
eth1	00000000	0101A8C0	0203	0	0	1	00000000	0	0	0
`;
    assert.deepEqual(parseRoutes(routes), [
      { family: 4, interface: 'eth0', metric: 100, gateway: '192.168.1.1' },
      { family: 4, interface: 'wlan0', metric: 600, gateway: '192.168.1.254' },
      { family: 4, interface: 'ppp0', metric: 900 },
    ]);
  });

  it('come with IPv6’s default routes, in short form', () => {
    const zero = '0'.repeat(32);
    const routes = `${zero} 00 ${zero} 00 fe80000000000000021122fffe334455 00000400 00000001 00000000 00000003     eth0
${zero} 00 ${zero} 00 ${zero} ffffffff 00000001 00000000 00200200       lo
20010db8000000000000000000000000 40 ${zero} 00 ${zero} 00000100 00000001 00000000 00000001     eth0
`;
    assert.deepEqual(parseRoutes6(routes), [
      { family: 6, interface: 'eth0', metric: 1024, gateway: 'fe80::211:22ff:fe33:4455' },
    ]);
  });

  it('come with the name servers, the real ones where systemd-resolved stands before them', () => {
    const uplink = 'nameserver 1.1.1.1\nnameserver fe80::1%eth0\n';
    assert.deepEqual(resolvers('nameserver 127.0.0.53\noptions edns0', uplink), {
      servers: ['1.1.1.1', 'fe80::1%eth0'],
      via: 'systemd-resolved',
    });
    assert.deepEqual(
      resolvers('# nameserver 9.9.9.9\nnameserver\t192.168.1.1 # router\nnameserver 192.168.1.1', uplink),
      {
        servers: ['192.168.1.1'],
      },
    );
    assert.deepEqual(resolvers('', uplink), { servers: [] });
  });

  it('are read from whatever the files say, without failing', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'potion-net-'));
    try {
      for (const part of ['net', 'systemd/resolve']) mkdirSync(join(folder, part), { recursive: true });
      await fc.assert(
        fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 300 }), async (text) => {
          for (const file of ['net/route', 'net/ipv6_route', 'resolv.conf', 'systemd/resolve/resolv.conf'])
            writeFileSync(join(folder, file), text);
          const { routes, dns } = await readNetwork({ proc: folder, etc: folder, run: folder });
          assert.ok(Array.isArray(routes) && Array.isArray(dns.servers));
        }),
        { numRuns: 50 },
      );
      const { routes, dns } = await readNetwork({ proc: '/nowhere', etc: '/nowhere', run: '/nowhere' });
      assert.deepEqual({ routes, dns }, { routes: [], dns: { servers: [] } });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('are those that the kernel has, in a namespace with routes of all kinds', function () {
    needs(this, 'root', 'iproute2');
    const space = `potn${process.pid % 10000}`;
    const ip = (...args: string[]) => execFileSync('ip', args, { encoding: 'utf8' });
    ip('netns', 'add', space);
    try {
      ip('-n', space, 'link', 'add', 'v0', 'type', 'veth', 'peer', 'name', 'v1');
      for (const link of ['lo', 'v0', 'v1']) ip('-n', space, 'link', 'set', link, 'up');
      ip('-n', space, 'addr', 'add', '10.1.2.3/24', 'dev', 'v0');
      ip('-n', space, 'addr', 'add', 'fd12::3/64', 'dev', 'v0', 'nodad');
      ip('-n', space, 'route', 'add', 'default', 'via', '10.1.2.254', 'metric', '50');
      ip('-n', space, 'route', 'add', 'default', 'dev', 'v1', 'metric', '70');
      ip('-n', space, 'route', 'add', 'unreachable', 'default', 'metric', '10');
      ip('-n', space, '-6', 'route', 'add', 'default', 'via', 'fd12::1', 'dev', 'v0');
      const script = `require('./nodes/host/network-addresses.js').readNetwork().then((n) => console.log(JSON.stringify(n)))`;
      const said = execFileSync('ip', ['netns', 'exec', space, process.execPath, '-e', script], {
        cwd: HOME,
      });
      const { routes, interfaces }: Network = JSON.parse(said.toString());
      assert.deepEqual(routes, [
        { family: 4, interface: 'v0', metric: 50, gateway: '10.1.2.254' },
        { family: 4, interface: 'v1', metric: 70 },
        { family: 6, interface: 'v0', metric: 1024, gateway: 'fd12::1' },
      ]);
      assert.deepEqual(interfaces.find(({ name }) => name === 'v0')?.addresses.slice(0, 2), [
        '10.1.2.3/24',
        'fd12::3/64',
      ]);
    } finally {
      ip('netns', 'del', space);
    }
  });
});

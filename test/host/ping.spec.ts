import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { type PingResult, parsePing } from '../../nodes/host/ping.js';
import { needs } from '../support/needs.ts';
import { HOME } from '../support/node-red.ts';

const read = (stdout: string, stderr = '') => parsePing('host', stdout, stderr);

describe('what ping prints', () => {
  it('is read with its counts and times in seconds', () => {
    const output = `PING 1.1.1.1 (1.1.1.1) 56(84) bytes of data.
64 bytes from 1.1.1.1: icmp_seq=1 ttl=57 time=12.3 ms

--- 1.1.1.1 ping statistics ---
4 packets transmitted, 4 received, 0% packet loss, time 3004ms
rtt min/avg/max/mdev = 11.804/12.512/13.990/0.862 ms`;
    assert.deepEqual(read(output), {
      host: 'host',
      address: '1.1.1.1',
      sent: 4,
      received: 4,
      duplicates: 0,
      loss: 0,
      min: 0.011804,
      avg: 0.012512,
      max: 0.01399,
      jitter: 0.000862,
    });
  });

  it('is read with loss, errors, duplicates and a pipe', () => {
    const output = `PING nas.lan (192.168.1.5) 56(84) bytes of data.
From 192.168.1.1 icmp_seq=2 Redirect Host(New nexthop: 192.168.1.5)

--- nas.lan ping statistics ---
6 packets transmitted, 4 received, +2 duplicates, +1 errors, 33.3333% packet loss, time 5060ms
rtt min/avg/max/mdev = 0.2/0.3/0.4/0.1 ms, pipe 2`;
    const { sent, received, duplicates, loss, address, problem } = read(output) as PingResult;
    assert.deepEqual(
      { sent, received, duplicates, address, problem },
      {
        sent: 6,
        received: 4,
        duplicates: 2,
        address: '192.168.1.5',
        problem: undefined,
      },
    );
    assert.ok(Math.abs(loss - 1 / 3) < 1e-9);
  });

  it('is read for IPv6, with the zone of a link-local address too', () => {
    const of = (first: string) =>
      read(`${first}\n--- x ping statistics ---\n1 packets transmitted, 1 received, 0% packet loss, time 0ms`)
        ?.address;
    assert.equal(of('PING ::1(::1) 56 data bytes'), '::1');
    assert.equal(of('PING example.org(2606:2800:21f:cb07::1) 56 data bytes'), '2606:2800:21f:cb07::1');
    assert.equal(of('PING fe80::1%eth0(fe80::1%eth0) 56 data bytes'), 'fe80::1%eth0');
  });

  const lost = (said: string) => `PING 10.9.9.7 (10.9.9.7) 56(84) bytes of data.
${said}

--- 10.9.9.7 ping statistics ---
4 packets transmitted, 0 received, +4 errors, 100% packet loss, time 3065ms
pipe 4`;
  const problems: [string, string, string, string | undefined][] = [
    [
      'a host that nobody on the link knows',
      lost('From 10.9.9.1 icmp_seq=1 Destination Host Unreachable'),
      '',
      'unreachable',
    ],
    ['a firewall that says no', lost('From 10.9.9.1 icmp_seq=1 Packet filtered'), '', 'filtered'],
    ['one that prohibits it', lost('From 10.9.9.1 icmp_seq=1 Destination Net Prohibited'), '', 'filtered'],
    ['a loop on the way', lost('From 10.9.9.1 icmp_seq=1 Time to live exceeded'), '', 'unreachable'],
    ['silence', lost(''), '', undefined],
    ['a name that there is not', '', 'ping: nosuch.invalid: Name or service not known', 'unknown-host'],
    [
      'a name without an address of that kind',
      '',
      'ping: x: No address associated with hostname',
      'unknown-host',
    ],
    [
      'name servers that do not answer',
      '',
      'ping: example.org: Temporary failure in name resolution',
      'no-dns',
    ],
    ['no default route', '', 'ping: connect: Network is unreachable', 'no-route'],
    ['a route that rejects', '', 'ping: connect: No route to host', 'no-route'],
    ['a link that went away', lost(''), 'ping: sendmsg: Network is unreachable', 'no-route'],
  ];
  for (const [what, stdout, stderr, problem] of problems)
    it(`tells of ${what}`, () => {
      const result = read(stdout, stderr);
      assert.equal(result?.problem, problem);
      assert.equal(result?.received, 0);
      assert.equal(result?.loss, 1);
      assert.equal(result?.avg, undefined);
    });

  it('is no result when it says neither', () => {
    assert.equal(read('', 'ping: socket: Operation not permitted'), undefined);
    assert.equal(read('', ''), undefined);
    assert.equal(read('PING 1.1.1.1 (1.1.1.1) 56(84) bytes of data.\n'), undefined);
  });

  it('is always read to a loss between 0 and 1, whatever it is', () => {
    const words = fc.constantFrom(
      ...[
        '4 packets transmitted, ',
        '9 received, ',
        '+2 duplicates, ',
        '+1 errors, ',
        '100% packet loss',
        '\n',
      ],
      ...['rtt min/avg/max/mdev = 1/2/3/4 ms', 'PING a (1.1.1.1)', 'unreachable', 'From ', '0 '],
    );
    const output = fc
      .array(fc.oneof(words, fc.string({ maxLength: 5 })), { maxLength: 20 })
      .map((all) => all.join(''));
    fc.assert(
      fc.property(output, output, (stdout, stderr) => {
        const result = read(stdout, stderr);
        if (result) assert.ok(result.loss >= 0 && result.loss <= 1, JSON.stringify(result));
      }),
    );
  });
});

describe('ping between two namespaces', function () {
  this.timeout(30_000);
  const [here, there] = [`potp${process.pid % 10000}a`, `potp${process.pid % 10000}b`];
  const ip = (...args: string[]) => execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'pipe'] });

  before(function () {
    needs(this, 'root', 'iproute2', 'ping');
    for (const space of [here, there]) ip('netns', 'add', space);
    ip('-n', here, 'link', 'add', 'v0', 'type', 'veth', 'peer', 'name', 'v0', 'netns', there);
    [here, there].forEach((space, i) => {
      for (const address of [`10.9.9.${i + 1}/24`, `fd09::${i + 1}/64`])
        ip('-n', space, 'addr', 'add', address, 'dev', 'v0', ...(address.includes(':') ? ['nodad'] : []));
      for (const link of ['lo', 'v0']) ip('-n', space, 'link', 'set', link, 'up');
    });
    ip('-n', here, 'route', 'add', 'unreachable', '192.0.2.0/24');
  });
  after(() => {
    for (const space of [here, there])
      try {
        ip('netns', 'del', space);
      } catch {
        // It was not made.
      }
  });

  const ask = async (host: string): Promise<PingResult & { code?: string }> => {
    const script = `require('./nodes/host/ping.js').ping(process.argv[1]).then((value) => value, ({ code, hint }) => ({ code, hint }))
      .then((value) => console.log(JSON.stringify(value)))`;
    const args = ['netns', 'exec', here, process.execPath, '-e', script, '--', host];
    const { stdout } = await promisify(execFile)('ip', args, { cwd: HOME });
    return JSON.parse(stdout);
  };

  it('reaches the other one, over IPv4 and IPv6', async () => {
    const results = await Promise.all(['10.9.9.2', 'fd09::2'].map(ask));
    for (const { sent, received, loss, avg = 0 } of results) {
      assert.deepEqual({ sent, received, loss }, { sent: 4, received: 4, loss: 0 });
      assert.ok(avg > 0 && avg < 1);
    }
  });

  it('counts what is lost while the other one is silent', async () => {
    const silent = (value: number) =>
      execFileSync('ip', ['netns', 'exec', there, 'sysctl', '-qw', `net.ipv4.icmp_echo_ignore_all=${value}`]);
    silent(1);
    const asked = ask('10.9.9.2');
    await sleep(2600);
    silent(0);
    const { sent, received, loss } = await asked;
    assert.equal(received, 4);
    assert.ok(sent >= 6 && sent <= 8, `${sent} sent`);
    assert.equal(loss, 1 - 4 / sent);
  });

  it('says why nothing comes back', async () => {
    const [nobody, noRoute, rejected, noDns] = await Promise.all(
      ['10.9.9.7', '198.51.100.1', '192.0.2.1', 'nosuch.example.org'].map(ask),
    );
    assert.equal(nobody?.problem, 'unreachable');
    assert.equal(noRoute?.problem, 'no-route');
    assert.equal(rejected?.problem, 'no-route');
    assert.equal(noDns?.problem, 'no-dns');
  });

  it('hands nothing to the program that is no host', async () => {
    for (const host of ['-f', '--help', '10.9.9.2 -f', '$(id)'])
      assert.equal((await ask(host)).code, 'INVALID', host);
  });
});

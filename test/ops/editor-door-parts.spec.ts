import assert from 'node:assert/strict';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { networkInterfaces } from 'node:os';
import fc from 'fast-check';
import { isOfTailnet, plain, tailnetAddresses, whereFrom } from '../../ops/runtime/door/addresses.js';
import { onlyThroughDoor } from '../../ops/runtime/door/gate.js';
import { LoginLimiter } from '../../ops/runtime/door/limiter.js';
import { fromOwnPage, hostName } from '../../ops/runtime/door/origin.js';
import { isForLogin, pathOf } from '../../ops/runtime/door/public.js';

describe('addresses at the editor’s door', () => {
  it('are the tailnet’s in 100.64.0.0/10 and fd7a:115c:a1e0::/48 alone', () => {
    for (const inside of ['100.64.0.0', '100.127.255.255', 'fd7a:115c:a1e0::1', 'FD7A:115C:A1E0:ab::'])
      assert.ok(isOfTailnet(inside), inside);
    for (const outside of ['100.63.255.255', '100.128.0.0', '10.0.0.1', 'fd7a:115c:a1e1::1', '::1', 'x', ''])
      assert.ok(!isOfTailnet(outside), outside);
  });

  it('are read without what sockets add', () => {
    assert.equal(plain('::ffff:100.64.0.7'), '100.64.0.7');
    assert.equal(plain('fe80::1%eth0'), 'fe80::1');
    assert.equal(plain(undefined), '');
  });

  it('are not Tailscale’s own because a provider gives out the same range', () => {
    const entries = (...addresses: string[]) => addresses.map((address) => ({ address }));
    const interfaces = {
      lo: entries('127.0.0.1', '::1'),
      wwan0: entries('100.70.1.2'),
      tailscale0: entries('100.64.0.1', 'fe80::1'),
      utun5: entries('100.64.9.9', 'fd7a:115c:a1e0::9'),
    } as unknown as ReturnType<typeof networkInterfaces>;
    assert.deepEqual(tailnetAddresses(interfaces), ['100.64.0.1', '100.64.9.9', 'fd7a:115c:a1e0::9']);
  });

  it('count as one caller where one caller has many', () => {
    assert.equal(whereFrom('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64');
    assert.equal(whereFrom('2001:db8::6'), '2001:db8:0:0::/64');
    assert.equal(whereFrom('::1'), '0:0:0:0::/64');
    assert.equal(whereFrom('fd7a:115c:a1e0::7'), 'fd7a:115c:a1e0::7', 'a device has one in the tailnet');
    assert.equal(whereFrom('192.0.2.9'), '192.0.2.9');
  });
});

describe('requests at the editor’s door', () => {
  it('are from an own page only with its own origin, port included', () => {
    const own = (headers: IncomingHttpHeaders) => fromOwnPage({ host: 'laptop:1880', ...headers });
    assert.ok(own({}));
    assert.ok(own({ origin: 'http://laptop:1880' }));
    for (const origin of [
      'http://laptop',
      'http://laptop:3000',
      'http://laptop:1880.evil.example',
      'null',
      '',
    ])
      assert.ok(!own({ origin }), origin);
    assert.ok(!own({ 'sec-fetch-site': 'same-site' }));
    assert.ok(!own({ origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' }));
  });

  it('name their host with or without a port', () => {
    assert.equal(hostName({ host: 'Laptop.tail1234.ts.net:1880' }), 'laptop.tail1234.ts.net');
    assert.equal(hostName({ host: '[fd7a:115c:a1e0::1]:1880' }), 'fd7a:115c:a1e0::1');
    assert.equal(hostName({ host: '127.0.0.1.evil.example' }), '127.0.0.1.evil.example');
  });

  it('have a path only when it can be read in one way', () => {
    for (const path of ['/', '/flows', '/icons/node-red/a%20b.svg', '/nodes/@x%2fy'])
      assert.equal(pathOf(path), path);
    assert.equal(pathOf('/flows?a=/../b#c'), '/flows');
    for (const path of [
      '/red/../flows',
      '/red/%2e%2e/flows',
      '/red%2f..%2fflows',
      '//x',
      '/a//b',
      '/%',
      '/\\x',
    ])
      assert.equal(pathOf(path), '', path);
  });

  it('for the login’s page never lead out of its folders', () => {
    fc.assert(
      fc.property(fc.webPath(), fc.constantFrom('red', 'theme', 'icons'), (rest, folder) => {
        const path = pathOf(`/${folder}${rest}`);
        if (!isForLogin('GET', path)) return;
        const { pathname } = new URL(path, 'http://x');
        assert.ok(pathname === '/theme' || pathname.startsWith(`/${folder}/`), path);
      }),
    );
    assert.ok(!isForLogin('POST', '/red/red.min.js'));
    assert.ok(!isForLogin('GET', '/potion/chat/events'));
  });

  it('that did not come through it are answered by nobody', () => {
    let status = 0;
    const response = {
      writeHead: (code: number) => {
        status = code;
        return { end() {} };
      },
    } as unknown as ServerResponse;
    onlyThroughDoor({} as IncomingMessage, response, () => assert.fail('it passed'));
    assert.equal(status, 503);
  });
});

describe('guessing the editor’s password', () => {
  /** Tries at once whenever it may; the waits before each try, in seconds. */
  const guess = (limiter: LoginLimiter, peer: string, tries: number, start = 1000) => {
    let now = start;
    return Array.from({ length: tries }, () => {
      const wait = limiter.begin(peer, now);
      now += wait;
      assert.equal(wait > 0 ? limiter.begin(peer, now) : 0, 0, 'after the wait it may');
      return wait / 1000;
    });
  };

  it('costs 5 s after five wrong ones, then twice as much each time, up to 15 minutes', () => {
    const waits = guess(new LoginLimiter(), 'a', 15);
    assert.deepEqual(waits, [0, 0, 0, 0, 0, 5, 10, 20, 40, 80, 160, 320, 640, 900, 900]);
  });

  it('costs nothing more for asking too early', () => {
    const limiter = new LoginLimiter();
    guess(limiter, 'a', 5);
    for (let i = 0; i < 100; i++) assert.equal(limiter.begin('a', 2000), 4000);
  });

  it('is forgotten after the right one, and an hour after the last wrong one', () => {
    const limiter = new LoginLimiter();
    guess(limiter, 'a', 4);
    limiter.begin('a', 1000);
    limiter.success('a');
    assert.deepEqual(guess(limiter, 'a', 5), [0, 0, 0, 0, 0]);
    assert.equal(limiter.begin('a', 1000 + 3_600_000), 0);
    assert.equal(limiter.begin('a', 1000 + 3_600_000), 0);
  });

  it('from many addresses makes all wait but those who have been in, and them never over a minute', () => {
    const limiter = new LoginLimiter();
    limiter.begin('owner', 0);
    limiter.success('owner');
    for (let i = 0; i < 30; i++) assert.equal(limiter.begin(`robot ${i}`, 1000), 0, String(i));
    assert.equal(limiter.begin('robot 31', 1000), 5000);
    assert.equal(limiter.begin('newcomer', 1000), 5000);
    assert.equal(limiter.begin('owner', 1000), 0);
    let now = 1000;
    for (let i = 0; i < 20; i++) {
      now += limiter.begin(`more ${i}`, now);
      limiter.begin(`more ${i}`, now);
    }
    assert.equal(limiter.begin('newcomer', now), 60_000);
  });

  it('is told once for each guesser', () => {
    const limiter = new LoginLimiter();
    guess(limiter, 'a', 4);
    assert.equal(limiter.untold('a'), undefined);
    guess(limiter, 'a', 3);
    assert.equal(limiter.untold('a'), 'peer');
    assert.equal(limiter.untold('a'), undefined);
    assert.equal(limiter.untold('b'), undefined);
  });

  it('never gets more than five tries at once, whoever tries how', () => {
    const step = fc.record({ peer: fc.constantFrom('a', 'b', 'c'), after: fc.nat(4), right: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const limiter = new LoginLimiter();
        const wrong = new Map<string, number>();
        let now = 0;
        for (const { peer, after, right } of steps) {
          now += after;
          if (limiter.begin(peer, now) > 0) continue;
          if (right) limiter.success(peer);
          wrong.set(peer, right ? 0 : (wrong.get(peer) ?? 0) + 1);
          assert.ok(
            (wrong.get(peer) ?? 0) <= 5,
            `${peer} has guessed ${wrong.get(peer)} times within ${now} ms`,
          );
        }
      }),
    );
  });
});

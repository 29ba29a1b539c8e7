import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Tailnet as Answer, TailnetPeer } from '../../nodes/host/tailscale.js';
import { needs } from '../support/needs.ts';
import { HOME } from '../support/node-red.ts';
import { LAPTOP, ME, Tailnet } from '../support/tailnet.ts';

interface Failure {
  code: string;
  message: string;
  hint: string;
}

describe('tailscale', function () {
  this.timeout(20_000);
  let tailnet: Tailnet;
  before(function () {
    needs(this, 'root', 'iproute2');
    tailnet = new Tailnet();
  });
  after(() => tailnet?.stop());

  /** What a call gives where the program `tailscale` is the one of the test. */
  const call = <T>(code: string, within = tailnet.within): T => {
    const script = `const { tailnet, whois } = require('./nodes/host/tailscale.js');
      ${code}.then((value) => value ?? null, ({ code, message, hint }) => ({ code, message, hint }))
        .then((value) => console.log(JSON.stringify(value)))`;
    const [program = '', ...args] = [...within, process.execPath, '-e', script];
    return JSON.parse(execFileSync(program, args, { cwd: HOME, encoding: 'utf8' }));
  };
  const put = (name: string, change: (answer: Record<string, object>) => object) => {
    const file = join(tailnet.folder, name);
    const answer = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify(change(answer)));
    return () => writeFileSync(file, JSON.stringify(answer));
  };

  it('tells of this machine and of the devices, but not of those only shared with', () => {
    assert.deepEqual(call<Answer>('tailnet()'), {
      addresses: [LAPTOP.v4, LAPTOP.v6],
      name: LAPTOP.name,
      login: ME,
      online: true,
      health: [],
      devices: [
        {
          name: 'phone',
          os: 'android',
          addresses: ['100.64.0.7', 'fd7a:115c:a1e0::7'],
          login: ME,
          online: true,
          exitNode: false,
        },
        {
          name: 'ci',
          os: 'linux',
          addresses: ['100.64.0.9'],
          online: false,
          lastSeen: Date.UTC(2026, 10, 20, 10, 0, 0, 400),
          exitNode: true,
        },
      ],
    });
  });

  it('vouches for the person whose device it is', () => {
    assert.deepEqual(call<TailnetPeer>("whois('100.64.0.7', 4000)"), {
      login: ME,
      device: 'phone.tail1234.ts.net',
    });
    assert.equal(call<TailnetPeer>("whois('fd7a:115c:a1e0::7', 4000)").login, ME);
  });

  it('vouches for nobody on a tagged device, an expired one, or behind a subnet router', () => {
    assert.deepEqual(call<TailnetPeer>("whois('100.64.0.9', 1)"), { device: 'ci.tail1234.ts.net' });
    for (const spoil of [{ Expired: true }, { Addresses: ['100.64.0.77/32'] }, { Addresses: null }]) {
      const mend = put('whois-100.64.0.7.json', ({ Node, ...rest }) => ({
        ...rest,
        Node: { ...Node, ...spoil },
      }));
      assert.equal(call<TailnetPeer>("whois('100.64.0.7', 1)").login, undefined, JSON.stringify(spoil));
      mend();
    }
    assert.equal(call("whois('192.0.2.9', 1)"), null, 'no device of the tailnet');
  });

  it('says what is the matter, and what to do', () => {
    tailnet.stopped(true);
    for (const asked of ['tailnet()', "whois('100.64.0.7', 1)"]) {
      const { code, message, hint } = call<Failure>(asked);
      assert.deepEqual([code, message], ['UNAVAILABLE', 'Tailscale is not running']);
      assert.match(hint, /systemctl enable --now tailscaled/);
    }
    tailnet.stopped(false);
    for (const [BackendState, says, todo] of [
      ['NeedsLogin', /not logged in/, /tailscale up/],
      ['NeedsMachineAuth', /waits to be approved/, /admin\/machines/],
      ['Stopped', /switched off/, /tailscale up/],
      ['Starting', /not ready \(Starting\)/, /tailscale up/],
    ] as const) {
      const mend = put('status.json', (status) => ({
        ...status,
        BackendState,
        Self: null,
        Peer: null,
        User: null,
      }));
      const { code, message, hint } = call<Failure>('tailnet(false)');
      assert.equal(code, 'UNAVAILABLE');
      assert.match(message, says);
      assert.match(hint, todo);
      mend();
    }
    writeFileSync(join(tailnet.folder, 'whois-100.64.0.8.json'), 'not JSON');
    assert.equal(call<Failure>("whois('100.64.0.8', 1)").code, 'FAILED');
    const missing = call<Failure>('tailnet()', tailnet.within.slice(0, 2));
    assert.deepEqual(
      [missing.code, missing.message],
      ['UNAVAILABLE', 'Tailscale is not installed on this server'],
    );
  });
});

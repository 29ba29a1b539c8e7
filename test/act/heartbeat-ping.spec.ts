import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Outage } from '../../nodes/act/heartbeat/outage.js';
import { failAddress, ping } from '../../nodes/act/heartbeat/ping.js';

const never = new AbortController().signal;

describe('ping', () => {
  let server: Server;
  let address: string;
  let answer: (respond: (status: number, headers?: Record<string, string>) => void) => void;

  beforeEach(async () => {
    server = createServer((_request, response) =>
      answer((status, headers) => response.writeHead(status, headers).end('OK')),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/secret-uuid`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('is well with any 2xx', async () => {
    answer = (respond) => respond(204);
    assert.deepEqual(await ping(address, never), { ok: true });
  });

  it('is not well with anything else, and follows no redirect', async () => {
    answer = (respond) => respond(404);
    assert.deepEqual(await ping(address, never), { ok: false, why: 'HTTP 404' });
    answer = (respond) => respond(302, { location: address });
    assert.deepEqual(await ping(address, never), { ok: false, why: 'HTTP 302' });
  });

  it('waits no longer than its limit', async () => {
    answer = () => {};
    assert.deepEqual(await ping(address, never, 50), { ok: false, why: 'no answer within 0.05 s' });
  });

  it('ends with the node', async () => {
    answer = () => {};
    const closing = new AbortController();
    const result = ping(address, closing.signal);
    closing.abort();
    assert.equal((await result).ok, false);
  });

  it('says why without naming the address', async () => {
    server.close();
    const results = [
      await ping(address, never),
      await ping('http://no-such-host.invalid/secret-uuid', never),
      await ping('http://127.0.0.1:1/secret-uuid', never),
    ];
    assert.deepEqual(results[0], { ok: false, why: 'ECONNREFUSED' });
    for (const result of results) {
      assert.equal(result.ok, false);
      assert.doesNotMatch(JSON.stringify(result), /secret|127|host/);
    }
  });

  it('has /fail behind the path for bad news, as healthchecks.io does', () => {
    assert.equal(failAddress('https://hc-ping.com/uuid'), 'https://hc-ping.com/uuid/fail');
    assert.equal(
      failAddress('https://hc.example/ping/uuid?rid=1'),
      'https://hc.example/ping/uuid/fail?rid=1',
    );
  });
});

describe('outage', () => {
  it('is reported once, at the failure that makes it one, and again after it was over', () => {
    const outage = new Outage(3);
    const tries = [1, 2, 3, 4, 5].map(() => outage.again());
    assert.deepEqual(tries, [false, false, true, false, false]);
    outage.over();
    assert.deepEqual([outage.again(), outage.again(), outage.again()], [false, false, true]);
  });
});

import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { onlyLoopbackHosts } from '../../ops/runtime/loopback.js';

/** Whether a request with these headers gets through. */
function passes(headers: Record<string, string>): boolean {
  let passed = false;
  const response = { setHeader() {}, end() {} } as unknown as ServerResponse;
  onlyLoopbackHosts({ headers } as unknown as IncomingMessage, response, () => {
    passed = true;
  });
  return passed;
}

describe('the door without a login', () => {
  it('lets this machine in', () => {
    assert.ok(passes({ host: 'localhost:1880' }));
    assert.ok(passes({ host: '127.0.0.1:1880', origin: 'http://127.0.0.1:1880' }));
    assert.ok(passes({ host: '[::1]:1880' }));
  });

  it('refuses a name that only points here, and a page from elsewhere', () => {
    assert.ok(!passes({ host: 'evil.example:1880' }));
    assert.ok(!passes({ host: 'localhost.evil.example' }));
    assert.ok(!passes({ host: '127.0.0.1:1880', origin: 'https://evil.example' }));
    assert.ok(!passes({ host: '127.0.0.1:1880', origin: 'null' }));
  });

  it('refuses a page of another program on this machine', () => {
    assert.ok(!passes({ host: 'localhost:1880', origin: 'http://localhost:3000' }));
  });
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FAKE_TOKEN } from '../support/potion.ts';
import { clone, EVERYTHING, find } from './flows-everything.ts';
import { useLiveFlows } from './flows-live.ts';

const reference = (name: string) => `\${${name}}`;

describe('flow files under a running Node-RED, and secrets', function () {
  this.timeout(60_000);
  const live = useLiveFlows();
  const { git, commitAll, start, current, deploy } = live;

  const bot = (token: string) => ({
    id: 'bot',
    type: 'telegram bot',
    botname: 'b',
    credentials: { token },
  });
  const client = (user: string, password: string) => ({
    id: 'ask',
    type: 'http request',
    z: 'tab1',
    method: 'GET',
    authType: 'basic',
    url: 'http://127.0.0.1:9/',
    x: 1,
    y: 200,
    wires: [[]],
    credentials: { user, password },
  });
  const REFUSED = /the telegram bot node bot would store a secret in its field “token”/;

  it('are kept as a reference to the environment, which the node gets resolved', async () => {
    const calls: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      calls.push(request.headers.authorization);
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const once = {
      id: 'once',
      type: 'inject',
      z: 'tab1',
      props: [],
      once: true,
      onceDelay: 0,
      x: 1,
      y: 1,
      wires: [['ask']],
    };
    const ask = {
      ...client(reference('A_USER'), reference('A_PASSWORD')),
      url: `http://127.0.0.1:${port}/`,
    };
    assert.equal((await deploy([...clone(EVERYTHING), once, ask])).status, 200);
    assert.equal(
      readFileSync(join(live.flowsDir, 'credentials.json'), 'utf8'),
      `{\n  "ask": { "user": "${reference('A_USER')}", "password": "${reference('A_PASSWORD')}" }\n}\n`,
    );
    await live.potion.stop();
    calls.length = 0;
    await start({ env: { A_USER: 'me', A_PASSWORD: 'hunter2' } });
    for (let left = 100; left > 0 && calls.length === 0; left--) await sleep(20);
    server.close();
    assert.deepEqual(calls, [`Basic ${Buffer.from('me:hunter2').toString('base64')}`]);
  });

  it('are refused when they are real: nothing is written, nothing changes, and the editor is told what to do', async () => {
    const before = await current();
    const flows = clone(EVERYTHING);
    find(flows, 'dbg').x = 999;
    const { status, body } = await deploy([...flows, bot(FAKE_TOKEN)]);
    assert.equal(status, 422);
    const { message, code } = body as { message: string; code: string };
    assert.equal(code, 'flows_refused');
    assert.match(message, REFUSED);
    assert.match(message, /put it there \(TOKEN=…\) and write \$\{TOKEN\}/);
    assert.equal(git('status', '--porcelain'), '');
    assert.deepEqual(await current(), before);
    assert.ok(!live.potion.console().includes(FAKE_TOKEN), 'the secret is not in the log');
  });

  it('are refused again when the same deploy comes a second time', async () => {
    await deploy([...clone(EVERYTHING), client(reference('A_USER'), reference('A_PASSWORD'))]);
    commitAll();
    for (let time = 0; time < 2; time++) {
      const { status, body } = await deploy([...clone(EVERYTHING), client('me', 'hunter2')]);
      assert.equal(status, 422);
      assert.match(
        (body as { message: string }).message,
        /would store a secret in its field “user”[\s\S]*“password”/,
      );
    }
    assert.equal(git('status', '--porcelain'), '');
    // What Node-RED holds in memory is again what is on disk.
    const { body } = await live.potion.admin('/credentials/http-request/ask');
    assert.deepEqual(body, { user: reference('A_USER'), has_password: true });
  });

  it('are refused as a credential of a group, where Node-RED would not resolve a reference', async () => {
    const flows = clone(EVERYTHING);
    Object.assign(find(flows, 'inner'), {
      env: [{ name: 'PIN', type: 'cred', value: '' }],
      credentials: { PIN: reference('PIN') },
    });
    const { body } = await deploy(flows);
    assert.match(
      (body as { message: string }).message,
      /group node “Inner” .*“PIN”[\s\S]*“env variable” instead of “credential”/,
    );
  });

  it('are refused in any field of a node', async () => {
    const flows = clone(EVERYTHING);
    find(flows, 'fn').func = `const token = "${FAKE_TOKEN}";`;
    const { status, body } = await deploy(flows);
    assert.equal(status, 422);
    assert.match(
      (body as { message: string }).message,
      /the function node “off” holds a bot token in its field “func”/,
    );
    assert.equal(git('status', '--porcelain'), '');
  });

  it('and the refusal can not smuggle markup into the page of the editor', async () => {
    const evil = { ...bot('x'), name: '<img src=x onerror=alert(1)>' };
    const { body } = await deploy([...clone(EVERYTHING), evil]);
    assert.doesNotMatch((body as { message: string }).message, /[<>]/);
  });
});

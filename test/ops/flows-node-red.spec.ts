import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FlowNode } from '../../ops/runtime/flows/model.js';
import { FAKE_TOKEN, type Potion, type PotionOptions, startPotion } from '../support/potion.ts';

const reference = (name: string) => `\${${name}}`;

/** One of everything that Node-RED stores, as its editor sends it. */
const EVERYTHING: FlowNode[] = [
  { id: 'tab1', type: 'tab', label: '🚀 Dashboard', disabled: false, info: 'What it *does*', env: [] },
  {
    id: 'tab2',
    type: 'tab',
    label: 'Off',
    disabled: true,
    info: '',
    env: [{ name: 'A', value: '1', type: 'num' }],
  },
  {
    id: 'sub',
    type: 'subflow',
    name: 'Twice',
    info: '',
    category: '',
    in: [{ x: 50, y: 30, wires: [{ id: 'sub-fn' }] }],
    out: [{ x: 400, y: 30, wires: [{ id: 'sub-fn', port: 0 }] }],
    env: [{ name: 'FACTOR', type: 'num', value: '2' }],
    meta: {},
    color: '#DDAA99',
  },
  {
    id: 'outer',
    type: 'group',
    z: 'tab1',
    name: 'Outer',
    style: { label: true },
    nodes: ['inner', 'note'],
    x: 14,
    y: 19,
    w: 600,
    h: 300,
  },
  {
    id: 'inner',
    type: 'group',
    z: 'tab1',
    g: 'outer',
    name: 'Inner',
    style: { label: true },
    nodes: ['in', 'out'],
    env: [{ name: 'WHO', value: 'me', type: 'str' }],
    x: 34,
    y: 79,
    w: 500,
    h: 82,
  },
  { id: 'j', type: 'junction', z: 'tab1', x: 300, y: 400, wires: [['dbg']] },
  {
    id: 'broker',
    type: 'mqtt-broker',
    name: 'shared',
    broker: 'localhost',
    port: '1',
    autoConnect: false,
    clientid: '',
  },
  { id: 'tls', type: 'tls-config', z: 'sub', name: 'local to the subflow', verifyservercert: true },
  {
    id: 'globals',
    type: 'global-config',
    env: [{ name: 'HOUSE', value: 'Potion', type: 'str' }],
    modules: {},
  },
  {
    id: 'sub-fn',
    type: 'change',
    z: 'sub',
    name: '',
    rules: [{ t: 'set', p: 'payload', pt: 'msg', to: 'FACTOR', tot: 'env' }],
    x: 200,
    y: 30,
    wires: [[]],
  },
  {
    id: 'note',
    type: 'comment',
    z: 'tab1',
    g: 'outer',
    name: 'Why',
    info: 'because',
    x: 120,
    y: 60,
    wires: [],
  },
  {
    id: 'in',
    type: 'inject',
    z: 'tab1',
    g: 'inner',
    name: '',
    props: [{ p: 'payload' }],
    repeat: '',
    once: false,
    payload: 'HOUSE',
    payloadType: 'env',
    x: 130,
    y: 120,
    wires: [['use', 'j'], []].slice(0, 1),
  },
  {
    id: 'out',
    type: 'link out',
    z: 'tab1',
    g: 'inner',
    name: 'to off',
    mode: 'link',
    links: ['lin'],
    x: 455,
    y: 120,
    wires: [],
  },
  {
    id: 'use',
    type: 'subflow:sub',
    z: 'tab1',
    name: 'Thrice',
    env: [{ name: 'FACTOR', type: 'num', value: '3' }],
    x: 300,
    y: 200,
    wires: [['out']],
  },
  {
    id: 'dbg',
    type: 'debug',
    z: 'tab1',
    name: 'shown',
    active: true,
    tosidebar: true,
    complete: 'payload',
    targetType: 'msg',
    x: 460,
    y: 400,
    wires: [],
  },
  { id: 'lin', type: 'link in', z: 'tab2', name: '', links: ['out'], x: 100, y: 100, wires: [['fn']] },
  {
    id: 'fn',
    type: 'function',
    z: 'tab2',
    d: true,
    name: 'off',
    func: 'return msg;\n// "ünïcode" \\ done',
    outputs: 1,
    libs: [],
    x: 250,
    y: 100,
    wires: [[]],
  },
];

const clone = <T>(value: T): T => structuredClone(value);
const find = (nodes: FlowNode[], id: string) => nodes.find((node) => node.id === id) as FlowNode;
const sortedById = (nodes: FlowNode[]) => nodes.toSorted((a, b) => (a.id < b.id ? -1 : 1));

describe('flow files under a running Node-RED', function () {
  this.timeout(60_000);
  let potion: Potion;
  let flowsDir: string;
  let top: string;

  const git = (...args: string[]) =>
    execFileSync(
      'git',
      ['-c', 'user.name=t', '-c', 'user.email=t@example.org', '-c', 'core.quotepath=false', ...args],
      {
        cwd: flowsDir,
        encoding: 'utf8',
      },
    );
  const commitAll = () => {
    git('add', '-A');
    git('commit', '-q', '--allow-empty', '-m', 'state');
  };
  const start = async (options: PotionOptions = {}) => {
    potion = await startPotion({ flowsDir, dataDir: join(top, 'data'), ...options });
    await potion.waitReady();
  };
  const current = async () => {
    const { body } = await potion.admin('/flows', { headers: { 'Node-RED-API-Version': 'v2' } });
    return body as { flows: FlowNode[]; rev: string };
  };
  const deploy = async (flows: unknown[]) =>
    potion.admin('/flows', { body: { flows }, headers: { 'Node-RED-API-Version': 'v2' } });
  const reload = () => potion.admin('/potion/flows/reload', { method: 'POST' });
  const files = () =>
    readdirSync(flowsDir)
      .filter((name) => name !== '.git')
      .sort();

  before(async () => {
    top = mkdtempSync(join(tmpdir(), 'potion-flows-'));
    flowsDir = join(top, 'flows');
    mkdirSync(flowsDir);
    git('init', '-q');
    await start();
    assert.match(potion.log(), /No flow files in .* yet: starting with an empty canvas/);
    assert.equal((await deploy(clone(EVERYTHING))).status, 200);
    commitAll();
  });
  after(async () => {
    await potion.stop();
    rmSync(top, { recursive: true });
  });
  afterEach(async () => {
    // Back to one of everything, whatever a test has left.
    git('checkout', '-q', '--', '.');
    git('clean', '-qfd');
    const { status, body } = await reload();
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal((await deploy(clone(EVERYTHING))).status, 200);
    commitAll();
  });

  it('are one per tab and subflow, one for shared config nodes, and the order', () => {
    assert.deepEqual(files(), [
      'config.json',
      'dashboard.tab1.json',
      'off.tab2.json',
      'order.txt',
      'twice.sub.json',
    ]);
  });

  it('bring back the same flows after a restart, with the same revision, so no open editor is alarmed', async () => {
    const before = await current();
    await potion.stop();
    await start();
    const after = await current();
    assert.deepEqual(after.flows, before.flows);
    assert.equal(after.rev, before.rev);
  });

  it('bring back the same flows when only the files are left', async () => {
    await potion.stop();
    rmSync(join(top, 'data'), { recursive: true });
    await start();
    const { flows } = await current();
    assert.deepEqual(sortedById(flows), sortedById(clone(EVERYTHING)));
    // What matters on import: tabs in their order, an outer group before the one in it.
    const order = flows.map(({ id }) => id);
    assert.ok(order.indexOf('tab1') < order.indexOf('tab2'));
    assert.ok(order.indexOf('outer') < order.indexOf('inner'));
    assert.doesNotMatch(potion.console(), /missing|error/i);
  });

  it('moving one node changes its two lines in git and nothing else', async () => {
    const { flows } = await current();
    Object.assign(find(flows, 'dbg'), { x: 500, y: 440 });
    assert.equal((await deploy(flows)).status, 200);
    assert.equal(git('diff', '--numstat'), '2\t2\tdashboard.tab1.json\n');
    assert.match(git('diff', '-U0'), /- {4}"x": 460,\n- {4}"y": 400,\n\+ {4}"x": 500,\n\+ {4}"y": 440,/);
  });

  it('moving a tab changes two lines of the order', async () => {
    const { flows } = await current();
    const [first, second, ...rest] = flows;
    assert.equal((await deploy([second, first, ...rest])).status, 200);
    assert.equal(git('diff', '--numstat'), '1\t1\torder.txt\n');
  });

  it('renaming a tab renames its file, which git sees as such', async () => {
    const { flows } = await current();
    find(flows, 'tab1').label = 'Bridge';
    await deploy(flows);
    assert.deepEqual(files(), [
      'bridge.tab1.json',
      'config.json',
      'off.tab2.json',
      'order.txt',
      'twice.sub.json',
    ]);
    git('add', '-A');
    assert.match(
      git('diff', '--cached', '-M', '--name-status'),
      /^R\d+\tdashboard\.tab1\.json\tbridge\.tab1\.json$/m,
    );
  });

  it('deleting a tab deletes its file, and it stays deleted after a restart', async () => {
    const { flows } = await current();
    await deploy(flows.filter(({ id, z }) => id !== 'tab2' && z !== 'tab2'));
    assert.deepEqual(files(), ['config.json', 'dashboard.tab1.json', 'order.txt', 'twice.sub.json']);
    await potion.stop();
    await start();
    assert.equal(find((await current()).flows, 'tab2'), undefined);
  });

  it('two tabs of one name have two files', async () => {
    await deploy([...clone(EVERYTHING), { id: 'tab3', type: 'tab', label: '🚀 Dashboard' }]);
    assert.deepEqual(files().slice(1, 3), ['dashboard.tab1.json', 'dashboard.tab3.json']);
    await potion.stop();
    await start();
    const labels = (await current()).flows.filter(({ type }) => type === 'tab').map(({ label }) => label);
    assert.deepEqual(labels, ['🚀 Dashboard', 'Off', '🚀 Dashboard']);
  });

  describe('changed on disk', () => {
    const edit = (name: string, from: string, to: string) => {
      const file = join(flowsDir, name);
      const text = readFileSync(file, 'utf8');
      assert.ok(text.includes(from));
      writeFileSync(file, text.replace(from, to));
    };

    it('are loaded on request, without a restart', async () => {
      edit('dashboard.tab1.json', '"name": "shown"', '"name": "seen"');
      const { rev } = await current();
      assert.deepEqual(await reload(), { status: 200, body: { tabs: 3, nodes: EVERYTHING.length } });
      const now = await current();
      assert.equal(find(now.flows, 'dbg').name, 'seen');
      assert.notEqual(now.rev, rev, 'which is what open editors are told');
    });

    it('and broken leave the running flows alone, and say file, line and column', async () => {
      const before = await current();
      edit('off.tab2.json', '"x": 100,', '"x": ,');
      const { status, body } = await reload();
      assert.equal(status, 422);
      const { problems, message } = body as { problems: { file: string; line: number }[]; message: string };
      assert.match(message, /off\.tab2\.json:\d+:10: not JSON: a value is expected/);
      assert.equal(problems[0]?.file, 'off.tab2.json');
      assert.deepEqual(await current(), before);
      assert.match(potion.log(), /were not loaded, the flows run on[\s\S]*off\.tab2\.json:\d+:10/);
    });

    it('with a node type that is not installed leave the running flows alone', async () => {
      const before = await current();
      edit('dashboard.tab1.json', '"type": "debug"', '"type": "no-such-node"');
      const { status, body } = await reload();
      assert.equal(status, 422);
      assert.match((body as { message: string }).message, /“no-such-node” is not installed/);
      assert.deepEqual(await current(), before);
    });

    it('and broken do not empty the canvas when "Restart Flows" is chosen in the editor', async () => {
      const before = await current();
      edit('off.tab2.json', '[', '<<<<<<< HEAD\n[');
      await potion.admin('/flows', { method: 'POST', headers: { 'Node-RED-Deployment-Type': 'reload' } });
      assert.deepEqual(await current(), before);
      assert.match(potion.log(), /the flows from before stay[\s\S]*off\.tab2\.json:1:1: a merge conflict/);
    });

    it('are not overwritten by a deploy that does not know them', async () => {
      edit('dashboard.tab1.json', '"name": "shown"', '"name": "seen"');
      const { flows } = await current();
      find(flows, 'dbg').x = 999;
      const { status, body } = await deploy(flows);
      assert.equal(status, 422);
      assert.match(
        (body as { message: string }).message,
        /dashboard\.tab1\.json: this file was changed on disk/,
      );
      assert.match(git('diff', '-U0'), /\+ {4}"name": "seen"/);
      assert.doesNotMatch(git('diff'), /999/);
    });
  });

  describe('and secrets', () => {
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
        readFileSync(join(flowsDir, 'credentials.json'), 'utf8'),
        `{\n  "ask": { "user": "${reference('A_USER')}", "password": "${reference('A_PASSWORD')}" }\n}\n`,
      );
      await potion.stop();
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
      assert.ok(!potion.console().includes(FAKE_TOKEN), 'the secret is not in the log');
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
      const { body } = await potion.admin('/credentials/http-request/ask');
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

  it('nodes of a tab that does not exist are refused, because the next start would refuse them', async () => {
    const { status, body } = await deploy([
      ...clone(EVERYTHING),
      { id: 'lost', type: 'debug', z: 'nowhere', x: 1, y: 1 },
    ]);
    assert.equal(status, 422);
    assert.match((body as { message: string }).message, /belongs to the tab or subflow nowhere/);
    assert.equal(git('status', '--porcelain'), '');
  });

  it('what a person sets in the editor, and snippets, survive a restart', async () => {
    assert.equal((await potion.admin('/settings/user', { body: { menu: { x: 1 } } })).status, 204);
    const snippet = await potion.admin('/library/local/functions/mine/twice.js', {
      body: { name: 'twice', text: 'return msg;' },
    });
    assert.equal(snippet.status, 204);
    await potion.stop();
    await start();
    assert.deepEqual((await potion.admin('/settings/user')).body, { menu: { x: 1 } });
    const { body } = await potion.admin('/library/local/functions/mine/');
    assert.deepEqual(body, [{ name: 'twice', fn: 'twice.js' }]);
    assert.equal((await potion.admin('/library/local/functions/mine/twice.js')).body, 'return msg;');
  });
});

describe('Potion does not start', function () {
  this.timeout(60_000);
  let top: string;
  beforeEach(() => {
    top = mkdtempSync(join(tmpdir(), 'potion-refuses-'));
    mkdirSync(join(top, 'flows'));
    writeFileSync(join(top, 'flows', 'a.json'), '[{ "id": "a", "type": "tab", "label": "A" }]');
  });
  afterEach(() => rmSync(top, { recursive: true }));
  const start = () => startPotion({ flowsDir: join(top, 'flows'), dataDir: join(top, 'data') });
  /** Starts, and gives what it said before it ended by itself. */
  const refusal = async () => {
    const potion = await start();
    const { code } = await potion.ended;
    assert.equal(code, 78, potion.console());
    assert.ok(!potion.console().includes('Started flows'));
    assert.ok(potion.log().endsWith(potion.console()), 'the log has what the console has');
    await potion.stop();
    return potion.log();
  };

  it('with a broken flow file, and names file, line and column', async () => {
    writeFileSync(join(top, 'flows', 'b.json'), '[\n  { "id": "b", "type": "tab" },\n  { "id" "n" }\n]');
    assert.match(
      await refusal(),
      /error Potion does not start\. The flow files in .*:\n {2}b\.json:3:10: not JSON: ":" is expected/,
    );
  });

  it('when all flows have vanished since it last ran', async () => {
    const potion = await start();
    await potion.waitReady();
    await potion.stop();
    renameSync(join(top, 'flows'), join(top, 'elsewhere'));
    assert.match(
      await refusal(),
      /no flows in .*flows:\n.*Potion had 1 tabs and subflows in .*flows when it last ran\n.*git checkout/,
    );
  });
});

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { kindOf } from '../../ops/runtime/flows/source.js';
import { FAKE_TOKEN, freePort, type Potion, startPotion } from '../support/potion.ts';

const HOME = join(import.meta.dirname, '..', '..');
const run = promisify(execFile);
const TOKEN = `\${BOT_TOKEN}`;

interface Answer {
  code: number;
  out: string;
}

let top: string;
let flowsDir: string;
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'potion-cli-'));
  flowsDir = join(top, 'flows');
  mkdirSync(flowsDir);
});
afterEach(() => rmSync(top, { recursive: true }));

/** `npm run flows -- …` without npm. */
async function flows(args: string[], env: Record<string, string> = {}): Promise<Answer> {
  const cli = join(HOME, 'ops/runtime/flows-cli.js');
  const options = {
    cwd: HOME,
    env: {
      PATH: process.env.PATH,
      INIT_CWD: top,
      DATA_DIR: join(top, 'data'),
      FLOWS_DIR: flowsDir,
      POTION_HOME: HOME,
      ...env,
    },
  };
  return run(process.execPath, [cli, ...args], options).then(
    ({ stdout, stderr }) => ({ code: 0, out: stdout + stderr }),
    ({ code, stdout, stderr }) => ({ code, out: stdout + stderr }),
  );
}

const put = (name: string, content: unknown) =>
  writeFileSync(join(top, name), typeof content === 'string' ? content : JSON.stringify(content));
const have = () =>
  Object.fromEntries(
    readdirSync(flowsDir)
      .sort()
      .map((name) => [name, readFileSync(join(flowsDir, name), 'utf8')]),
  );

const MAIN = { id: 'main', type: 'tab', label: 'Main' };
const INJECT = {
  id: 'go',
  type: 'inject',
  z: 'main',
  name: 'go',
  props: [],
  x: 120,
  y: 80,
  wires: [['show']],
};
const SHOW = { id: 'show', type: 'debug', z: 'main', name: 'show', x: 400, y: 80, wires: [] };
const BOT = { id: 'bot', type: 'telegram bot', botname: 'b' };
const setUp = () => {
  put('flows/main.json', [MAIN, INJECT, SHOW]);
  put('flows/config.json', [BOT]);
  put('flows/credentials.json', { bot: { token: TOKEN } });
};

describe('npm run flows -- check', () => {
  it('says that all is well', async () => {
    setUp();
    assert.deepEqual(await flows(['check']), { code: 0, out: '4 nodes, all well\n' });
  });

  it('names a broken file with line and column', async () => {
    put('flows/main.json', '[\n  { "id": "main" "type": "tab" }\n]');
    const { code, out } = await flows(['check']);
    assert.equal(code, 1);
    assert.match(out, /main\.json:2:18: not JSON: "," or "}" is expected/);
  });

  it('names what a reader would stumble over', async () => {
    put('flows/main.json', [MAIN, { ...INJECT, wires: [['gone']] }, { ...SHOW, type: 'not-there' }]);
    const { code, out } = await flows(['check']);
    assert.equal(code, 1);
    assert.match(
      out,
      /the tab node “Main”: the inject node “go” \(go\): it is wired to gone, which does not exist/,
    );
    assert.match(out, /“not-there” is not installed/);
    assert.match(out, /2 findings/);
  });
});

describe('npm run flows -- bundle and import', () => {
  it('one file holds everything, and brings everything back', async () => {
    setUp();
    await flows(['format']);
    const before = have();
    assert.equal((await flows(['bundle', 'all.json'])).code, 0);
    const bundle = JSON.parse(readFileSync(join(top, 'all.json'), 'utf8'));
    assert.deepEqual(bundle.find(({ id }: { id: string }) => id === 'bot').credentials, { token: TOKEN });
    assert.deepEqual(
      JSON.parse((await flows(['bundle'])).out),
      bundle,
      'without a name it goes to the console',
    );
    rmSync(flowsDir, { recursive: true });
    const { code, out } = await flows(['import', 'all.json']);
    assert.equal(code, 0, out);
    const { 'main.json': main, ...rest } = before;
    assert.deepEqual(have(), { ...rest, 'main.main.json': main, 'order.txt': have()['order.txt'] });
  });

  it('shows what changes, tab by tab, and keeps the flows from before', async () => {
    setUp();
    const before = have();
    const other = { id: 'other', type: 'tab', label: 'Other' };
    put('new.json', [
      MAIN,
      { ...INJECT, repeat: '60' },
      { ...SHOW, id: 'show2' },
      other,
      { ...SHOW, id: 'o', z: 'other' },
      BOT,
    ]);
    const dry = await flows(['import', '--dry-run', 'new.json']);
    assert.equal(
      dry.out,
      `  Main: +1 ~1 -1 nodes
    + the debug node “show”
    ~ the inject node “go”
    - the debug node “show”
  Other: added, +1 ~0 -0 nodes
`,
    );
    assert.deepEqual(have(), before, 'a dry run changes nothing');
    const { out } = await flows(['import', 'new.json']);
    const backup = /from before are in (.*)/.exec(out)?.[1] ?? '';
    assert.ok(backup.startsWith(join(top, 'data', 'flows-backup')), out);
    for (const [name, text] of Object.entries(before))
      assert.equal(readFileSync(join(backup, name), 'utf8'), text);
    assert.deepEqual(Object.keys(have()), [
      'config.json',
      'credentials.json',
      'main.json',
      'order.txt',
      'other.other.json',
    ]);
    assert.match(
      have()['credentials.json'] ?? '',
      /BOT_TOKEN/,
      'an export without credentials does not drop them',
    );
    assert.match((await flows(['import', 'new.json'])).out, /Nothing changes/);
  });

  it('brings in a folder of flow files, a folder with flows.json, and a git repository', async () => {
    setUp();
    mkdirSync(join(top, 'repo'));
    cpSync(flowsDir, join(top, 'repo', 'flows'), { recursive: true });
    mkdirSync(join(top, 'stock'));
    put('stock/flows.json', [{ ...MAIN, label: 'From stock' }]);
    await run('git', ['init', '-q', 'repo'], { cwd: top });
    await run('git', ['add', '.'], { cwd: join(top, 'repo') });
    await run('git', ['-c', 'user.name=t', '-c', 'user.email=t@e', 'commit', '-qm', 'x'], {
      cwd: join(top, 'repo'),
    });

    const label = async (source: string) => {
      const { code, out } = await flows(['import', source]);
      assert.equal(code, 0, out);
      return JSON.parse((await flows(['bundle'])).out)[0].label;
    };
    assert.equal(await label('stock'), 'From stock');
    assert.equal(await label('repo'), 'Main');
    assert.equal(await label('stock/flows.json'), 'From stock');
    assert.equal(await label(`file://${join(top, 'repo')}`), 'Main');
    await run('git', ['clone', '-q', '--bare', 'repo', 'bare.git'], { cwd: top });
    await label('stock');
    assert.equal(await label('bare.git'), 'Main');
  });

  it('brings flows back where they have vanished', async () => {
    mkdirSync(join(top, 'data'));
    put('data/flows-last.json', { dir: flowsDir, nodes: [MAIN] });
    put('new.json', [MAIN]);
    assert.match((await flows(['check'])).out, /Potion had 1 tabs/);
    assert.equal((await flows(['import', 'new.json'])).code, 0);
    assert.equal((await flows(['check'])).code, 0);
  });

  for (const [what, content, words] of [
    ['broken JSON', '[{]', /new\.json:1:3: not JSON/],
    ['no list of nodes', '"x"', /not a list of nodes/],
    [
      'a node of a missing tab',
      [{ id: 'a', type: 'debug', z: 'b' }],
      /new\.json:1:27: .*belongs to the tab or subflow b/,
    ],
    [
      'a node type that is not installed',
      [MAIN, { id: 'a', type: 'gone', z: 'main' }],
      /“gone” is not installed/,
    ],
    [
      'a real secret',
      [{ ...BOT, credentials: { token: 'hunter2' } }],
      /new\.json:1:65: .*store a secret in its field “token”/,
    ],
    ['a bot token', [MAIN, { ...SHOW, name: FAKE_TOKEN }], /holds a bot token in its field “name”/],
  ] as const)
    it(`refuses ${what}, and leaves everything as it was`, async () => {
      setUp();
      const before = have();
      put('new.json', content);
      const { code, out } = await flows(['import', 'new.json']);
      assert.equal(code, 1);
      assert.match(out, words);
      assert.ok(!out.includes('hunter2') && !out.includes(FAKE_TOKEN), out);
      assert.deepEqual(have(), before);
    });

  it('takes only addresses that can do no harm', () => {
    for (const address of [
      'https://example.org/x.git',
      'ssh://git@example.org/x',
      'git@example.org:me/x.git',
      'file:///srv/x.git',
    ])
      assert.equal(kindOf(address, top), 'git address');
    const refused = {
      'ext::sh -c touch% /tmp/x': /run a program of its own/,
      '--upload-pack=touch /tmp/x': /looks like an option/,
      '-': /looks like an option/,
      'https://-oProxyCommand=x/y': /not allowed/,
      'ssh://-oProxyCommand=x/y': /not allowed/,
      'git@-oProxyCommand:x': /no such file/,
      'git@host:-x': /no such file/,
      'http://example.org/x.git': /not allowed/,
      'git://example.org/x.git': /not allowed/,
      'https://me:secret@example.org/x.git': /holds a password/,
      'nothing.json': /no such file or folder/,
    };
    for (const [address, words] of Object.entries(refused)) assert.throws(() => kindOf(address, top), words);
  });

  it('says why git could not fetch', async () => {
    const { code, out } = await flows(['import', `file://${join(top, 'nowhere')}`]);
    assert.equal(code, 1);
    assert.match(out, /git could not fetch .*\n.*(does not exist|not appear to be a git repository)/);
  });

  it('is nothing else than what a stock Node-RED takes', async function () {
    this.timeout(40_000);
    setUp();
    await flows(['bundle', 'flows.json']);
    const port = await freePort();
    const userDir = join(top, 'stock');
    mkdirSync(userDir);
    put(
      'settings.cjs',
      `module.exports = { uiPort: ${port}, uiHost: '127.0.0.1', credentialSecret: 'x', telemetry: { enabled: false } };`,
    );
    // From this folder it finds the telegram nodes as well.
    const args = ['node_modules/node-red/red.js', '-u', userDir, '-s', join(top, 'settings.cjs')];
    const child = execFile(process.execPath, args, { cwd: HOME, env: { PATH: process.env.PATH, HOME: top } });
    try {
      const url = `http://127.0.0.1:${port}`;
      const bundle = JSON.parse(readFileSync(join(top, 'flows.json'), 'utf8'));
      const answers = () =>
        fetch(`${url}/flows`).then(
          (response) => response.ok,
          () => false,
        );
      while (!(await answers())) await new Promise((resolve) => setTimeout(resolve, 50));
      const body = JSON.stringify(bundle);
      const posted = await fetch(`${url}/flows`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      assert.equal(posted.status, 204);
      const back = (await (await fetch(`${url}/flows`)).json()) as { id: string }[];
      const plain = bundle.map(({ credentials: _, ...node }: { credentials: unknown }) => node);
      assert.deepEqual(back, plain);
      const kept = await (await fetch(`${url}/credentials/telegram-bot/bot`)).json();
      assert.deepEqual(kept, { token: TOKEN });
    } finally {
      child.kill('SIGKILL');
    }
  });
});

describe('npm run flows -- reload', function () {
  this.timeout(40_000);
  let potion: Potion;
  afterEach(() => potion?.stop());
  const port = () => ({ POTION_PORT: String(potion.port) });

  it('lets the running Potion load what has changed, or says what is wrong with it', async () => {
    setUp();
    potion = await startPotion({ flowsDir, dataDir: join(top, 'data') });
    await potion.waitReady();
    put('flows/main.json', [{ ...MAIN, label: 'Renamed' }]);
    assert.deepEqual(await flows(['reload'], port()), {
      code: 0,
      out: 'Loaded: 1 tabs and subflows, 2 nodes\n',
    });
    const { body } = await potion.admin('/flows');
    assert.equal((body as { label: string }[])[0]?.label, 'Renamed');
    put('flows/main.json', '[');
    const { code, out } = await flows(['reload'], port());
    assert.equal(code, 1);
    assert.match(out, /main\.json:1:2: not JSON: a value is expected, but the file ends here/);
  });

  it('works where the editor has a login, with a key that only Potion’s user can read', async () => {
    setUp();
    // The hash of "potion"; bcrypt at its lowest cost.
    const EDITOR_PASSWORD_HASH = '$2b$04$2dH0zYXJRr3oDqJYC0Z3ye9fTf1T2y8nPUkXh5n0Q0l3m6b1nM3bK';
    potion = await startPotion({ flowsDir, dataDir: join(top, 'data'), env: { EDITOR_PASSWORD_HASH } });
    await potion.waitReady();
    assert.equal((await potion.admin('/potion/flows/reload', { method: 'POST' })).status, 401);
    const wrong = { authorization: `Bearer ${'0'.repeat(64)}` };
    assert.equal(
      (await potion.admin('/potion/flows/reload', { method: 'POST', headers: wrong })).status,
      401,
    );
    const key = join(top, 'data', 'local-token');
    assert.equal(statSync(key).mode & 0o777, 0o600);
    const right = { authorization: `Bearer ${readFileSync(key, 'utf8')}` };
    assert.equal((await potion.admin('/flows', { headers: right })).status, 401, 'it opens nothing else');
    const { code, out } = await flows(['reload'], { ...port(), EDITOR_PASSWORD_HASH });
    assert.equal(code, 0, out);
  });

  it('says when no Potion answers', async () => {
    const { code, out } = await flows(['reload'], { POTION_PORT: String(await freePort()) });
    assert.equal(code, 1);
    assert.match(out, /no Potion answers at http:\/\/127\.0\.0\.1:\d+.*is it running\?/);
  });
});

describe('npm run flows', () => {
  it('explains itself when asked in a wrong way', async () => {
    for (const args of [[], ['fly'], ['import'], ['constructor']]) {
      const { code, out } = await flows(args);
      assert.equal(code, 2);
      assert.match(out, /check {15}look over the flow files/);
    }
  });
});

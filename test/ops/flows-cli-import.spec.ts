import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { kindOf } from '../../ops/runtime/flows/source.js';
import { FAKE_TOKEN, freePort } from '../support/potion.ts';
import { BOT, HOME, INJECT, MAIN, run, SHOW, TOKEN, useFlowsCli } from './flows-cli-fixture.ts';

describe('npm run flows -- bundle and import', () => {
  const cli = useFlowsCli();
  const { flows, put, have, setUp } = cli;

  it('one file holds everything, and brings everything back', async () => {
    setUp();
    await flows(['format']);
    const before = have();
    assert.equal((await flows(['bundle', 'all.json'])).code, 0);
    const bundle = JSON.parse(readFileSync(join(cli.top, 'all.json'), 'utf8'));
    assert.deepEqual(bundle.find(({ id }: { id: string }) => id === 'bot').credentials, { token: TOKEN });
    assert.deepEqual(
      JSON.parse((await flows(['bundle'])).out),
      bundle,
      'without a name it goes to the console',
    );
    rmSync(cli.flowsDir, { recursive: true });
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
    assert.ok(backup.startsWith(join(cli.top, 'data', 'flows-backup')), out);
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
    mkdirSync(join(cli.top, 'repo'));
    cpSync(cli.flowsDir, join(cli.top, 'repo', 'flows'), { recursive: true });
    mkdirSync(join(cli.top, 'stock'));
    put('stock/flows.json', [{ ...MAIN, label: 'From stock' }]);
    await run('git', ['init', '-q', 'repo'], { cwd: cli.top });
    await run('git', ['add', '.'], { cwd: join(cli.top, 'repo') });
    await run('git', ['-c', 'user.name=t', '-c', 'user.email=t@e', 'commit', '-qm', 'x'], {
      cwd: join(cli.top, 'repo'),
    });

    const label = async (source: string) => {
      const { code, out } = await flows(['import', source]);
      assert.equal(code, 0, out);
      return JSON.parse((await flows(['bundle'])).out)[0].label;
    };
    assert.equal(await label('stock'), 'From stock');
    assert.equal(await label('repo'), 'Main');
    assert.equal(await label('stock/flows.json'), 'From stock');
    assert.equal(await label(`file://${join(cli.top, 'repo')}`), 'Main');
    await run('git', ['clone', '-q', '--bare', 'repo', 'bare.git'], { cwd: cli.top });
    await label('stock');
    assert.equal(await label('bare.git'), 'Main');
  });

  it('brings flows back where they have vanished', async () => {
    mkdirSync(join(cli.top, 'data'));
    put('data/flows-last.json', { dir: cli.flowsDir, nodes: [MAIN] });
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
      assert.equal(kindOf(address, cli.top), 'git address');
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
    for (const [address, words] of Object.entries(refused))
      assert.throws(() => kindOf(address, cli.top), words);
  });

  it('says why git could not fetch', async () => {
    const { code, out } = await flows(['import', `file://${join(cli.top, 'nowhere')}`]);
    assert.equal(code, 1);
    assert.match(out, /git could not fetch .*\n.*(does not exist|not appear to be a git repository)/);
  });

  it('is nothing else than what a stock Node-RED takes', async function () {
    this.timeout(40_000);
    setUp();
    await flows(['bundle', 'flows.json']);
    const port = await freePort();
    const userDir = join(cli.top, 'stock');
    mkdirSync(userDir);
    put(
      'settings.cjs',
      `module.exports = { uiPort: ${port}, uiHost: '127.0.0.1', credentialSecret: 'x', telemetry: { enabled: false } };`,
    );
    // From this folder it finds the telegram nodes as well.
    const args = ['node_modules/node-red/red.js', '-u', userDir, '-s', join(cli.top, 'settings.cjs')];
    const child = execFile(process.execPath, args, {
      cwd: HOME,
      env: { PATH: process.env.PATH, HOME: cli.top },
    });
    try {
      const url = `http://127.0.0.1:${port}`;
      const bundle = JSON.parse(readFileSync(join(cli.top, 'flows.json'), 'utf8'));
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

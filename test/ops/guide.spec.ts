import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandsIn, GUIDES, guide } from '../support/guide.ts';
import { needs } from '../support/needs.ts';
import { HOME } from '../support/node-red.ts';

const help = new Map<string, string>();
/** What a program of Potion's says of its options and arguments. */
function helpOf(path: string): string {
  const known = help.get(path);
  if (known !== undefined) return known;
  const usages: Record<string, string[]> = {
    'ops/install/install.sh': [process.execPath, 'ops/install/main.mjs', '--help'],
    'ops/install/prepare-disk.sh': ['ops/install/prepare-disk.sh', '--help'],
    'ops/runtime/as-potion': ['ops/runtime/as-potion', '--help'],
    flows: [process.execPath, 'ops/runtime/flows-cli.js', '--help'],
    tree: [process.execPath, 'ops/install/flows/upgrade-cli.js', '--help'],
    state: [process.execPath, 'ops/runtime/state-cli.js', '--help'],
    health: [process.execPath, 'ops/health/potion-health.js', '--help'],
  };
  const [program = '', ...args] = usages[path] ?? [];
  assert.ok(program, `${path} is a program that the guide may name`);
  const { stdout, stderr } = spawnSync(program, args, { cwd: HOME, encoding: 'utf8' });
  help.set(path, stdout + stderr);
  return stdout + stderr;
}

const has = (text: string, word: string) => new RegExp(`(^|[\\s|\\[])${word}(?![\\w-])`, 'm').test(text);

/** What a command of Potion's own gets wrong; nothing when it is right. */
function wrongWith(command: string): string | undefined {
  const [, path = '', rest = ''] =
    /^(?:sudo )?(?:\/opt\/potion\/current\/)?(ops\/\S+)(.*)$/.exec(command) ?? [];
  const words =
    rest
      .split(/ [>|] /)[0]
      ?.trim()
      .split(/\s+/)
      .filter(Boolean) ?? [];
  const options = (known: string) =>
    words.filter((word) => word.startsWith('--') && !has(known, word.replace(/=.*/, '')));
  if (!existsSync(join(HOME, path))) return `there is no ${path}`;
  accessSync(join(HOME, path), constants.X_OK);
  if (path !== 'ops/runtime/as-potion') return options(helpOf(path))[0];
  const [program = '', first = ''] = words;
  if (!has(helpOf(path), program)) return `as-potion knows no ${program}`;
  if (program === 'git' || program === 'password') return undefined;
  if (!first || !has(helpOf(program), first)) return `${program} knows no "${first}"`;
  return undefined;
}

describe('the guide for a server', () => {
  const OWN = /^(sudo )?(\/opt\/potion\/current\/)?ops\//;

  for (const name of GUIDES)
    it(`${name} names only programs, arguments and options that there are`, () => {
      const commands = commandsIn(name).filter((command) => OWN.test(command));
      const inline = [...guide(name).matchAll(/`([^`\n]+)`/g)].map(([, code]) => code as string);
      const all = [...commands, ...inline.filter((code) => /^sudo .*ops\/(install|runtime)\//.test(code))];
      assert.ok(commands.length > 20 && all.length > commands.length);
      assert.deepEqual(
        all.map((command) => [command, wrongWith(command)]).filter(([, wrong]) => wrong),
        [],
      );
    });

  it('would notice a wrong one', () => {
    assert.match(wrongWith('sudo ops/install/instal.sh') ?? '', /there is no/);
    assert.equal(wrongWith('sudo ops/install/install.sh --dryrun'), '--dryrun');
    assert.equal(wrongWith('sudo ops/install/prepare-disk.sh --erase=/dev/sda'), '--erase=/dev/sda');
    assert.match(wrongWith('sudo /opt/potion/current/ops/runtime/as-potion flows explode') ?? '', /knows no/);
    assert.match(wrongWith('sudo /opt/potion/current/ops/runtime/as-potion reboot') ?? '', /knows no/);
  });

  it('has the same commands in both languages', () => {
    const plain = (name: (typeof GUIDES)[number]) =>
      commandsIn(name).map((command) =>
        command
          .replaceAll('NAMA', 'NAME')
          .replace('KODE', 'CODE')
          .replace('Flow-ku', 'My flows')
          .replace('flow-ku.json', 'my-flows.json')
          .replace('kamu@ALAMAT-SERVER', 'you@SERVER-ADDRESS'),
      );
    assert.deepEqual(plain('ops/README.md'), plain('ops/README.en.md'));
    const headings = (name: (typeof GUIDES)[number]) =>
      [...guide(name).matchAll(/^(#+) (\d*)/gm)].map(([, level, number]) => `${level}${number}`);
    assert.deepEqual(headings('ops/README.md'), headings('ops/README.en.md'));
  });

  it('says after each command what it is for', () => {
    for (const name of GUIDES)
      for (const [, after] of guide(name).matchAll(/^```sh\n[\s\S]*?^```\n(.*)$/gm))
        assert.match(after as string, /^\*.*\*$/, name);
  });

  it('leads to headings and files that there are', () => {
    for (const name of GUIDES) {
      const anchors = new Set(
        [...guide(name).matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
          (title as string)
            .toLowerCase()
            .replace(/[^\p{L}\p{N} -]/gu, '')
            .replaceAll(' ', '-'),
        ),
      );
      for (const [, target = ''] of guide(name).matchAll(/\]\(([^)]+)\)/g)) {
        if (target.startsWith('#')) assert.ok(anchors.has(target.slice(1)), `${name}: ${target}`);
        else if (!target.startsWith('http')) assert.ok(existsSync(join(HOME, 'ops', target)), target);
      }
    }
  });

  it('has the step that the bot’s messages send people to', () => {
    assert.match(guide('ops/README.md'), /^## 9\. Izin \(Privileges\)$/m);
    assert.match(guide('ops/README.en.md'), /^## 9\. Privileges \(Izin\)$/m);
    for (const lang of ['id', 'en-US'])
      assert.match(
        readFileSync(join(HOME, `nodes/host/locales/${lang}/chat.yaml`), 'utf8'),
        /(Izin \(Privileges\)|Privileges) .*ops\/README\.md|Privileges step of ops\/README\.md/,
      );
  });

  it('names settings, units and logs that there are', () => {
    const example = readFileSync(join(HOME, '.env.example'), 'utf8');
    for (const name of GUIDES) {
      for (const [, setting = ''] of guide(name).matchAll(/`([A-Z]+_[A-Z_]+)(?:=[^`]*)?`/g))
        assert.match(example, new RegExp(`^# ${setting}=`, 'm'));
      for (const [unit] of guide(name).matchAll(/\bpotion(-\w+)?\.(service|timer)\b/g))
        assert.ok(existsSync(join(HOME, 'ops/install/files/systemd', unit)), unit);
      for (const [, log = ''] of guide(name).matchAll(/\/var\/log\/potion\/(\w+\.log)/g))
        assert.match(
          readFileSync(join(HOME, 'ops/install/files/logrotate'), 'utf8'),
          new RegExp(`/var/log/potion/${log} `),
        );
    }
  });

  it('quotes messages that Potion really gives', () => {
    const texts = [
      'nodes/kit/environment.ts',
      'nodes/kit/locales/en-US/chat.yaml',
      'ops/runtime/boot.ts',
      'ops/runtime/flow-storage.ts',
      'ops/runtime/log.ts',
      'ops/runtime/launch',
    ]
      .map((file) => readFileSync(join(HOME, file), 'utf8'))
      .join('\n');
    for (const part of [
      'These settings need mending',
      'the database {{ file }} is damaged',
      'Potion does not start.',
      'is taken on',
      "runtime.log can't be written",
      "' minutes: waiting '",
    ])
      assert.ok(texts.includes(part), part);
  });

  it('has commands that a shell can read, and as-potion pleases shellcheck', function () {
    for (const name of GUIDES) {
      const { status, stderr } = spawnSync('sh', ['-n'], {
        input: commandsIn(name).join('\n'),
        encoding: 'utf8',
      });
      assert.equal(status, 0, stderr);
    }
    needs(this, 'shellcheck');
    assert.equal(
      spawnSync('shellcheck', ['ops/runtime/as-potion'], { cwd: HOME, encoding: 'utf8' }).stdout,
      '',
    );
  });
});

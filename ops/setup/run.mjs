// Does the set-up that is missing, then runs Potion or one of its tools. Runs on whatever Node the machine
// has (16 and later), so: no dependencies, no new syntax.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installTools } from './tools.mjs';

const HOME = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const CACHE = join(HOME, '.potion');
const OLDEST_NODE = [22, 19];

const say = (text) => process.stderr.write(`potion: ${text}\n`);

class SetupError extends Error {}

/** Runs a program to its end with our terminal; resolves to its exit code. */
function run(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit', cwd: HOME, ...options });
    const forward = (signal) => child.kill(signal);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, forward);
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.off(name, forward);
      resolve(signal ? 1 : (code ?? 1));
    });
  });
}

function fits(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
}

async function npm(args, cwd) {
  const code = await run('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], { cwd });
  if (code !== 0)
    throw new SetupError(
      'npm could not fetch the packages (see above). Check the internet connection and free disk space, then run the same command again.',
    );
}

/** A Node that is new enough: the machine's own, else one of Potion's (fetched once). */
async function fittingNode() {
  if (fits(process.versions.node)) return process.execPath;
  const home = join(CACHE, 'node');
  const source = join(HOME, 'ops', 'setup', 'node');
  const binary = join(home, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node');
  await onceFor(
    join(home, '.stamp'),
    readFileSync(join(source, 'package-lock.json')),
    existsSync(binary),
    async () => {
      say(
        `this machine has Node ${process.versions.node}; fetching Node 24 for Potion alone (once, about 60 MB) …`,
      );
      mkdirSync(home, { recursive: true });
      cpSync(source, home, { recursive: true });
      await npm(['ci'], home);
      if (!existsSync(binary))
        throw new SetupError(
          `there is no ready-made Node for this machine (${process.platform} ${process.arch}). Install Node ${OLDEST_NODE.join('.')} or later yourself, then run the same command again.`,
        );
    },
  );
  return binary;
}

/** Runs `work` unless it was done before for the same content. */
async function onceFor(stamp, content, stillThere, work) {
  const wanted = createHash('sha256').update(content).digest('hex');
  if (stillThere && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  rmSync(stamp, { force: true });
  await work();
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, wanted);
}

async function packages() {
  const lock = readFileSync(join(HOME, 'package-lock.json'));
  await onceFor(
    join(CACHE, 'packages.stamp'),
    lock,
    existsSync(join(HOME, 'node_modules', 'node-red')),
    async () => {
      say('fetching the packages of package-lock.json …');
      await npm(['ci', '--include=dev'], HOME);
    },
  );
}

function* sources(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* sources(path);
    else if (entry.name.endsWith('.ts')) yield path;
  }
}

async function build(node) {
  const files = ['nodes', 'ops'].flatMap((folder) => [...sources(join(HOME, folder))]);
  files.push(...['settings.ts', 'tsconfig.json', 'tsconfig.build.json'].map((name) => join(HOME, name)));
  const state = files.map((file) => `${file} ${statSync(file).mtimeMs} ${statSync(file).size}`).join('\n');
  const built = files.every((file) => !file.endsWith('.ts') || existsSync(file.replace(/\.ts$/, '.js')));
  await onceFor(join(CACHE, 'build.stamp'), state, built, async () => {
    say('building …');
    const code = await run(node, [
      join(HOME, 'node_modules/typescript/bin/tsc'),
      '-p',
      'tsconfig.build.json',
    ]);
    if (code !== 0) throw new SetupError('the build failed; the lines above name file and line.');
  });
}

// Short-lived objects are collected sooner, which saves memory on a small machine for a little processor time.
const SMALL_HEAP = '--max-semi-space-size=4';

const COMMANDS = {
  start: (node, args) =>
    run(node, [
      SMALL_HEAP,
      join(HOME, 'node_modules/node-red/red.js'),
      '--settings',
      join(HOME, 'settings.js'),
      ...args,
    ]),
  build: async () => 0,
  flows: (node, args) => run(node, [join(HOME, 'ops/runtime/flows-cli.js'), ...args]),
  state: (node, args) => run(node, [join(HOME, 'ops/runtime/state-cli.js'), ...args]),
  test: (node, args) => run(node, [join(HOME, 'test/run.mjs'), ...args]),
  chaos: (node, args) => run(node, [join(HOME, 'test/chaos/run.ts'), ...args]),
  bench: (node, args) => run(node, [join(HOME, 'test/bench/run.ts'), ...args]),
};

async function main() {
  const [name = 'start', ...args] = process.argv.slice(2);
  const command = COMMANDS[name];
  if (!command)
    throw new SetupError(`there is no "${name}"; choose one of: ${Object.keys(COMMANDS).join(', ')}`);
  const node = await fittingNode();
  process.env.POTION_HOME = process.env.POTION_HOME || HOME;
  // Compiled code is kept between starts, which shortens each by a quarter.
  process.env.NODE_COMPILE_CACHE = process.env.NODE_COMPILE_CACHE || join(CACHE, 'compiled');
  // npm runs on the Node that it came with; only then does Potion's own come first.
  await packages();
  process.env.PATH = dirname(node) + delimiter + process.env.PATH;
  await build(node);
  if (name === 'test' || name === 'chaos' || name === 'bench') await installTools(say, HOME);
  return command(node, args);
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    say(error instanceof SetupError ? error.message : `set-up failed: ${error.stack}`);
    process.exitCode = 1;
  },
);

// `npm test`: the habits (format, lint, floors, types, unused code, flows) and then every test.
// `npm test -- <mocha arguments>` runs only the tests named.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HOME = join(dirname(fileURLToPath(import.meta.url)), '..');
const bin = (name) => join(HOME, 'node_modules', '.bin', name);
const chosen = process.argv.slice(2);
// More than that is no chance.
const MOST = 5;

const HABITS = [
  [
    'format, lint and floors',
    bin('biome'),
    ['check', '--error-on-warnings', '.'],
    'npm run format mends most of it',
  ],
  ['types', bin('tsc'), ['-p', '.'], 'the lines above name file and line'],
  ['unused code', process.execPath, ['test/unused.mjs'], 'remove it, or use it'],
  ['flows', process.execPath, ['ops/runtime/flows-cli.js', 'check'], 'the lines above name tab and node'],
];

function run(program, args) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: 'inherit', cwd: HOME });
    child.on('error', () => resolve(127));
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

let failed = 0;
if (chosen.length === 0) {
  for (const [name, program, args, hint] of HABITS) {
    const code = await run(program, args);
    process.stdout.write(`${code === 0 ? '✔' : '✖'} ${name}${code === 0 ? '' : ` (${hint})`}\n`);
    if (code !== 0) failed++;
  }
}

const LIST = join(tmpdir(), `potion-failed-${process.pid}.json`);
const mocha = (specs) => {
  rmSync(LIST, { force: true });
  process.env.FAILED_LIST = LIST;
  return run(bin('mocha'), ['--reporter', 'test/support/reporter.cjs', ...specs]);
};

/** The tests that failed, if these are few enough, and such that a busy machine may have upset them. */
function worthASecondTry() {
  const list = existsSync(LIST) ? JSON.parse(readFileSync(LIST, 'utf8')) : [];
  // What a random input has brought to light would only hide again.
  const hopeless = list.length > MOST || list.some(({ file, found }) => found || !file);
  return hopeless ? [] : list;
}

let code = await mocha(chosen.length > 0 ? chosen : ['test/**/*.spec.ts']);
const again = code === 0 ? [] : worthASecondTry();
if (again.length > 0) {
  process.stdout.write(`\n${again.length} failed; once more, with nothing beside:\n`);
  code = await mocha([...new Set(again.map(({ file }) => file))]);
  for (const { title } of code === 0 ? again : [])
    process.stdout.write(`passed only when run again (mend it): ${title}\n`);
}
rmSync(LIST, { force: true });
if (failed > 0) process.stdout.write(`${failed} habit(s) broken, see above\n`);
process.exitCode = failed > 0 || code !== 0 ? 1 : 0;

import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export const HOME = join(import.meta.dirname, '..', '..');
export const TOKEN = `\${BOT_TOKEN}`;
export const run = promisify(execFile);

interface Answer {
  code: number;
  out: string;
}

export const MAIN = { id: 'main', type: 'tab', label: 'Main' };
export const INJECT = {
  id: 'go',
  type: 'inject',
  z: 'main',
  name: 'go',
  props: [],
  x: 120,
  y: 80,
  wires: [['show']],
};
export const SHOW = { id: 'show', type: 'debug', z: 'main', name: 'show', x: 400, y: 80, wires: [] };
export const BOT = { id: 'bot', type: 'telegram bot', botname: 'b' };

/** For the tests of a describe: a folder of its own for each, with a folder of flow files in it. */
export function useFlowsCli() {
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
  const setUp = () => {
    put('flows/main.json', [MAIN, INJECT, SHOW]);
    put('flows/config.json', [BOT]);
    put('flows/credentials.json', { bot: { token: TOKEN } });
  };

  return {
    /** Where the command is called, and what its relative names start from. */
    get top() {
      return top;
    },
    get flowsDir() {
      return flowsDir;
    },
    flows,
    put,
    have,
    setUp,
  };
}

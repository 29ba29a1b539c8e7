import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startSandbox } from '../../ops/sandbox/server.js';
import { HOME } from '../support/node-red.ts';
import { FAKE_TOKEN, freePort, startPotion } from '../support/potion.ts';
import { median, type Row } from './table.ts';

const ROUNDS = 3;
const SETTLE = 20_000;

interface Measured {
  /** Milliseconds from the start of the process to "Started flows". */
  start: number;
  /** Bytes resident 20 s later. */
  rss: number;
  /** Seconds of processor time used in those 20 s. */
  cpu: number;
}

/** Start-up time, memory and idle processor time of Potion and of bare Node-RED + telegrambot, in turns. */
export async function startUp(): Promise<Row[]> {
  const sandbox = await startSandbox({ token: FAKE_TOKEN });
  const bare: Measured[] = [];
  const potion: Measured[] = [];
  try {
    for (let round = 0; round < ROUNDS; round++) {
      bare.push(await measureBare(sandbox.url));
      potion.push(await measurePotion(sandbox.url));
    }
  } finally {
    await sandbox.stop();
  }
  const of = (all: Measured[], part: keyof Measured) => median(all.map((one) => one[part]));
  const ratio = (part: keyof Measured) => (of(potion, part) / of(bare, part)).toFixed(2);
  const bareName = 'bare Node-RED + telegrambot';
  return [
    {
      what: 'start-up (to "Started flows")',
      figure: `${ratio('start')}× (${of(potion, 'start').toFixed(0)} ms)`,
      against: `${bareName} (${of(bare, 'start').toFixed(0)} ms)`,
      aim: '≤ 1.2×',
    },
    {
      what: 'memory (RSS after 20 s)',
      figure: `${ratio('rss')}× (${(of(potion, 'rss') / 2 ** 20).toFixed(0)} MB)`,
      against: `${bareName} (${(of(bare, 'rss') / 2 ** 20).toFixed(0)} MB)`,
      aim: '≤ 1.2×',
    },
    {
      what: 'processor at the default sampling',
      figure: `${((100 * of(potion, 'cpu')) / (SETTLE / 1000)).toFixed(2)} % of a core`,
      against: `${bareName} (${((100 * of(bare, 'cpu')) / (SETTLE / 1000)).toFixed(2)} %)`,
      aim: '≤ 0.5 %',
    },
  ];
}

async function measurePotion(api: string): Promise<Measured> {
  const started = performance.now();
  const potion = await startPotion({
    flowsDir: join(HOME, 'flows'),
    // As `npm start` does.
    nodeArgs: ['--max-semi-space-size=4'],
    env: { TELEGRAM_API_URL: api, ADMIN_IDS: '1', NODE_COMPILE_CACHE: join(HOME, '.potion/compiled') },
  });
  try {
    await potion.waitFor('Started flows', 60_000);
    return await settle(potion.pid, performance.now() - started);
  } finally {
    await potion.stop();
  }
}

async function measureBare(api: string): Promise<Measured> {
  const home = mkdtempSync(join(tmpdir(), 'potion-bare-'));
  const port = await freePort();
  writeFileSync(
    join(home, 'settings.js'),
    `module.exports = { uiHost: '127.0.0.1', uiPort: ${port}, flowFile: 'flows.json', credentialSecret: false,
      telemetry: { enabled: false } };`,
  );
  const bot = {
    id: 'bot',
    type: 'telegram bot',
    botname: 'bare',
    usernames: '',
    chatids: '',
    baseapiurl: api,
  };
  const polling = { updatemode: 'polling', pollinterval: 300, usesocks: false };
  writeFileSync(
    join(home, 'flows.json'),
    JSON.stringify([
      { id: 'tab', type: 'tab', label: 'bare' },
      { ...bot, ...polling },
      { id: 'receiver', z: 'tab', type: 'telegram receiver', bot: 'bot', x: 100, y: 100, wires: [[], []] },
    ]),
  );
  writeFileSync(join(home, 'flows_cred.json'), JSON.stringify({ bot: { token: FAKE_TOKEN } }));
  const started = performance.now();
  const child = spawn(
    process.execPath,
    [join(HOME, 'node_modules/node-red/red.js'), '-s', join(home, 'settings.js'), '-u', home],
    { cwd: home, stdio: ['ignore', 'pipe', 'ignore'] },
  );
  try {
    let said = '';
    await new Promise<void>((resolve, reject) => {
      child.stdout.on('data', (data) => {
        said += data;
        if (said.includes('Started flows')) resolve();
      });
      child.once('exit', () => reject(new Error(`bare Node-RED ended:\n${said}`)));
    });
    return await settle(child.pid as number, performance.now() - started);
  } finally {
    child.removeAllListeners('exit');
    child.kill('SIGKILL');
    rmSync(home, { recursive: true, force: true });
  }
}

async function settle(pid: number, start: number): Promise<Measured> {
  await sleep(5000);
  const before = processorSeconds(pid);
  await sleep(SETTLE);
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const rss = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024;
  return { start, rss, cpu: processorSeconds(pid) - before };
}

/** User and system time of a process so far (proc(5): fields 14 and 15 of stat, in ticks of 1/100 s). */
function processorSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const HOME = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** A token of the right form that no bot has. */
export const FAKE_TOKEN = '1234567:AAFakeFakeFakeFakeFakeFakeFakeFakeFake';

// Variables that a developer's own .env must not bring into a test; what is set, though empty, stays.
const KNOWN =
  `BOT_TOKEN ADMIN_IDS OWNER_BOT_TOKEN OWNER_IDS TELEGRAM_API_URL DATA_DIR LOG_DIR BACKUP_DIR HDD_MOUNT FLOWS_DIR
  SERVICES_WHITELIST SCRIPTS_FILE SERVER_NAME POTION_LANG POTION_PORT EDITOR_BIND EDITOR_LOGINS EDITOR_USER EDITOR_PASSWORD_HASH
  HEARTBEAT_URL PING_FAVORITES PUBLIC_IP_URLS LOG_LEVEL`.split(/\s+/);

export interface PotionOptions {
  /** Added to the environment, e.g. `{ BOT_TOKEN: '', ADMIN_IDS: '42' }`. */
  env?: Record<string, string>;
  /** Default: an empty folder of its own. */
  flowsDir?: string;
  /** Default: a folder of its own, removed by stop(). Give the one of an earlier run to go on with it. */
  dataDir?: string;
  port?: number;
  /** Put before the command, e.g. to run it in a network namespace; `url` is then only good inside. */
  within?: string[];
  /** Arguments for Node itself, e.g. `--max-old-space-size=64`. */
  nodeArgs?: string[];
}

/** How the process ended. */
export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A whole Potion in its own process, started as a person starts it. */
export interface Potion {
  /** The editor's address, without a slash at the end. */
  url: string;
  port: number;
  pid: number;
  dataDir: string;
  flowsDir: string;
  /** Resolves when the process has ended. */
  ended: Promise<Ended>;
  /** What it has written to the console so far. */
  console(): string;
  /** What stands in runtime.log; empty while there is none. */
  log(): string;
  /** Waits for a piece of text on the console. Fails when the process ends first, or after `ms`. */
  waitFor(text: string | RegExp, ms?: number): Promise<void>;
  /** Waits until the editor answers and the flows have started. */
  waitReady(ms?: number): Promise<void>;
  /** Waits until health answers 200; the failure names the ailing parts. */
  waitHealthy(ms?: number): Promise<void>;
  /** A request to the admin API. A `body` is sent as JSON by POST unless `method` says otherwise. */
  admin(path: string, options?: AdminOptions): Promise<AdminAnswer>;
  /** Ends it cleanly (SIGTERM), waits for that, and removes the folders that were made for it. */
  stop(): Promise<Ended>;
  /** SIGKILL: nothing is flushed, closed or said. The folders stay for the next start. */
  kill(): Promise<Ended>;
}

export interface AdminOptions {
  method?: string;
  body?: unknown;
  headers?: Record<string, string>;
}

export interface AdminAnswer {
  status: number;
  /** The body: parsed when it was JSON, else its text. */
  body: unknown;
}

/** What a failed test, or kill(), has left behind goes with the process of the tests. */
const leftovers = new Set<() => void>();
process.once('exit', () => {
  for (const tidy of leftovers) tidy();
});

/** A port of loopback that nothing listens on right now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/**
 * Starts the built Potion with settings.js in a process of its own. Returns at once; wait with waitReady(),
 * waitHealthy(), waitFor() or `ended`. Telegram is a closed port unless `env` says otherwise.
 */
export async function startPotion(options: PotionOptions = {}): Promise<Potion> {
  const own = mkdtempSync(join(tmpdir(), 'potion-'));
  const dataDir = options.dataDir ?? join(own, 'data');
  const flowsDir = options.flowsDir ?? join(own, 'flows');
  mkdirSync(dataDir, { recursive: true });
  if (!options.flowsDir) mkdirSync(flowsDir);
  const port = options.port ?? (await freePort());
  const env: Record<string, string | undefined> = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    TZ: process.env.TZ,
    ...Object.fromEntries(KNOWN.map((name) => [name, ''])),
    BOT_TOKEN: FAKE_TOKEN,
    TELEGRAM_API_URL: 'http://127.0.0.1:9',
    DATA_DIR: dataDir,
    FLOWS_DIR: flowsDir,
    POTION_PORT: String(port),
    ...options.env,
  };
  const args = [...(options.nodeArgs ?? []), 'node_modules/node-red/red.js', '-s', 'settings.js'];
  const [program = '', ...given] = [...(options.within ?? []), process.execPath, ...args];
  const child = spawn(program, given, { cwd: HOME, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stdout.on('data', (data) => {
    said += data;
  });
  child.stderr.on('data', (data) => {
    said += data;
  });
  const tidy = () => {
    leftovers.delete(tidy);
    child.kill('SIGKILL');
    rmSync(own, { recursive: true, force: true });
  };
  leftovers.add(tidy);
  let over: Ended | undefined;
  const ended = new Promise<Ended>((resolve) =>
    child.once('close', (code, signal) => {
      over = { code, signal };
      resolve(over);
    }),
  );

  /** Asks again and again until there is no complaint left. */
  const until = async (what: string, ms: number, complaint: () => Promise<string | undefined>) => {
    const end = performance.now() + ms;
    for (;;) {
      const wrong = await complaint();
      if (wrong === undefined) return;
      if (over) throw new Error(`Potion ended (${over.code ?? over.signal}) before ${what}:\n${said}`);
      if (performance.now() > end) throw new Error(`not ${what} within ${ms} ms: ${wrong}\n${said}`);
      await sleep(20);
    }
  };
  const url = `http://127.0.0.1:${port}`;
  const admin = (path: string, asked: AdminOptions = {}) => request(url + path, asked);
  const health = async () => {
    const answer = await admin('/potion/health').catch((error) => String(error.cause ?? error));
    if (typeof answer === 'string') return { ok: false, flows: false, text: answer };
    const body = answer.body as { parts?: { flows?: { ok?: boolean } } };
    return {
      ok: answer.status === 200,
      flows: body.parts?.flows?.ok === true,
      text: JSON.stringify(answer.body),
    };
  };

  return {
    url,
    port,
    pid: child.pid as number,
    dataDir,
    flowsDir,
    ended,
    console: () => said,
    log: () => {
      try {
        return readFileSync(join(env.LOG_DIR || join(dataDir, 'logs'), 'runtime.log'), 'utf8');
      } catch {
        return '';
      }
    },
    waitFor: (text, ms = 10_000) =>
      until(`"${text}"`, ms, async () =>
        (typeof text === 'string' ? said.includes(text) : text.test(said)) ? undefined : 'not on the console',
      ),
    waitReady: (ms = 20_000) =>
      until('ready', ms, async () => {
        const now = await health();
        return now.flows ? undefined : now.text;
      }),
    waitHealthy: (ms = 30_000) =>
      until('healthy', ms, async () => {
        const now = await health();
        return now.ok ? undefined : now.text;
      }),
    admin,
    stop: async () => {
      child.kill('SIGTERM');
      const how = await ended;
      tidy();
      return how;
    },
    kill: () => {
      child.kill('SIGKILL');
      return ended;
    },
  };
}

async function request(url: string, { method, body, headers }: AdminOptions): Promise<AdminAnswer> {
  const response = await fetch(url, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  const json = response.headers.get('content-type')?.includes('json');
  return { status: response.status, body: json ? JSON.parse(text) : text };
}

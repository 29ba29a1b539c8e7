import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HOME } from '../support/node-red.ts';
import { TOKEN } from '../support/sandbox.ts';

export interface Ran {
  code: number;
  out: string;
  err: string;
}

/** A folder for the program's files, a Potion that answers as told, and the program itself. */
export class Bench {
  readonly folder = mkdtempSync(join(tmpdir(), 'potion-health-'));
  /** What the stand-in for Potion answers; undefined: it is not there. */
  potion: { status: number; body: string } | undefined = WELL;
  env: Record<string, string> = {};
  readonly #server: Server;
  #port = 0;

  constructor() {
    this.#server = createServer((_request, response) => {
      if (!this.potion) response.destroy();
      else response.writeHead(this.potion.status).end(this.potion.body);
    });
  }

  async start(api: string): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
    this.env = {
      BOT_TOKEN: TOKEN,
      ADMIN_IDS: '100001',
      TELEGRAM_API_URL: api,
      POTION_LANG: 'en-US',
      SERVER_NAME: 'laptop',
      DATA_DIR: join(this.folder, 'data'),
      LOG_DIR: join(this.folder, 'logs'),
      POTION_PORT: String(this.#port),
    };
    return this;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Runs the program to its end. */
  async run(args: string[] = [], home = HOME): Promise<Ran> {
    const env = { PATH: process.env.PATH, POTION_HOME: home, TZ: 'UTC', ...this.env };
    const program = join(home, 'ops/health/potion-health.js');
    return new Promise((resolve) => {
      execFile(process.execPath, [program, ...args], { env, timeout: 60_000 }, (error, out, err) =>
        resolve({ code: error ? Number(error.code ?? -1) : 0, out, err }),
      );
    });
  }

  /** Runs as the timer does, so many looks, five minutes apart. */
  async looks(count: number): Promise<Ran[]> {
    const all: Ran[] = [];
    for (let i = 0; i < count; i++) {
      all.push(await this.run());
      this.timePasses(5);
    }
    return all;
  }

  /** Lets the last look have been so many minutes ago. */
  timePasses(minutes: number): void {
    const earlier = (value: unknown): unknown => {
      if (typeof value === 'number') return value > 1e12 ? value - minutes * 60_000 : value;
      if (Array.isArray(value)) return value.map(earlier);
      if (value && typeof value === 'object')
        return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, earlier(inner)]));
      return value;
    };
    for (const folder of [join(this.env.DATA_DIR ?? '', 'health'), this.env.RUNTIME_DIRECTORY]) {
      const file = join(folder ?? this.folder, 'state.json');
      const text = this.read(file);
      if (!text.startsWith('{')) continue;
      const state = earlier(JSON.parse(text)) as { uptime: number };
      state.uptime -= minutes * 60;
      writeFileSync(file, JSON.stringify(state));
    }
  }

  read(file: string): string {
    try {
      return readFileSync(file, 'utf8');
    } catch {
      return '';
    }
  }

  get log(): string {
    return this.read(join(this.env.LOG_DIR ?? '', 'health.log'));
  }

  get result(): Record<string, unknown> {
    return JSON.parse(this.read(join(this.env.DATA_DIR ?? '', 'health', 'last_health.json')));
  }
}

const parts = (flows: object) => JSON.stringify({ parts: { flows, database: { ok: true } } });
export const WELL = { status: 200, body: parts({ ok: true }) };
export const AILING = { status: 503, body: parts({ ok: false, reason: 'the flows <are> stopped' }) };

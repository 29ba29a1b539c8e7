import { rmSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { uptime } from 'node:os';
import { join } from 'node:path';
import type { NodeAPI } from 'node-red';
import { config } from '../../nodes/kit/config.js';
import { judgeHealth } from '../../nodes/kit/health.js';
import { pulseOf } from '../../nodes/kit/pulse.js';
import { redact } from '../../nodes/kit/redact.js';
import { damageSeen } from '../../nodes/state/damage.js';
import { database } from '../../nodes/state/database.js';
import { oldestDue } from '../../nodes/state/outbox-delivery.js';
import { databaseWrites } from '../../nodes/state/probe.js';
import { CoreGuard } from './core-guard.js';
import { coreStands } from './core-stands.js';
import { type ServiceManager, serviceManager } from './systemd-socket.js';
import { TriedRestarts } from './tried-restarts.js';

/** Looks at the core at least this often; a third of the watchdog's limit where that is shorter. */
const LOOK_EVERY = 20_000;
/** The start is given so much more time again and again, ms, for as long as this in all. */
const MORE_TIME = 60_000;
const LONGEST_START = 300_000;

/**
 * Node-RED plugin: tells systemd that Potion is ready, how it is, and again and again that it lives. It is silent
 * where systemd did not start this process.
 */
export default function notify(RED: NodeAPI): void {
  const manager = serviceManager(process.env);
  if (manager) new Notifier(RED, manager).start();
}

type Flows = 'running' | 'stopped' | 'excused';

class Notifier {
  readonly #RED: NodeAPI;
  readonly #manager: ServiceManager;
  readonly #every: number;
  readonly #guard: CoreGuard;
  #flows: Flows = 'stopped';
  #excuse = '';
  #ready = false;
  #stopping = false;
  #asking = false;
  #free: number | undefined;
  #overdue: string | undefined;
  #said = '';

  constructor(RED: NodeAPI, manager: ServiceManager) {
    this.#RED = RED;
    this.#manager = manager;
    this.#every = Math.min(LOOK_EVERY, (manager.watchdog ?? LOOK_EVERY * 3) / 3);
    this.#guard = new CoreGuard(new TriedRestarts(process.env.RUNTIME_DIRECTORY), this.#every * 2);
  }

  start(): void {
    const { events } = this.#RED;
    events.on('flows:started', () => this.#turned('running'));
    events.on('flows:stopping', () => this.#turned('stopped'));
    events.on('runtime-event', ({ id, payload }: RuntimeEvent) => {
      const why = id === 'runtime-state' && payload && excuseIn(payload);
      if (why) this.#turned('excused', why);
    });
    const timer = setInterval(() => this.#look(), this.#every);
    for (const signal of ['SIGTERM', 'SIGINT'] as const)
      process.once(signal, () => {
        clearInterval(timer);
        this.#stopping = true;
        this.#manager.tell(['STOPPING=1', 'STATUS=Stopping']);
        forgetStarts();
      });
    this.#look();
  }

  /**
   * Flows that can't run for a reason of their own count as started: a restart brings no missing node type, and
   * the editor, where it is mended, must stay.
   */
  #turned(flows: Flows, excuse = ''): void {
    this.#flows = flows;
    this.#excuse = excuse;
    if (flows === 'stopped' || this.#stopping) return;
    const first = this.#ready ? [] : ['READY=1'];
    this.#ready = true;
    // The parts have yet to give their first sign of life; the next look says how they are.
    this.#manager.tell([...first, statusLine(flows === 'excused' ? this.#words() : 'Started')]);
  }

  #look(): void {
    const now = performance.now();
    const stands = coreStands({
      flows: this.#flows,
      pulseOf,
      free: this.#free,
      damaged: damageSeen() !== undefined,
      overdue: this.#overdue,
    });
    const { restart, hopeless } = this.#guard.look(stands, now, uptime());
    if (restart) this.#log(`Potion lets systemd restart it: ${restart}`);
    else if (hopeless) this.#log(`A restart did not mend this: ${hopeless}`);
    else this.#said = '';
    const lines = restart ? [] : ['WATCHDOG=1'];
    if (!this.#ready && now < LONGEST_START) lines.push(`EXTEND_TIMEOUT_USEC=${MORE_TIME * 1000}`);
    this.#manager.tell([...lines, statusLine(restart ? `To be restarted: ${restart}` : this.#words())]);
    // What is asked now is judged at the next look: this one waits for nothing.
    if (!this.#asking) void this.#ask();
  }

  async #ask(): Promise<void> {
    this.#asking = true;
    await databaseWrites();
    this.#free = await freeIn(config().dataDir);
    this.#overdue = await overdueMessage();
    this.#asking = false;
  }

  #log(words: string): void {
    if (words !== this.#said) this.#RED.log.error(words);
    this.#said = words;
  }

  #words(): string {
    if (!this.#ready) return 'Starting';
    if (this.#flows === 'excused') return `The flows do not run: ${this.#excuse}. Mend it in the editor.`;
    const { ok, parts } = judgeHealth(pulseOf, Date.now());
    if (ok) return 'Healthy';
    return Object.entries(parts)
      .filter(([, part]) => !part.ok)
      .map(([name, { reason }]) => `${name}: ${reason}`)
      .join('; ');
  }
}

/** After an orderly stop ops/runtime/launch has no reason to slow down the next start. */
function forgetStarts(): void {
  const folder = process.env.RUNTIME_DIRECTORY;
  if (folder) rmSync(join(folder, 'starts'), { force: true });
}

/** Node-RED's word on why flows stand still. */
interface RuntimeEvent {
  id?: string;
  payload?: RuntimeState;
}

interface RuntimeState {
  state?: string;
  deploy?: boolean;
  error?: string;
  types?: string[];
  modules?: { module: string }[];
}

/** Why the flows do not run, when that is meant or only a person can end it. */
function excuseIn({ state, deploy, error, types, modules }: RuntimeState): string | undefined {
  // Between two deploys they stop as well, and come back.
  if (state === undefined || state === 'start' || (error === undefined && deploy)) return undefined;
  const names = types ?? modules?.map(({ module }) => module) ?? [];
  return [(error ?? 'stopped').replaceAll('-', ' '), names.join(', ')].filter(Boolean).join(': ');
}

async function freeIn(folder: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}

async function overdueMessage(): Promise<string | undefined> {
  try {
    return await oldestDue(await database(), Date.now());
  } catch {
    // The database has a stand of its own.
    return undefined;
  }
}

function statusLine(text: string): string {
  const { heartbeatUrl, editorPasswordHash } = config();
  return `STATUS=${redact(text.replace(/\s+/g, ' '), [heartbeatUrl, editorPasswordHash]).slice(0, 300)}`;
}

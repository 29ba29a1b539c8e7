import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cancel } from '../../kit/clock.js';
import { config } from '../../kit/config.js';
import { type Behaviour, defineNode, type NodeContext } from '../../kit/define-node.js';
import { PotionError } from '../../kit/errors.js';
import { type Health, judgeHealth } from '../../kit/health.js';
import type { Message } from '../../kit/messages.js';
import { pulseOf } from '../../kit/pulse.js';
import { replaceFile } from '../../kit/write-file.js';
import { databaseWrites } from '../../state/probe.js';
import { Outage } from './outage.js';
import { failAddress, ping } from './ping.js';

interface HeartbeatConfig {
  /** Seconds between two beats. */
  interval: number | string;
  /** While ailing, ping `<address>/fail` as healthchecks.io has it; else just keep silent. */
  fail: boolean;
}

/** What `last_health.json` holds. */
interface LastHealth extends Health {
  /** ISO 8601, and the same as epoch ms. */
  time: string;
  at: number;
  server: string;
  /** What metrics measured last, and when (epoch ms). */
  sample?: object;
  sampledAt?: number;
}

const FILE = 'last_health.json';
/** By then the parts have begun their work. */
const FIRST_BEAT = 5_000;
/** A start is no illness: until the parts have had this long, being ailing is not told outside. */
const GRACE = 120_000;
/** Pings that have to fail in a row before that is reported: a line that drops one is no news. */
const PINGS_MISSED = 3;
const LONGEST_SAMPLE = 65_536;

export default defineNode<HeartbeatConfig>({
  type: 'potion-heartbeat',
  version: 1,
  check({ interval }) {
    if (!(Number(interval) >= 5 && Number(interval) <= 3600))
      throw new PotionError('INVALID', 'heartbeat.errors.interval', { value: interval });
  },
  create: (ctx) => new Heartbeat(ctx),
});

class Heartbeat implements Behaviour {
  readonly #ctx: NodeContext<HeartbeatConfig>;
  readonly #pings = new Outage(PINGS_MISSED);
  readonly #writes = new Outage(1);
  readonly #timers: Cancel[] = [];
  #startedAt = 0;
  #beating: Promise<void> | undefined;
  #sample: { sample: object; sampledAt: number } | undefined;

  constructor(ctx: NodeContext<HeartbeatConfig>) {
    this.#ctx = ctx;
  }

  start(): void {
    const { clock, config } = this.#ctx;
    this.#startedAt = clock.monotonic();
    const beat = () => {
      // A beat that hangs (a slow disk, a slow network) is not overtaken by the next.
      this.#beating ??= this.#beat().finally(() => {
        this.#beating = undefined;
      });
    };
    this.#timers.push(clock.after(FIRST_BEAT, beat), clock.every(Number(config.interval) * 1000, beat));
  }

  input({ payload, timestamp }: Message): undefined {
    if (typeof payload !== 'object' || payload === null || Array.isArray(payload))
      throw new PotionError('INVALID', 'heartbeat.errors.sample');
    if (JSON.stringify(payload).length > LONGEST_SAMPLE)
      throw new PotionError('INVALID', 'heartbeat.errors.sample-size', { most: LONGEST_SAMPLE });
    this.#sample = { sample: payload, sampledAt: timestamp ?? this.#ctx.clock.now() };
  }

  async stop(): Promise<void> {
    for (const cancel of this.#timers) cancel();
    await this.#beating;
  }

  async #beat(): Promise<void> {
    const { clock, send, signal } = this.#ctx;
    const now = clock.now();
    await databaseWrites(now);
    if (signal.aborted) return;
    const { serverName: server } = config();
    const time = new Date(now).toISOString();
    const health: LastHealth = { time, at: now, server, ...judgeHealth(pulseOf, now), ...this.#sample };
    await this.#write(health);
    const missed = await this.#ping(health.ok);
    if (signal.aborted) return;
    this.#show(health, missed);
    send({ payload: health, timestamp: now });
  }

  async #write(health: LastHealth): Promise<void> {
    const { dataDir } = config();
    const file = join(dataDir, FILE);
    try {
      await mkdir(dataDir, { recursive: true, mode: 0o750 });
      await replaceFile(file, `${JSON.stringify(health, null, 2)}\n`);
      this.#writes.over();
    } catch (thrown) {
      if (this.#writes.again())
        this.#ctx.fail(new PotionError('FAILED', 'heartbeat.errors.file', { file }, thrown));
    }
  }

  /** @returns why the ping failed, if one was due and did */
  async #ping(healthy: boolean): Promise<string | undefined> {
    const { heartbeatUrl } = config();
    const { clock, config: own, signal } = this.#ctx;
    const settled = clock.monotonic() - this.#startedAt >= GRACE;
    if (!heartbeatUrl || !(healthy || (own.fail !== false && settled))) return undefined;
    const result = await ping(healthy ? heartbeatUrl : failAddress(heartbeatUrl), signal);
    if (signal.aborted) return undefined;
    if (result.ok) {
      this.#pings.over();
      return undefined;
    }
    if (this.#pings.again())
      this.#ctx.fail(new PotionError('UNAVAILABLE', 'heartbeat.errors.ping', { why: result.why }));
    return result.why;
  }

  #show(health: LastHealth, missed: string | undefined): void {
    const { t, status } = this.#ctx;
    const ailing = Object.entries(health.parts).filter(([, part]) => !part.ok);
    const parts = ailing.map(([name]) => name).join(', ');
    const key = ailing.length > 0 ? 'ailing' : missed === undefined ? 'well' : 'unheard';
    const fill = ({ ailing: 'red', unheard: 'yellow', well: 'green' } as const)[key];
    status({ fill, text: t(`heartbeat.status.${key}`, { at: health.at, parts, why: missed }) });
  }
}

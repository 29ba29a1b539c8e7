import { bootId, bootTime } from '../../host/boot-id.js';
import { clockSettled, clockTrust } from '../../host/clock-trust.js';
import type { Cancel } from '../../kit/clock.js';
import { config } from '../../kit/config.js';
import { type Behaviour, defineNode, type NodeContext } from '../../kit/define-node.js';
import { PotionError } from '../../kit/errors.js';
import type { Message } from '../../kit/messages.js';
import { type Database, database } from '../../state/database.js';
import {
  type Beginning,
  forgetLife,
  keepBeginning,
  keepLife,
  type Life,
  lastLife,
} from '../../state/lifecycle.js';
import { withDatabase } from '../../state/patience.js';
import { forgetPowerIntent, powerIntent } from '../../state/power-intent.js';
import { askedFor, isWorthTelling, judgeStart, type Start } from './judge-start.js';

interface BootConfig {
  /** Tell of every orderly restart of Potion alone, however short. */
  restarts: boolean;
  /** Seconds after which an orderly restart is told anyhow. */
  long: number | string;
}

/** By then the nodes that the message goes to are there. */
const FLOWS_STARTED = 1000;
/** Time for the message to get into the outbox. After a crash before that the next start tells it again. */
const TOLD_AFTER = 2000;
/** How long to wait for the network's time before going by what the clock says. */
const CLOCK_WAIT = 60_000;
const ALIVE_EVERY = 30_000;

interface ThisProcess {
  /** Monotonic ms at which the first boot node was created. */
  since?: number;
  told: boolean;
  /** Id of the one node that does the work. */
  owner?: string;
}

// A deploy makes new nodes but is no start.
let thisProcess: ThisProcess = { told: false };

/** Lets the nodes created from now on take this process for a new one; for tests. */
export function asNewProcess(): void {
  thisProcess = { told: false };
}

export default defineNode<BootConfig>({
  type: 'potion-boot',
  version: 1,
  check({ long }) {
    if (long === '' || !(Number(long) >= 0))
      throw new PotionError('INVALID', 'boot.errors.long', { value: long });
  },
  create: (ctx) => new Boot(ctx),
});

class Boot implements Behaviour {
  readonly #ctx: NodeContext<BootConfig>;
  #last: Life | undefined;
  #cancel: Cancel = () => {};
  #working: Promise<void> = Promise.resolve();
  #failing = false;

  constructor(ctx: NodeContext<BootConfig>) {
    this.#ctx = ctx;
  }

  async start(): Promise<void> {
    const { id, clock, t } = this.#ctx;
    if (thisProcess.owner !== undefined) {
      this.#ctx.status({ fill: 'grey', shape: 'ring', text: t('boot.status.second') });
      return;
    }
    thisProcess.owner = id;
    thisProcess.since ??= clock.monotonic();
    await withDatabase(this.#ctx, (db) => this.#begin(db));
  }

  async #begin(db: Database): Promise<void> {
    if (thisProcess.told) {
      this.#stayAlive(db);
      return;
    }
    this.#last = await lastLife(db);
    // Should this process end before it has told anything, that was no orderly end.
    if (this.#last?.clean) await keepLife(db, { ...this.#last, clean: false });
    this.#after(FLOWS_STARTED, () => this.#tell(db));
  }

  async stop(removed: boolean): Promise<void> {
    if (thisProcess.owner !== this.#ctx.id) return;
    this.#cancel();
    await this.#working;
    thisProcess.owner = undefined;
    const db = await database();
    if (removed) await forgetLife(db);
    else if (thisProcess.told) await keepLife(db, { ...this.#life(), clean: true });
    // Nothing was told yet, so the last life stays what it was.
    else if (this.#last) await keepLife(db, this.#last);
  }

  async #tell(db: Database): Promise<void> {
    const { clock, signal, send, t } = this.#ctx;
    const last = this.#last;
    const id = bootId();
    if (last && last.bootId !== id) await clockSettled(clock, CLOCK_WAIT, signal);
    if (signal.aborted) return;
    const { startedAt } = this.#life();
    const trust = clockTrust(clock.now());
    const start = judgeStart(last, { bootId: id, bootTime: bootTime(clock.now()), startedAt, clock: trust });
    const asked = askedFor(start, await powerIntent(db));
    if (asked) start.asked = asked;
    const { restarts, long } = this.#ctx.config;
    if (isWorthTelling(start, { restarts, long: Number(long) })) send(messageOf(start, last));
    await keepBeginning(db, beginningOf(start));
    thisProcess.told = true;
    this.#ctx.status({ fill: 'green', text: t(`boot.status.${start.kind}`, { start }) });
    this.#after(TOLD_AFTER, async () => {
      if (asked) await forgetPowerIntent(db);
      this.#stayAlive(db);
    });
  }

  #stayAlive(db: Database): void {
    const beat = () => this.#work(() => keepLife(db, this.#life()));
    beat();
    this.#cancel = this.#ctx.clock.every(ALIVE_EVERY, beat);
  }

  #life(): Life {
    const { clock } = this.#ctx;
    const running = clock.monotonic() - (thisProcess.since ?? 0);
    // By the clock as it goes now: it may have been set right since.
    const startedAt = Math.round(clock.now() - running);
    return { bootId: bootId(), startedAt, aliveAt: clock.now(), clean: false };
  }

  #after(ms: number, work: () => Promise<void>): void {
    this.#cancel = this.#ctx.clock.after(ms, () => this.#work(work));
  }

  // A disk that stays full is told once, not every half minute.
  #work(work: () => Promise<void>): void {
    this.#working = work().then(
      () => {
        this.#failing = false;
      },
      (thrown: unknown) => {
        if (!this.#failing) this.#ctx.fail(thrown);
        this.#failing = true;
      },
    );
  }
}

function beginningOf({ kind, bootId, startedAt: at, clean, off, asked }: Start): Beginning {
  return { kind, bootId, at, clean, off: off?.took ?? null, ...(asked ? { asked: asked.action } : {}) };
}

function messageOf(start: Start, last: Life | undefined): Message {
  const payload = { ...start, server: config().serverName };
  // Whoever has asked for it waits for this.
  const calm = start.clean && start.kind !== 'first' && !start.asked;
  const dedupe = `boot:${start.bootId}:${last?.aliveAt ?? 'first'}`;
  return {
    topic: start.kind,
    payload,
    timestamp: start.startedAt,
    say: { text: 'boot.message', data: { payload }, silent: calm, dedupe },
  };
}

import type { Node } from 'node-red';
import { type BotConfig, listenTo } from '../../host/telegram.js';
import type { Cancel } from '../../kit/clock.js';
import { config as environment } from '../../kit/config.js';
import { defineNode, type NodeContext } from '../../kit/define-node.js';
import { PotionError } from '../../kit/errors.js';
import type { Draft, Message } from '../../kit/messages.js';
import type { Database } from '../../state/database.js';
import { pruneOutbox } from '../../state/outbox-delivery.js';
import { withDatabase } from '../../state/patience.js';
import { type Call, methodPayload } from './compose.js';
import { Courier } from './courier.js';
import type { Settings, Tag } from './courier-world.js';
import { Display } from './display.js';
import { unkeptCalls } from './unkept.js';
import { type Wired, wiringOf } from './wiring.js';

interface OutboxConfig {
  /** Seconds without an answer after which a message is sent again. */
  answerWithin: number;
  /** Messages that may wait; and megabytes of them. */
  maxMessages: number;
  maxMegabytes: number;
  /** More messages than this, the oldest waiting longer than so many minutes, become a digest. */
  digestCount: number;
  digestMinutes: number;
}

const DAY = 86_400_000;
/** A bot that is being restarted is back well before this; one that never comes back must not hold messages. */
const LONGEST_HOLD = 10_000;
/** Without a database so many messages wait for the bot, in memory, which is looked for so often, ms. */
const MOST_UNKEPT = 20;
const BOT_COMES = 2000;

/** The outbox of this process: two would each send what the other has kept. */
let only: string | undefined;

export default defineNode<OutboxConfig>({
  type: 'potion-outbox',
  version: 1,
  create: (ctx) => new Outbox(ctx),
});

class Outbox {
  readonly #ctx: NodeContext<OutboxConfig>;
  readonly #stops: (() => void)[] = [];
  readonly #answerWithin: number;
  #bots: BotConfig[] = [];
  #courier: Courier | undefined;
  #display: Display | undefined;
  #release: (() => void) | undefined;
  /** What neither the database nor the bot could take yet. */
  #unkept: Draft[] = [];
  #later: Cancel | undefined;

  constructor(ctx: NodeContext<OutboxConfig>) {
    this.#ctx = ctx;
    this.#answerWithin = or(ctx.config.answerWithin, 60) * 1000;
  }

  async start(): Promise<void> {
    const { id, RED } = this.#ctx;
    if (only !== undefined) throw new PotionError('INVALID', 'outbox.second', { other: only });
    only = id;
    const flows = Promise.withResolvers<void>();
    // Also while the database is still being opened: the bot polls already.
    this.#on(RED.events, 'flows:started', () => {
      this.#hear();
      flows.resolve();
    });
    await withDatabase(this.#ctx, (db) => this.#begin(db, flows.promise));
  }

  async #begin(db: Database, flows: Promise<void>): Promise<void> {
    const { clock, RED } = this.#ctx;
    const display = new Display(this.#ctx, db);
    const courier = this.#courierFor(db, display);
    await courier.start();
    await pruneOutbox(db, clock.now());
    this.#stops.push(
      clock.every(DAY, () => void pruneOutbox(db, clock.now()).catch((thrown) => display.broke(thrown))),
    );
    this.#courier = courier;
    this.#display = display;
    // Nodes are made one by one; before all are there, a message could go nowhere. Each deploy may rewire them.
    this.#on(RED.events, 'flows:started', () => this.#connect(courier, display));
    void flows.then(() => this.#connect(courier, display));
    display.refresh();
  }

  async input(msg: Message): Promise<undefined> {
    const { node } = this.#ctx;
    const tag = msg.potionOutbox as Tag | undefined;
    if (tag) {
      if (!this.#courier) return;
      const sent = (msg.payload as { sentMessageId?: number } | undefined)?.sentMessageId;
      await this.#courier.settle(tag, msg.error === undefined ? { messageId: sent } : { error: msg.error });
      return;
    }
    const drafts = draftsOf(msg.payload);
    if (!this.#courier || !this.#display) {
      this.#sendUnkept(drafts);
      throw new PotionError('UNAVAILABLE', 'outbox.not-ready');
    }
    const dropped = await this.#courier.add(drafts).catch((thrown: unknown) => {
      this.#sendUnkept(drafts);
      throw thrown;
    });
    if (dropped > 0) node.warn(`${dropped} waiting messages were dropped for space; a digest will say so`);
    this.#display.refresh();
  }

  stop(): void {
    if (only === this.#ctx.id) only = undefined;
    for (const stop of this.#stops) stop();
    this.#release?.();
    this.#later?.();
    this.#courier?.stop();
    this.#display?.stop();
  }

  /** The last resort. It waits while the bot is away: the sender node would make one that nobody listens to. */
  #sendUnkept(drafts: readonly Draft[]): void {
    // What may be sent only once is handed in again when it can be kept.
    const repeatable = drafts.filter(({ broadcast }) => !broadcast);
    this.#unkept = [...this.#unkept, ...repeatable].slice(-MOST_UNKEPT);
    this.#later?.();
    this.#later = undefined;
    if (!this.#bots.some((bot) => bot.getTelegramBot(false))) {
      this.#later = this.#ctx.clock.after(BOT_COMES, () => this.#sendUnkept([]));
      return;
    }
    for (const draft of this.#unkept.splice(0))
      for (const call of unkeptCalls(draft, environment().lang, this.#ctx.clock.now()))
        this.#hand(call, { id: -1, part: -1, attempt: 0 }, `${draft.chat}`);
  }

  #courierFor(db: Database, display: Display): Courier {
    const { clock, config } = this.#ctx;
    const settings: Settings = {
      // It may be changed while the outbox runs.
      get lang() {
        return environment().lang;
      },
      answerWithin: this.#answerWithin,
      limits: { messages: or(config.maxMessages, 1000), characters: or(config.maxMegabytes, 5) * 1e6 },
      digest: { count: or(config.digestCount, 10), age: or(config.digestMinutes, 5) * 60_000 },
    };
    const world = {
      db,
      clock,
      random: Math.random,
      hand: (call: Call, tag: Tag, lane: string) => this.#hand(call, tag, lane),
      delivered: (chat: number) => display.delivered(chat),
      failed: display.failed.bind(display),
      broke: (thrown: unknown) => display.broke(thrown),
    };
    return new Courier(world, settings);
  }

  #listen(bot: BotConfig): void {
    const running = bot.getTelegramBot(false);
    const ear = {
      answerWithin: this.#answerWithin,
      onAlive: () => this.#courier?.alive(),
      signal: this.#ctx.signal,
    };
    if (running) listenTo(running, ear);
  }

  #hand(call: Call, potionOutbox: Tag, lane: string): void {
    for (const bot of this.#bots) this.#listen(bot);
    this.#ctx.send({ payload: methodPayload(call, lane), potionOutbox });
  }

  /** Finds the senders that the flow leads to, and listens to their bots. @returns whether they all lead back */
  #hear(): boolean {
    const { node, RED } = this.#ctx;
    const find = (id: string) => RED.nodes.getNode(id) as unknown as Wired | undefined;
    const { senders, whole } = wiringOf(node as unknown as Wired, find);
    const configs = senders.map((id) => (RED.nodes.getNode(id) as Node & { config?: BotConfig }).config);
    this.#bots = [...new Set(configs.filter((config) => config !== undefined && config !== null))];
    for (const bot of this.#bots) this.#listen(bot);
    return whole;
  }

  /** Follows the comings and goings of the bots that the flow leads to. */
  #connect(courier: Courier, display: Display): void {
    this.#release?.();
    const whole = this.#hear();
    display.wiredWrongly(!whole);
    if (!whole) {
      courier.close();
      return;
    }
    const releases = this.#bots.map((bot) => this.#follow(bot, courier));
    this.#release = () => {
      for (const release of releases) release();
    };
    courier.open().catch((thrown) => display.broke(thrown));
  }

  /**
   * While a bot restarts there is none for a moment. A message handed to the sender then would make it create
   * one that nobody listens to, and every command would be lost.
   */
  #follow(bot: BotConfig, courier: Courier): () => void {
    const open = () => void courier.open().catch((thrown) => this.#display?.broke(thrown));
    let cancel = () => {};
    const heard = (status: string) => {
      if (status !== 'started' && status !== 'stopped') return;
      cancel();
      if (status === 'started') {
        this.#listen(bot);
        open();
      } else {
        courier.close();
        cancel = this.#ctx.clock.after(LONGEST_HOLD, open);
      }
    };
    bot.on('status', heard);
    return () => {
      cancel();
      bot.off('status', heard);
    };
  }

  #on(emitter: NodeContext<object>['RED']['events'], event: string, listener: () => void): void {
    emitter.on(event, listener);
    this.#stops.push(() => emitter.removeListener(event, listener));
  }
}

/** The editor saves numbers as text, and a flow made by hand may leave one out. */
function or(value: unknown, fallback: number): number {
  const number = Number(value);
  return number > 0 ? number : fallback;
}

function draftsOf(payload: unknown): Draft[] {
  const drafts = Array.isArray(payload) ? payload : [payload];
  const isDraft = (draft: Partial<Draft> | null | undefined) =>
    Number.isSafeInteger(draft?.chat) && typeof draft?.html === 'string' && typeof draft?.at === 'number';
  if (!drafts.every(isDraft)) throw new PotionError('INVALID', 'outbox.not-a-draft');
  return drafts;
}

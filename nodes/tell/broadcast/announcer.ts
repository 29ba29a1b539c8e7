import type { Cancel } from '../../kit/clock.js';
import { config as environment } from '../../kit/config.js';
import type { NodeContext } from '../../kit/define-node.js';
import { render } from '../../kit/locale.js';
import type { Draft, Message } from '../../kit/messages.js';
import { audit } from '../../state/audit.js';
import {
  type Broadcast,
  broadcast,
  broadcastsSince,
  giveUpWaiting,
  onBroadcast,
  pendingTargets,
  pruneBroadcasts,
  type Tally,
  tallyOf,
} from '../../state/broadcasts.js';
import type { Database } from '../../state/database.js';

/** What was not handed to Telegram by then is given up: news of yesterday helps nobody. Milliseconds. */
export const GIVEN_UP_AFTER = 24 * 3_600_000;
/** How far it is is told at most this often, ms. */
const TELL_EVERY = 400;
/** The outbox may have had no room, or no database, when it was offered its part. Milliseconds. */
const OFFER_AGAIN = 30_000;
/** How long after its end a broadcast's result is told again at a start; the outbox drops what it has. */
const TOLD_AGAIN = 3_600_000;

/** Takes broadcasts to the outbox and tells their authors how they go. */
export class Announcer {
  readonly #ctx: NodeContext<object>;
  readonly #db: Database;
  readonly #open = new Set<string>();
  readonly #telling = new Map<string, Cancel>();
  readonly #stops: (() => void)[];
  #again: Cancel | undefined;

  constructor(ctx: NodeContext<object>, db: Database) {
    this.#ctx = ctx;
    this.#db = db;
    this.#stops = [onBroadcast((job) => this.#tellSoon(job))];
  }

  /** Takes up what an earlier process has left, and tells again what has ended since shortly before that. */
  async resume(): Promise<void> {
    const now = this.#ctx.clock.now();
    await pruneBroadcasts(this.#db, now);
    for (const job of await broadcastsSince(this.#db, now - TOLD_AGAIN)) await this.goOn(job);
  }

  /** Offers the outbox what it does not have yet, and tells how far it is. */
  async goOn(job: string): Promise<void> {
    const found = await broadcast(this.#db, job);
    if (!found || this.#ctx.signal.aborted) return;
    this.#open.add(job);
    this.#watch();
    const pending = await pendingTargets(this.#db, job);
    await this.#tell(found);
    if (pending.length > 0) this.#ctx.send([{ payload: pending.map((to) => draftFor(found, to)) }, null]);
  }

  stop(): void {
    for (const stop of this.#stops) stop();
    for (const cancel of this.#telling.values()) cancel();
    this.#again?.();
  }

  #watch(): void {
    if (this.#again || this.#open.size === 0) return;
    this.#again = this.#ctx.clock.after(OFFER_AGAIN, () => {
      this.#again = undefined;
      this.#offerAgain()
        .catch(this.#ctx.fail)
        .finally(() => this.#watch());
    });
  }

  async #offerAgain(): Promise<void> {
    const now = this.#ctx.clock.now();
    for (const job of [...this.#open]) {
      const found = await broadcast(this.#db, job);
      if (!found) this.#open.delete(job);
      else if (now - found.at > GIVEN_UP_AFTER) await giveUpWaiting(this.#db, job, 'late', now);
      else if ((await pendingTargets(this.#db, job)).length > 0) await this.goOn(job);
    }
  }

  #tellSoon(job: string): void {
    if (this.#telling.has(job)) return;
    const cancel = this.#ctx.clock.after(TELL_EVERY, () => {
      this.#telling.delete(job);
      const told = broadcast(this.#db, job).then((found) => found && this.#tell(found));
      told.catch(this.#ctx.fail);
    });
    this.#telling.set(job, cancel);
  }

  async #tell(job: Broadcast): Promise<void> {
    const tally = await tallyOf(this.#db, job.id);
    if (this.#ctx.signal.aborted) return;
    const over = tally.waiting === 0;
    if (over && this.#open.delete(job.id)) await this.#note(job, tally);
    this.#ctx.status({
      fill: over ? 'green' : 'blue',
      text: this.#ctx.t('broadcast.status', { sent: tally.sent, total: tally.total }),
    });
    this.#ctx.send([null, progress(job, tally, this.#ctx.t('broadcast.stop'))]);
  }

  async #note({ request, text }: Broadcast, { total, sent, failed }: Tally): Promise<void> {
    const why = failed.map((one) => `${one.target} ${one.why}`);
    await audit(this.#db, {
      at: this.#ctx.clock.now(),
      user: request.user,
      event: 'broadcast',
      action: 'broadcast',
      target: text,
      result: `${sent} of ${total} sent`,
      ...(why.length > 0 ? { detail: { failed: why } } : {}),
    });
  }
}

function draftFor({ id, request, text, at }: Broadcast, target: number): Draft {
  const { lang, serverName: server } = environment();
  const own = request.user === target;
  return {
    chat: target,
    html: render(lang, 'broadcast.message', { text, server, author: request.user, own }),
    kind: 'notice',
    at,
    dedupe: `broadcast:${id}:${target}`,
    broadcast: { job: id, target },
  };
}

/** How far it is, in the one message that the author watches. */
function progress({ id, request }: Broadcast, tally: Tally, stop: string): Message {
  const over = tally.waiting === 0;
  return {
    request,
    payload: tally,
    say: {
      text: 'broadcast.progress',
      data: { ...tally },
      edit: true,
      // A crash right after its end must not hide it, and another start not tell it anew.
      ...(over ? { dedupe: `broadcast ${id} over` } : {}),
      ...(over ? {} : { buttons: [[{ label: stop, command: `/broadcast_stop ${id}` }]] }),
    },
  };
}

import { timeLimit } from '../../host/telegram.js';
import { classify, type Verdict } from '../../host/telegram-errors.js';
import type { Cancel } from '../../kit/clock.js';
import type { Draft } from '../../kit/messages.js';
import { enqueue, fold } from '../../state/outbox.js';
import {
  acknowledge,
  giveUp,
  hurry,
  moveChat,
  postpone,
  putBack,
  type Taken,
  take,
  waitingChats,
} from '../../state/outbox-delivery.js';
import { callFor, editTarget, isPhoto, leftover, type Part, partsOf, refers, settled } from './compose.js';
import type { Result, Settings, Tag, World } from './courier-world.js';
import { fileSize } from './file-size.js';
import { type Form, nextStep, type Step } from './next-step.js';

interface Flight {
  taken: Taken;
  parts: Part[];
  index: number;
  form: Form;
  attempt: number;
  /** Gives it up when nothing comes back. */
  cancel: Cancel;
}

interface Chat {
  /** A message is under way or being looked for. */
  busy: boolean;
  /** Something came in meanwhile: look again. */
  again: boolean;
  flight?: Flight;
  timer?: Cancel;
  /** The last attempt failed, at this monotonic ms, in a way that another success of the bot may end. */
  unreached?: { at: number };
  /** Something failed, or Potion has just started: what waits may have become too much. */
  backlog: boolean;
  /** The sender's queue for this chat may be blocked by a request that hangs. */
  lane: number;
}

/** Time beyond the request's own limit, after which even the sender node is not waited for. */
const GRACE = 5000;
const LANES = 8;
const AFTER_BREAKDOWN = 5000;
/** A bot that answers something wakes a chat at most this often. */
const WAKE_EVERY = 5000;

/** Takes messages from the database to the sender node: in order and one at a time for each chat. */
export class Courier {
  readonly #world: World;
  readonly #settings: Settings;
  readonly #chats = new Map<number, Chat>();
  readonly #moved = new Map<number, number>();
  #attempts = 0;
  /** Monotonic ms. */
  #pausedUntil = 0;
  #open = false;
  #stopped = false;

  constructor(world: World, settings: Settings) {
    this.#world = world;
    this.#settings = settings;
  }

  /** Takes over what an earlier process has left. Nothing is sent before `open`. */
  async start(): Promise<void> {
    await putBack(this.#world.db, this.#world.clock.now());
  }

  /** The sender is there: what waits may go. */
  async open(): Promise<void> {
    if (this.#open || this.#stopped) return;
    this.#open = true;
    for (const chat of await waitingChats(this.#world.db)) this.#kick(chat);
  }

  /** The sender is away: messages are kept, and those under way may still arrive. */
  close(): void {
    this.#open = false;
  }

  /** Ends all timers. What waits is in the database. */
  stop(): void {
    this.#stopped = true;
    for (const chat of this.#chats.values()) {
      chat.timer?.();
      chat.flight?.cancel();
    }
    this.#chats.clear();
  }

  /** Keeps messages; when this returns they can't be lost any more. @returns how many were dropped for space */
  async add(drafts: readonly Draft[]): Promise<number> {
    const there = drafts.map((draft) => ({ ...draft, chat: this.#moved.get(draft.chat) ?? draft.chat }));
    const { db, clock } = this.#world;
    const { chats, dropped } = await enqueue(db, there, clock.now(), this.#settings.limits);
    // Whoever has just asked something can be reached, however long their chat has refused.
    for (const { chat, request } of there) if (request && this.#chat(chat).timer) await hurry(db, chat);
    for (const chat of chats) this.#kick(chat);
    return dropped;
  }

  /** Takes in what the sender node answered. An answer that nobody waits for any more changes nothing. */
  async settle(tag: Tag, result: Result): Promise<void> {
    for (const [chat, state] of this.#chats) {
      const flight = state.flight;
      if (flight?.taken.id !== tag.id || flight.attempt !== tag.attempt) continue;
      state.flight = undefined;
      flight.cancel();
      await this.#guard(chat, () => this.#landed(chat, flight, result));
      return;
    }
  }

  /** The bot has answered something: chats that could not be reached are tried again. */
  alive(): void {
    const now = this.#world.clock.monotonic();
    for (const [chat, state] of this.#chats) {
      if (!state.unreached || state.busy || now - state.unreached.at < WAKE_EVERY) continue;
      state.unreached = undefined;
      this.#guard(chat, () => hurry(this.#world.db, chat)).then(() => this.#kick(chat));
    }
  }

  #chat(chat: number): Chat {
    let state = this.#chats.get(chat);
    if (!state) {
      state = { busy: false, again: false, backlog: true, lane: 0 };
      this.#chats.set(chat, state);
    }
    return state;
  }

  #kick(chat: number): void {
    const state = this.#chat(chat);
    if (this.#stopped || !this.#open) return;
    if (state.busy) {
      state.again = true;
      return;
    }
    state.timer?.();
    state.timer = undefined;
    state.busy = true;
    this.#guard(chat, () => this.#step(chat));
  }

  /** Nothing to do for this chat, unless something came in meanwhile. */
  #rest(chat: number): void {
    const state = this.#chat(chat);
    const { again } = state;
    Object.assign(state, { busy: false, again: false });
    if (again) this.#kick(chat);
  }

  #later(chat: number, ms: number): void {
    const state = this.#chat(chat);
    Object.assign(state, { busy: false, again: false });
    state.timer?.();
    if (!this.#stopped) state.timer = this.#world.clock.after(ms, () => this.#kick(chat));
  }

  async #guard(chat: number, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (thrown) {
      if (this.#stopped) return;
      this.#world.broke(thrown);
      // The message may still be marked as on its way; without this its chat would stand still.
      await putBack(this.#world.db, this.#world.clock.now(), chat).catch(() => undefined);
      this.#later(chat, AFTER_BREAKDOWN);
    }
  }

  async #step(chat: number): Promise<void> {
    const { db, clock } = this.#world;
    const pause = this.#pausedUntil - clock.monotonic();
    if (pause > 0) {
      this.#later(chat, pause);
      return;
    }
    const next = await take(db, chat, clock.now());
    if (this.#stopped) return;
    if (next && 'taken' in next)
      await this.#send(chat, next.taken, partsOf(next.taken.draft, this.#settings.lang), {});
    else if (next) this.#later(chat, next.due - clock.now());
    else this.#rest(chat);
  }

  async #send(chat: number, taken: Taken, parts: Part[], form: Form): Promise<void> {
    const { clock, db } = this.#world;
    const state = this.#chat(chat);
    if (!this.#open) {
      await postpone(db, taken.id, { tries: taken.tries, dueAt: 0, error: 'the sender is away' });
      this.#rest(chat);
      return;
    }
    const index = Math.min(taken.partsSent, parts.length - 1);
    const part = { ...(parts[index] as Part), index, last: index === parts.length - 1 };
    const attempt = ++this.#attempts;
    const within = timeLimit(this.#settings.answerWithin, fileSize(part.file)) + GRACE;
    const cancel = clock.after(within, () => {
      state.lane = (state.lane + 1) % LANES;
      const seconds = Math.round(within / 1000);
      this.settle({ id: taken.id, part: index, attempt }, { error: `timeout: no answer for ${seconds} s` });
    });
    state.flight = { taken, parts, index, form, attempt, cancel };
    const call = callFor(taken, part, form, this.#settings.lang, clock.now());
    const lane = state.lane === 0 ? `${taken.chat}` : `${taken.chat}/${state.lane}`;
    this.#world.hand(call, { id: taken.id, part: index, attempt }, lane);
  }

  async #landed(chat: number, flight: Flight, result: Result): Promise<void> {
    if (!('error' in result)) return this.#arrived(chat, flight, result.messageId);
    const verdict = classify(result.error);
    const { taken, index, form, parts } = flight;
    const step = nextStep(verdict, {
      form,
      tries: taken.tries,
      refers: refers(taken, index, form),
      isPhoto: isPhoto(parts[index] as Part),
      once: taken.draft.broadcast !== undefined,
      random: this.#world.random(),
    });
    if (step.do !== 'accept') this.#world.failed(verdict, taken, step);
    await this.#follow(chat, flight, verdict, step);
  }

  async #follow(chat: number, flight: Flight, verdict: Verdict, step: Step): Promise<void> {
    const { db, clock } = this.#world;
    const { taken, parts } = flight;
    switch (step.do) {
      case 'accept':
        return this.#arrived(chat, flight, undefined);
      case 'again':
        return this.#send(chat, taken, parts, step.form);
      case 'move':
        this.#moved.set(chat, step.chat);
        await moveChat(db, chat, step.chat);
        await postpone(db, taken.id, { tries: taken.tries, dueAt: 0, error: verdict.reason });
        this.#kick(step.chat);
        return this.#next(chat);
      case 'give-up':
        await giveUp(db, taken, step.why, verdict.reason, clock.now());
        return this.#next(chat);
      case 'wait':
        return this.#wait(chat, taken, verdict, step);
    }
  }

  async #wait(chat: number, taken: Taken, verdict: Verdict, step: Step & { do: 'wait' }): Promise<void> {
    const { clock } = this.#world;
    const state = this.#chat(chat);
    const mono = clock.monotonic();
    state.backlog = true;
    state.unreached = verdict.kind === 'network' || verdict.kind === 'server' ? { at: mono } : undefined;
    if (step.whole) this.#pausedUntil = Math.max(this.#pausedUntil, mono + step.ms);
    const tries = taken.tries + (step.counts ? 1 : 0);
    const error = `${verdict.kind}: ${verdict.reason}`;
    await postpone(this.#world.db, taken.id, { tries, dueAt: clock.now() + step.ms, error });
    this.#later(chat, step.ms);
  }

  async #arrived(chat: number, flight: Flight, told: number | undefined): Promise<void> {
    const { db, clock } = this.#world;
    const { taken, parts, index, form } = flight;
    const last = index === parts.length - 1;
    // Telegram answers some edits with a mere "true".
    const messageId = told ?? editTarget(taken, index, form);
    await acknowledge(db, taken, { index, last, messageId }, clock.now());
    const state = this.#chat(chat);
    state.unreached = undefined;
    this.#world.delivered(chat);
    if (!last) {
      const first = index === 0 ? messageId : taken.messageId;
      const rest = { ...taken, partsSent: index + 1, messageId: first };
      return this.#send(chat, rest, parts, { plain: form.plain });
    }
    const edited = editTarget(taken, 0, form);
    // Nothing depends on these, so nobody waits for the answer.
    for (const call of [leftover(taken, edited), settled(taken, edited)])
      if (call) this.#world.hand(call, { id: taken.id, part: -1, attempt: 0 }, `${chat}`);
    if (state.backlog) {
      state.backlog = false;
      await fold(db, chat, clock.now(), this.#settings.digest);
    }
    return this.#next(chat);
  }

  #next(chat: number): void {
    this.#chat(chat).busy = false;
    this.#kick(chat);
  }
}

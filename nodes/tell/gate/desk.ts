import type { Clock } from '../../kit/clock.js';
import type { CommandSpec, Deliver, Door } from '../../kit/door.js';
import { type Message, type Request, type Say, wayBack } from '../../kit/messages.js';
import type { AuditEntry } from '../../state/audit.js';
import { audit } from '../../state/audit.js';
import { type Claim, claim, newestOpen, type Question, question } from '../../state/confirmations.js';
import type { Database } from '../../state/database.js';
import { interrupt, isKnown, type NewRequest, received } from '../../state/requests.js';
import { expand } from '../../state/shortcuts.js';
import { type Bucket, take } from './bucket.js';
import { type Circumstances, type Decision, decide, decideLine, isStale } from './decide.js';
import type { Update } from './identify.js';
import type { Patience } from './patience.js';
import type { Refusals } from './refusals.js';

/** Where the desk stands. */
export interface Office {
  db: Database;
  clock: Clock;
  door: Door;
  patience: Patience;
  refusals: Refusals;
  /** Sends what `say` is to tell. */
  say(msg: Message): void;
  /** Ends the spinner of a pressed button, with a word if there is one. */
  endPress(press: string, text?: string): void;
  /** A text in Potion's language. */
  t(key: string, data?: object): string;
}

/** How long an admin's plain talk is left without another hint, ms. */
const HINT_EVERY = 600_000;
/** Updates that have waited come in one go; a press this soon after an old message, or the start, is one of them. */
const BACKLOG = 5000;

/** Serves the updates of admins: each is kept before it takes effect, and takes effect once. */
export class Desk {
  readonly #office: Office;
  readonly #buckets = new Map<number, Bucket>();
  readonly #hinted = new Map<number, number>();
  #backlogUntil = 0;

  constructor(office: Office) {
    this.#office = office;
  }

  /** From now on, for a while, presses may be old ones. */
  expectBacklog(): void {
    this.#backlogUntil = this.#office.clock.monotonic() + BACKLOG;
  }

  /** @throws what the database throws; nothing has taken effect then */
  async serve(update: Update, botName?: string): Promise<void> {
    const { clock, db, door, endPress, refusals } = this.#office;
    const now = clock.now();
    if (await isKnown(db, update.id)) {
      const again = { refused: 'duplicate', user: update.user, kind: kindOf(update), said: '' } as const;
      await refusals.note(again, now, clock.monotonic());
      if (update.press) endPress(update.press);
      return;
    }
    if (!(await this.#hasLeave(update))) return;
    if (update.sentAt !== undefined && isStale(update, now, false)) this.expectBacklog();
    const backlog = clock.monotonic() < this.#backlogUntil;
    const around = { door, now, backlog, botName };
    await this.#carryOut(update, decide(update, around), around);
  }

  async #hasLeave(update: Update): Promise<boolean> {
    const { clock, endPress, say, t } = this.#office;
    const { bucket, pass } = take(this.#buckets.get(update.user), clock.monotonic());
    this.#buckets.set(update.user, bucket);
    if (pass === 'free') return true;
    if (pass === 'first') {
      await this.#note(update, 'limited', '');
      if (update.press) endPress(update.press, t('gate.limited'));
      else say({ request: this.#request(update), say: { text: 'gate.limited' } });
    }
    return false;
  }

  async #carryOut(update: Update, decision: Decision, around: Circumstances): Promise<void> {
    switch (decision.do) {
      case 'run':
        return this.#run(update, decision);
      case 'ask-again':
        return this.#askAgain(update, decision.spec, decision.line);
      case 'answer':
        return this.#answer(update, await question(this.#office.db, decision.question), decision.yes);
      case 'answer-newest':
        return this.#answerNewest(update, decision.yes);
      case 'expand': {
        const line = await expand(this.#office.db, `#${decision.shortcut}`);
        const inner: Decision = line ? decideLine(update, line, around) : { do: 'hint', about: 'button' };
        return this.#carryOut(update, inner, around);
      }
      case 'unknown':
        return this.#reply(update, 'unknown', `/${decision.name}`, {
          text: 'gate.unknown',
          data: { name: decision.name, nearest: decision.nearest },
        });
      case 'hint':
        return this.#hint(update, decision.about);
      case 'ignore':
        return this.#note(update, decision.why, '');
    }
  }

  async #run(
    update: Update,
    { spec, deliver, args, text }: { spec: CommandSpec; deliver: Deliver; args: string[]; text: string },
  ): Promise<void> {
    const request = this.#request(update, spec.name, args);
    const message: Message = { payload: { args, text }, request };
    const fresh = { request, changes: spec.changes, message, at: this.#office.clock.now() };
    if (!(await received(this.#office.db, fresh, this.#entry(update, spec.name, args.join(' '), 'accepted'))))
      return;
    if (update.press) this.#office.endPress(update.press);
    this.#office.patience.watch(request);
    deliver(message);
  }

  #askAgain(update: Update, spec: CommandSpec, line: string): Promise<void> {
    const { t } = this.#office;
    const target = line.slice(spec.name.length + 2);
    return this.#reply(
      update,
      'stale',
      target,
      {
        text: 'gate.stale',
        data: { line, at: update.sentAt },
        buttons: [[{ label: t('gate.do-now'), command: line }]],
      },
      spec.name,
    );
  }

  async #answerNewest(update: Update, yes: boolean): Promise<void> {
    const { db, clock } = this.#office;
    const open = await newestOpen(db, update.user, update.chat, clock.now());
    if (open) return this.#answer(update, open, yes);
    return this.#reply(update, 'no-question', '', { text: 'gate.no-question' });
  }

  async #answer(update: Update, asked: Question | undefined, yes: boolean): Promise<void> {
    const { clock, db, t } = this.#office;
    const now = clock.now();
    const origin = asked?.message.request as Request | undefined;
    const action = origin?.command ?? 'unknown';
    const entry = {
      ...this.#entry(update, action, asked?.target ?? null, yes ? 'yes' : 'no'),
      event: 'confirm',
    };
    // A yes leads to a change, so it is a request like the command itself. A no is answered here and now.
    const answering = yes ? this.#request(update, action, origin?.args ?? []) : this.#request(update);
    const request = origin ? { ...answering, answers: origin.id } : answering;
    const data = { action: asked?.target };
    const back = asked ? wayBack(asked.message, t('confirm.back')) : {};
    const cancelled: Message = { request, say: { text: 'gate.cancelled', data, edit: true, ...back } };
    const answer: NewRequest = { request, changes: yes, message: yes ? { request } : cancelled, at: now };
    const outcome = asked ? await claim(db, asked.id, yes, answer, entry) : 'missing';
    if (asked && outcome === 'taken') return await this.#passAnswer(update, asked, yes, request, cancelled);
    if (outcome !== 'known') await audit(db, { ...entry, result: outcome });
    this.#refuseAnswer(update, outcome as Exclude<Claim, 'taken'>);
  }

  async #passAnswer(update: Update, asked: Question, yes: boolean, request: Request, cancelled: Message) {
    const { clock, db, door, endPress, patience, say, t } = this.#office;
    if (update.press) endPress(update.press, t(yes ? 'gate.press.yes' : 'gate.press.no'));
    if (yes) patience.watch(request);
    const isThere = door.answer(asked.node, asked.id, yes, request);
    if (!yes) return say(cancelled);
    if (isThere) return;
    await interrupt(db, [request.id], clock.now(), 'node-gone');
    say({ request, say: { text: 'gate.gone', data: { action: asked.target } } });
  }

  #refuseAnswer(update: Update, why: Exclude<Claim, 'taken'>): void {
    const { endPress, say, t } = this.#office;
    if (update.press) endPress(update.press, why === 'known' ? undefined : t(`gate.press.${why}`));
    else if (why !== 'known') say({ request: this.#request(update), say: { text: `gate.press.${why}` } });
  }

  async #hint(update: Update, about: 'text' | 'forwarded' | 'button'): Promise<void> {
    const { clock, endPress, t } = this.#office;
    if (update.press) {
      await this.#note(update, about, '');
      return endPress(update.press, t('gate.press.missing'));
    }
    const last = this.#hinted.get(update.chat);
    const now = clock.monotonic();
    if (last !== undefined && now - last < HINT_EVERY) return this.#note(update, about, '');
    this.#hinted.set(update.chat, now);
    const text = about === 'forwarded' ? 'gate.forwarded' : 'gate.hint';
    return this.#reply(update, about, '', { text, keyboard: true });
  }

  /** Answers in the gate's own name; after a crash the same answer is given again. */
  async #reply(
    update: Update,
    result: string,
    target: string,
    say: Say,
    action = kindOf(update),
  ): Promise<void> {
    const request = this.#request(update);
    const message: Message = { request, say };
    const fresh = { request, changes: false, message, at: this.#office.clock.now() };
    const isNew = await received(this.#office.db, fresh, this.#entry(update, action, target, result));
    if (update.press) this.#office.endPress(update.press);
    if (isNew) this.#office.say(message);
  }

  #note(update: Update, result: string, target: string): Promise<void> {
    return audit(this.#office.db, this.#entry(update, kindOf(update), target, result));
  }

  #entry(update: Update, action: string, target: string | null, result: string): AuditEntry {
    const at = this.#office.clock.now();
    return { at, user: update.user, event: 'request', action, target: target || null, result };
  }

  #request(update: Update, command = '', args: string[] = []): Request {
    return {
      id: update.id,
      user: update.user,
      chat: update.chat,
      command,
      args,
      startedAt: update.sentAt ?? this.#office.clock.now(),
      messageId: update.press ? update.messageId : undefined,
    };
  }
}

function kindOf(update: Update): string {
  return update.press ? 'press' : 'message';
}

import type { Verdict } from '../../host/telegram-errors.js';
import type { Cancel } from '../../kit/clock.js';
import type { NodeContext } from '../../kit/define-node.js';
import { describe } from '../../kit/errors.js';
import { ailing, alive } from '../../kit/pulse.js';
import { redact } from '../../kit/redact.js';
import type { Database } from '../../state/database.js';
import { type Taken, waiting } from '../../state/outbox-delivery.js';
import type { Step } from './next-step.js';

/** A message that went out says for so long that the Telegram side works. */
const ALIVE_WITHIN = 120_000;
/** The status is written at most this often, and once a minute while something waits: its age grows. */
const SOON = 200;
const MINUTE = 60_000;

const TROUBLES = ['flood', 'network', 'server', 'chat-closed', 'token', 'conflict'] as const;
type Trouble = (typeof TROUBLES)[number];

/** Shows on the node, in the log and on the pulse what the courier meets. */
export class Display {
  readonly #ctx: NodeContext<object>;
  readonly #db: Database;
  readonly #troubles = new Map<number, { kind: Trouble; seconds: number; reason: string }>();
  #misWired = false;
  #soon: Cancel | undefined;
  #aging: Cancel | undefined;
  #stopped = false;

  constructor(ctx: NodeContext<object>, db: Database) {
    this.#ctx = ctx;
    this.#db = db;
  }

  delivered(chat: number): void {
    const trouble = this.#troubles.get(chat);
    this.#troubles.delete(chat);
    if (trouble) this.#ctx.log(`chat ${chat}: delivering again`);
    alive('telegram', this.#ctx.clock.now(), ALIVE_WITHIN);
    this.refresh();
  }

  /** Says each new trouble once, not at each retry. */
  failed(verdict: Verdict, taken: Taken, step: Step): void {
    const { chat, id } = taken;
    const { kind, reason } = verdict;
    if (step.do === 'give-up') this.#ctx.warn(`message ${id} to chat ${chat} is refused for good: ${reason}`);
    if (step.do === 'again')
      this.#ctx.warn(`message ${id} to chat ${chat} is sent in another form: ${reason}`);
    if (step.do === 'move') this.#ctx.warn(`chat ${chat} has become ${step.chat}`);
    if (step.do !== 'wait') return;
    const trouble = TROUBLES.find((one) => one === kind) ?? 'chat-closed';
    if (this.#troubles.get(chat)?.kind !== trouble) this.#ctx.warn(`chat ${chat}: ${kind}: ${reason}`);
    this.#troubles.set(chat, { kind: trouble, seconds: Math.round(step.ms / 1000), reason });
    if (trouble === 'token')
      ailing('telegram', `the bot's token is refused: ${reason}`, this.#ctx.clock.now());
    this.refresh();
  }

  wiredWrongly(yes: boolean): void {
    if (yes && !this.#misWired) {
      this.#ctx.warn('the sender’s two outputs (results and errors) must lead back here: nothing is sent');
      ailing('telegram', 'the outbox is not wired to its sender’s outputs', this.#ctx.clock.now());
    }
    this.#misWired = yes;
    this.refresh();
  }

  broke(thrown: unknown): void {
    this.#ctx.warn(redact(describe(thrown)));
  }

  refresh(): void {
    if (this.#stopped || this.#soon) return;
    this.#soon = this.#ctx.clock.after(SOON, () => {
      this.#soon = undefined;
      this.#show().catch((thrown) => this.broke(thrown));
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#soon?.();
    this.#aging?.();
  }

  async #show(): Promise<void> {
    const { count, oldest } = await waiting(this.#db);
    if (this.#stopped) return;
    if (count === 0) this.#troubles.clear();
    this.#aging?.();
    if (count > 0) this.#aging = this.#ctx.clock.after(MINUTE, () => this.refresh());
    const { t } = this.#ctx;
    const age = oldest === undefined ? 0 : Math.max(0, (this.#ctx.clock.now() - oldest) / 1000);
    const line = count === 0 ? t('outbox.status.empty') : t('outbox.status.waiting', { count, age });
    if (this.#misWired) {
      this.#ctx.status({ fill: 'red', shape: 'ring', text: t('outbox.status.not-wired') });
      return;
    }
    const [chat, trouble] =
      [...this.#troubles].find(([, one]) => one.kind === 'token') ?? [...this.#troubles][0] ?? [];
    if (!trouble) {
      this.#ctx.status({ fill: count === 0 ? 'green' : 'blue', text: line });
      return;
    }
    const why = t(`outbox.status.${trouble.kind}`, { ...trouble, chat });
    const fill = trouble.kind === 'token' || trouble.kind === 'chat-closed' ? 'red' : 'yellow';
    this.#ctx.status({ fill, shape: 'ring', text: `${line} · ${why}`.slice(0, 160) });
  }
}

import type { Bot, BotConfig } from '../../host/telegram.js';
import { classify } from '../../host/telegram-errors.js';
import type { Cancel } from '../../kit/clock.js';
import { config as environment, onConfigChange } from '../../kit/config.js';
import { type Behaviour, defineNode, type NodeContext } from '../../kit/define-node.js';
import { door } from '../../kit/door.js';
import { PotionError } from '../../kit/errors.js';
import { type BotCommand, isShown, listsOf } from './lists.js';

interface MenuConfig {
  /** Id of the config node `telegram bot`. */
  bot: string;
}

/** Two methods of node-telegram-bot-api. */
interface CommandBot extends Bot {
  getMyCommands(form: { language_code?: string }): Promise<unknown>;
  setMyCommands(commands: readonly BotCommand[], form: { language_code?: string }): Promise<unknown>;
}

/** Milliseconds: commands come and go together at a deploy, and the bot needs a moment to be there. */
const SOON = 1000;
/** Waits after failures: doubling, up to the longest. A refused token is not asked about more often than that. */
const FIRST_RETRY = 5000;
const LONGEST_RETRY = 10 * 60_000;

export default defineNode<MenuConfig>({
  type: 'potion-menu',
  version: 1,
  check: ({ bot }) => {
    if (!bot) throw new PotionError('INVALID', 'menu.no-bot');
  },
  create: (ctx) => new Menu(ctx),
});

/**
 * Keeps Telegram's own list of commands as the command nodes are. Telegram is asked what it shows, so that nothing
 * is set that is there already, whoever has set it.
 */
class Menu implements Behaviour {
  readonly #ctx: NodeContext<MenuConfig>;
  readonly #stops: (() => void)[] = [];
  #cancel: Cancel = () => {};
  #failures = 0;
  #busy = false;
  #again = false;

  constructor(ctx: NodeContext<MenuConfig>) {
    this.#ctx = ctx;
  }

  start(): void {
    const { events } = this.#ctx.RED;
    const changed = () => this.#later(SOON);
    events.on('flows:started', changed);
    this.#stops.push(() => events.removeListener('flows:started', changed), onConfigChange(changed));
  }

  stop(): void {
    for (const stop of this.#stops) stop();
    this.#cancel();
  }

  #later(ms: number): void {
    this.#cancel();
    this.#cancel = this.#ctx.clock.after(ms, () => void this.#look());
  }

  async #look(): Promise<void> {
    if (this.#busy) {
      this.#again = true;
      return;
    }
    this.#busy = true;
    try {
      await this.#bring();
      this.#failures = 0;
    } catch (thrown) {
      this.#failed(thrown);
    }
    this.#busy = false;
    if (!this.#again) return;
    this.#again = false;
    this.#later(SOON);
  }

  /** Brings Telegram what it does not show yet. */
  async #bring(): Promise<void> {
    const { RED, config, clock, signal, log, status, t } = this.#ctx;
    const node = RED.nodes.getNode(config.bot) as unknown as BotConfig | null;
    // Never one that has to be made first: nobody would listen to it.
    const bot = node?.getTelegramBot?.(false) as CommandBot | null | undefined;
    if (!bot) throw new PotionError('UNAVAILABLE', 'menu.bot-away');
    const lists = listsOf(door.list(), environment().lang);
    for (const { language, commands } of lists) {
      const form = language ? { language_code: language } : {};
      if (isShown(commands, await bot.getMyCommands(form))) continue;
      if (signal.aborted) return;
      await bot.setMyCommands(commands, form);
      log(`Telegram shows ${commands.length} commands now (${language || 'default'})`);
    }
    const count = lists[0]?.commands.length ?? 0;
    status({ fill: 'green', text: t('menu.status.shown', { count, at: clock.now() }) });
  }

  #failed(thrown: unknown): void {
    const { signal, status, t, warn } = this.#ctx;
    if (signal.aborted) return;
    const verdict =
      thrown instanceof PotionError ? { kind: 'away' as const, reason: thrown.message } : classify(thrown);
    const backoff = FIRST_RETRY * 2 ** this.#failures;
    const wanted =
      verdict.kind === 'flood' ? verdict.seconds * 1000 : verdict.kind === 'token' ? LONGEST_RETRY : backoff;
    const wait = Math.min(wanted, LONGEST_RETRY);
    if (this.#failures === 0 && verdict.kind !== 'away')
      warn(`Telegram's list of commands: ${verdict.reason}`);
    this.#failures++;
    status({ fill: 'yellow', shape: 'ring', text: t('menu.status.later', { seconds: wait / 1000 }) });
    this.#later(wait);
  }
}

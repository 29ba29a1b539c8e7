import type { Bot, BotConfig } from '../../host/telegram.js';
import { classify } from '../../host/telegram-errors.js';
import { defineNode, type NodeContext } from '../../kit/define-node.js';
import { PotionError } from '../../kit/errors.js';
import type { Incident } from '../../kit/messages.js';
import { ailing, alive, forget } from '../../kit/pulse.js';
import {
  failed,
  looked,
  type Moment,
  type News,
  polled,
  startWatch,
  type Turn,
  type Watch,
} from './watch.js';

interface WatchdogConfig {
  /** Id of the config node `telegram bot`. */
  bot: string;
  /** Seconds without a poll after which the bot is restarted. */
  within: number;
  /** Seconds without a poll after which the admins are told. */
  lostAfter: number;
}

/** Milliseconds between stop and start of the bot, as FACTS 4 found it to work. */
const RESTART_DELAY = 500;
const LOOK_EVERY = 5000;

/** Reasons that have words of their own. */
const REASONS = ['silent', 'network', 'server', 'flood', 'token', 'conflict'] as const;

export default defineNode<WatchdogConfig>({
  type: 'potion-watchdog',
  version: 1,
  check: ({ bot }) => {
    if (!bot) throw new PotionError('INVALID', 'watchdog.no-bot');
  },
  create: (ctx) => new Watchdog(ctx),
});

class Watchdog {
  readonly #ctx: NodeContext<WatchdogConfig>;
  readonly #stops: (() => void)[] = [];
  #watch: Watch;
  #config: BotConfig | undefined;
  /** The bot that is listened to, and how that ends. */
  #bot: Bot | null | undefined;
  #unhear = () => {};
  /** The bot that the receivers were told of. */
  #announced: Bot | null | undefined;
  #said: string | undefined;

  constructor(ctx: NodeContext<WatchdogConfig>) {
    this.#ctx = ctx;
    // The editor saves numbers as text, and a flow made by hand may leave one out.
    const ms = (seconds: unknown) => (Number(seconds) > 0 ? Number(seconds) : 60) * 1000;
    const rules = { within: ms(ctx.config.within), lostAfter: ms(ctx.config.lostAfter) };
    this.#watch = startWatch(rules, this.#now());
  }

  start(): void {
    const { RED, clock } = this.#ctx;
    const connect = () => this.#connect();
    RED.events.on('flows:started', connect);
    const every = Math.min(LOOK_EVERY, this.#watch.rules.within / 4);
    this.#stops.push(
      () => RED.events.removeListener('flows:started', connect),
      clock.every(every, () => this.#look()),
    );
  }

  stop(removed: boolean): void {
    for (const stop of this.#stops) stop();
    this.#leave();
    if (removed) forget('telegram');
  }

  /** At the start, and after each deploy, which may have made another config node of the same id. */
  #connect(): void {
    const config = this.#ctx.RED.nodes.getNode(this.#ctx.config.bot) as unknown as BotConfig | null;
    if (config === this.#config) return;
    this.#leave();
    const useless = uselessness(config);
    if (!config || useless) {
      const fill = useless === 'no-polling' ? 'grey' : 'red';
      this.#ctx.status({ fill, shape: 'ring', text: this.#ctx.t(`watchdog.status.${useless}`) });
      if (useless === 'no-token')
        ailing('telegram', 'the bot has no token, or one that another bot node has', this.#ctx.clock.now());
      return;
    }
    this.#config = config;
    const heard = (status: string) => {
      if (status === 'started') this.#announced = this.#listen();
    };
    config.on('status', heard);
    this.#stops.push(() => config.off('status', heard));
    this.#announced = this.#listen();
    const { rules, told, backs } = this.#watch;
    this.#watch = { ...startWatch(rules, this.#now()), told, backs };
    this.#show();
  }

  #leave(): void {
    this.#unhear();
    this.#config = undefined;
    this.#bot = undefined;
  }

  /** Listens to the bot that is there now. */
  #listen(): Bot | null | undefined {
    const bot = this.#config?.getTelegramBot(false);
    if (bot === this.#bot) return bot;
    this.#unhear();
    this.#bot = bot;
    if (!bot) {
      this.#unhear = () => {};
      return bot;
    }
    const onPoll = () => this.#take(polled(this.#watch, this.#now()));
    const onError = (error: unknown) => this.#take(failed(this.#watch, classify(error), this.#now()));
    bot.on('getUpdates_end', onPoll);
    bot.on('polling_error', onError);
    this.#unhear = () => {
      bot.off('getUpdates_end', onPoll);
      bot.off('polling_error', onError);
    };
    return bot;
  }

  #look(): void {
    if (!this.#config) return;
    const bot = this.#listen();
    // The sender node creates a bot where there is none; no receiver knows of it, and what it polls is lost.
    if (bot && bot !== this.#announced && this.#watch.reason?.kind !== 'token') {
      this.#announced = bot;
      this.#ctx.warn('the bot was replaced without the receivers knowing: it is restarted');
      this.#restart();
      return;
    }
    this.#take(looked(this.#watch, { polls: bot?.isPolling?.() === true }, this.#now()));
  }

  #take({ watch, restart, news }: Turn): void {
    const before = this.#watch;
    this.#watch = watch;
    const now = this.#now();
    if (watch.heard !== before.heard && !watch.conflict) alive('telegram', now.wall, watch.rules.within * 2);
    this.#ail(now);
    if (restart) {
      const seconds = Math.round((now.mono - watch.heard.mono) / 1000);
      this.#ctx.warn(`no poll for ${seconds} s: the bot is restarted`);
      this.#restart();
    }
    if (news) this.#tell(news);
    this.#show(restart);
  }

  #restart(): void {
    this.#ctx.send([{ payload: { command: 'restart', delay: RESTART_DELAY } }, null]);
  }

  #tell(news: News): void {
    const kind = REASONS.find((known) => known === news.reason.kind) ?? 'refused';
    const reason = { ...news.reason, words: this.#ctx.t(`watchdog.reason.${kind}`) };
    if (news.state === 'conflict') this.#ctx.warn(this.#ctx.t('watchdog.status.conflict'));
    const incident = incidentOf(news, this.#ctx.id);
    this.#ctx.send([
      null,
      { payload: { ...news, reason }, incident, say: { text: `watchdog.${news.state}` } },
    ]);
  }

  /** Tells health what is wrong, in plain English. */
  #ail(now: Moment): void {
    const { reason, heard, rules } = this.#watch;
    const quiet = now.mono - heard.mono;
    if (reason?.kind === 'token') ailing('telegram', `the bot's token is refused: ${reason.text}`, now.wall);
    else if (this.#watch.conflict)
      ailing('telegram', 'another instance polls with the same token (409)', now.wall);
    else if (quiet >= rules.within)
      ailing(
        'telegram',
        `no poll for ${Math.round(quiet / 1000)} s: ${reason?.text ?? 'no answer'}`,
        now.wall,
      );
  }

  #show(restarting = false): void {
    const now = this.#now();
    const { reason, heard, rules } = this.#watch;
    const quiet = now.mono - heard.mono >= rules.within;
    const [fill, key] = this.#watch.conflict
      ? (['red', 'conflict'] as const)
      : reason?.kind === 'token'
        ? (['red', 'token'] as const)
        : restarting
          ? (['yellow', 'restarting'] as const)
          : quiet
            ? (['yellow', 'quiet'] as const)
            : (['green', 'polling'] as const);
    const text = this.#ctx.t(`watchdog.status.${key}`, {
      seconds: (now.mono - heard.mono) / 1000,
      at: heard.wall,
    });
    if (text === this.#said) return;
    this.#said = text;
    this.#ctx.status({ fill, shape: fill === 'green' ? 'dot' : 'ring', text });
  }

  #now(): Moment {
    return { wall: this.#ctx.clock.now(), mono: this.#ctx.clock.monotonic() };
  }
}

/** Why there is nothing to watch. */
function uselessness(config: BotConfig | null): 'no-bot' | 'no-token' | 'no-polling' | undefined {
  if (!config) return 'no-bot';
  if (typeof config.stop !== 'function') return 'no-token';
  return config.usePolling === false ? 'no-polling' : undefined;
}

/** Lost and back are one incident, so that they are one message when both were told late. */
function incidentOf(news: News, id: string): Incident {
  return {
    id: `telegram:${id}:${news.since}`,
    code: 'telegram',
    severity: 'warning',
    state: news.state === 'back' ? 'resolved' : 'firing',
    since: news.since,
  };
}

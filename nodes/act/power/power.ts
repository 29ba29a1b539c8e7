import { bootId } from '../../host/boot-id.js';
import { checkPower, powerOff, reboot } from '../../host/power.js';
import { readPowerSupply } from '../../host/power-supply.js';
import { type Behaviour, defineNode, type NodeContext } from '../../kit/define-node.js';
import { PotionError, toPotionError } from '../../kit/errors.js';
import type { Message, Request, Say } from '../../kit/messages.js';
import { audit } from '../../state/audit.js';
import { type Database, database } from '../../state/database.js';
import { isDelivered } from '../../state/outbox-delivery.js';
import { withDatabase } from '../../state/patience.js';
import {
  forgetPowerIntent,
  keepPowerIntent,
  type PowerIntent,
  powerIntent,
} from '../../state/power-intent.js';
import { answered, onAnswered } from '../../state/requests.js';
import { Countdown, marksOf, type PowerAction } from './countdown.js';

const ACTIONS = ['check-reboot', 'check-power-off', 'reboot', 'power-off', 'cancel'] as const;

type Action = (typeof ACTIONS)[number];

interface PowerConfig {
  action: Action;
  /** Seconds of the countdown. */
  seconds: number | string;
}

/** How long the last words may take to reach Telegram, ms, and how often to look. */
const LAST_WORDS = 5000;
const LOOK_EVERY = 100;
/** By then the nodes that a message goes to are there. */
const FLOWS_STARTED = 1000;

/** The countdown that goes on in this process: there is one machine. */
let running: Countdown | undefined;

export default defineNode<PowerConfig>({
  type: 'potion-power',
  version: 1,
  check({ action, seconds }) {
    if (!ACTIONS.includes(action))
      throw new PotionError('INVALID', 'power.errors.action', { action: String(action) });
    if (!(Number(seconds) >= 5 && Number(seconds) <= 60))
      throw new PotionError('INVALID', 'power.errors.seconds', { seconds });
  },
  create: (ctx) => new Power(ctx),
});

class Power implements Behaviour {
  readonly #ctx: NodeContext<PowerConfig>;

  constructor(ctx: NodeContext<PowerConfig>) {
    this.#ctx = ctx;
  }

  async start(): Promise<void> {
    if (isPower(this.#ctx.config.action)) await withDatabase(this.#ctx, (db) => this.#afterRestart(db));
  }

  async input(msg: Message): Promise<Message | undefined> {
    const { action } = this.#ctx.config;
    if (action === 'cancel') return this.#cancel(msg);
    const what = action.replace('check-', '') as PowerAction;
    if (running) throw new PotionError('BUSY', 'power.errors.running', { action: running.action });
    if (action !== what) {
      await checkPower(what);
      return { ...msg, payload: { action: what, ...readPowerSupply() } };
    }
    if (!msg.request) throw new PotionError('INVALID', 'power.errors.no-request');
    return this.#countDown(msg, msg.request, what);
  }

  /** Whoever presses it in time has stopped it, whichever admin that is. */
  #cancel(msg: Message): Message {
    const action = running?.action;
    const text = !running ? 'power.nothing' : running.cancel() ? 'power.cancelled' : 'power.too-late';
    return { ...msg, payload: { action }, say: { ...this.#say(text, { action }), ...this.#wayOn() } };
  }

  async #countDown(msg: Message, request: Request, action: PowerAction): Promise<Message | undefined> {
    const { clock, signal, status, t } = this.#ctx;
    let wake = () => {};
    const countdown = new Countdown(action, () => wake());
    running = countdown;
    try {
      await checkPower(action);
      const db = await database();
      const intent: PowerIntent = { action, phase: 'countdown', at: clock.now(), bootId: bootId(), request };
      await keepPowerIntent(db, intent);
      status({ fill: 'yellow', text: t('power.status.counting', { action }) });
      await this.#count(msg, action, countdown, (stop) => {
        wake = stop;
      });
      // Whoever starts next finds what was kept, and tells of it.
      if (signal.aborted) return undefined;
      if (!countdown.go()) {
        await forgetPowerIntent(db);
        status();
        return {
          ...msg,
          say: { ...this.#say('power.cancelled', { action }), outcome: 'CANCELLED', ...this.#wayOn() },
        };
      }
      await this.#go(db, msg, intent);
      return undefined;
    } finally {
      if (running === countdown) running = undefined;
    }
  }

  /** Tells how long it still is, until it is over, cancelled, or the node closes. */
  async #count(
    msg: Message,
    action: PowerAction,
    countdown: Countdown,
    onStop: (stop: () => void) => void,
  ): Promise<void> {
    const { clock, config, send, signal, t } = this.#ctx;
    const seconds = Number(config.seconds);
    const ends = clock.monotonic() + seconds * 1000;
    const marks = marksOf(seconds);
    for (const [i, left] of marks.entries()) {
      if (signal.aborted || countdown.stand !== 'counting') return;
      const buttons = [[{ label: t('power.cancel'), command: '/cancel' }]];
      send({ ...msg, say: { ...this.#say('power.countdown', { action, left }), buttons, interim: true } });
      await this.#wait(ends - (marks[i + 1] ?? 0) * 1000 - clock.monotonic(), onStop);
    }
  }

  /** Waits; ended by the node's close and by whoever calls what `onStop` is given. */
  #wait(ms: number, onStop: (stop: () => void) => void): Promise<void> {
    const { clock, signal } = this.#ctx;
    return new Promise((resolve) => {
      const end = () => {
        cancel();
        signal.removeEventListener('abort', end);
        resolve();
      };
      const cancel = clock.after(Math.max(0, ms), end);
      signal.addEventListener('abort', end);
      onStop(end);
      if (signal.aborted) end();
    });
  }

  /** Says that it happens now, sees that Telegram has it, keeps that it was wanted, and only then does it. */
  async #go(db: Database, msg: Message, intent: PowerIntent): Promise<void> {
    const { clock, signal, status, t } = this.#ctx;
    const { action, request } = intent;
    status({ fill: 'red', text: t('power.status.going', { action }) });
    await this.#lastWords(db, msg, intent);
    if (signal.aborted) return;
    await keepPowerIntent(db, { ...intent, phase: 'begun', at: clock.now() });
    try {
      await (action === 'reboot' ? reboot() : powerOff());
    } catch (thrown) {
      await forgetPowerIntent(db);
      const { code } = toPotionError(thrown);
      // The request has its answer already, so its result would not be written down.
      await audit(db, {
        at: clock.now(),
        user: request.user,
        event: 'result',
        action: request.command,
        result: code,
      });
      throw thrown;
    }
  }

  async #lastWords(db: Database, msg: Message, { action, request }: PowerIntent): Promise<void> {
    const { clock, send } = this.#ctx;
    const until = clock.monotonic() + LAST_WORDS;
    let kept = false;
    const leave = onAnswered((id) => {
      if (id === request.id) kept = true;
    });
    try {
      send({ ...msg, say: this.#say('power.now', { action }) });
      while (clock.monotonic() < until && !(kept && (await isDelivered(db, request.chat)))) {
        if (this.#ctx.signal.aborted) return;
        await this.#wait(LOOK_EVERY, () => {});
      }
    } finally {
      leave();
    }
  }

  /** A countdown that ended with its process or its flow has ended for good. */
  async #afterRestart(db: Database): Promise<void> {
    const { clock, config, send, signal } = this.#ctx;
    const intent = await powerIntent(db);
    if (intent?.action !== config.action) return;
    // The machine did go down: that is for the boot node to tell.
    if (intent.phase === 'begun' && intent.bootId !== bootId()) return;
    const { action, request } = intent;
    await forgetPowerIntent(db);
    await answered(db, request.id, clock.now(), 'CANCELLED');
    const say = { ...this.#say('power.interrupted', { action }), ...this.#wayOn(), edit: true };
    const cancel = clock.after(FLOWS_STARTED, () => send({ request, say }));
    signal.addEventListener('abort', cancel);
  }

  #say(text: string, data: { action?: PowerAction; left?: number }): Say {
    return { text, data };
  }

  #wayOn(): Pick<Say, 'buttons'> {
    return { buttons: [[{ label: this.#ctx.t('power.back'), command: '/services' }]] };
  }
}

function isPower(action: Action): action is PowerAction {
  return action === 'reboot' || action === 'power-off';
}

import { lastLines } from '../../host/journalctl.js';
import { ownUnit } from '../../host/own-unit.js';
import { checkedUnit, Systemd, type UnitState } from '../../host/systemd.js';
import type { Cancel } from '../../kit/clock.js';
import { config, onConfigChange } from '../../kit/config.js';
import { type Behaviour, defineNode, type NodeContext, type Out } from '../../kit/define-node.js';
import { type Failure, PotionError, toPotionError } from '../../kit/errors.js';
import type { Message, Say } from '../../kit/messages.js';
import { redact } from '../../kit/redact.js';
import { activeSilences, isSilenced } from '../../state/alerts.js';
import { type Database, database } from '../../state/database.js';
import { forgetHeals } from '../../state/heals.js';
import { stoppedByAdmin } from '../../state/intent.js';
import { withDatabase } from '../../state/patience.js';
import type { Telling } from './heal.js';
import { Healer } from './healer.js';
import { type Limits, type LimitsConfig, limitsFrom } from './limits.js';
import { summaryOf } from './status.js';
import { logLine, messageOf, nameOf, type Particulars, surrenderOf, type Trouble } from './story.js';
import { viewOf } from './view.js';

interface SelfHealConfig extends LimitsConfig {
  /** Lines of the journal to tell on giving up. */
  journal: number | string;
  /** Units that ended without an error are brought back too. */
  ended: boolean;
  /** Command line of the button on giving up, without the unit; empty: no button. */
  command: string;
}

const FLOWS_STARTED = 1000;

const FRESH = 1000;

/** Nothing to heal in these, unless an episode is open. */
const WELL = ['active', 'exited', 'reloading', 'activating', 'deactivating'];

export default defineNode<SelfHealConfig>({
  type: 'potion-self-heal',
  version: 1,
  check: limitsFrom,
  create: (ctx) => selfHeal(ctx),
});

function selfHeal(ctx: NodeContext<SelfHealConfig>): Behaviour {
  const limits = limitsFrom(ctx.config);
  let healer: Healer | undefined;
  let systemd: Systemd | undefined;
  let resumption: Cancel | undefined;
  let unfollow = () => {};

  const showStatus = () => {
    if (systemd?.trouble) {
      ctx.status({ fill: 'red', shape: 'ring', text: ctx.t('self-heal.status.lost') });
      return;
    }
    const { fill, key, data } = summaryOf(healer?.states() ?? new Map(), limits);
    ctx.status({ fill, text: ctx.t(`self-heal.status.${key}`, data) });
  };

  const begin = async (bus: Systemd, db: Database) => {
    const healing = healerFor(ctx, bus, db, limits, showStatus);
    await healing.load();
    healer = healing;
    showStatus();
    // By then the nodes that its messages go to are there.
    unfollow = onConfigChange((now, before) => {
      const dropped = before.servicesWhitelist.filter((unit) => !now.servicesWhitelist.includes(unit));
      for (const unit of dropped.filter((one) => healing.states().has(one)))
        healing.notice(unit).catch((thrown: unknown) => ctx.fail(thrown));
    });
    resumption = ctx.clock.after(FLOWS_STARTED, () => healing.resume().then(showStatus));
  };

  return {
    async start() {
      const bus = await Systemd.connect({ clock: ctx.clock, patient: true });
      systemd = bus;
      bus.onLost(showStatus);
      bus.onBack(showStatus);
      await withDatabase(ctx, (db) => begin(bus, db));
    },

    async input(msg) {
      const { unit, condition, state } = noticeIn(msg);
      if (!healer) throw new PotionError('UNAVAILABLE', 'self-heal.errors.not-started');
      if (msg.action === 'retry') {
        await healer.retry(unit);
        return answer(msg, unit, healer.states().get(unit)?.phase === 'trying');
      }
      if (healer.states().has(unit) || !WELL.includes(condition))
        await healer.notice(unit, isFresh(msg, ctx.clock.now()) ? state : undefined);
      return undefined;
    },

    async stop(removed) {
      resumption?.();
      unfollow();
      await healer?.close();
      await systemd?.close();
      if (removed) await forgetHeals(await database(), ctx.id);
    },
  };
}

function healerFor(
  ctx: NodeContext<SelfHealConfig>,
  bus: Systemd,
  db: Database,
  limits: Limits,
  changed: () => void,
): Healer {
  const own = ownUnit();
  return new Healer({
    node: ctx.id,
    db,
    clock: ctx.clock,
    limits,
    units: bus,
    signal: ctx.signal,
    look: async (unit, known) => {
      const [state, stopped] = await Promise.all([known ?? bus.state(unit), stoppedByAdmin(db, unit)]);
      return viewOf(state, {
        whitelist: config().servicesWhitelist,
        ownUnit: own,
        stoppedByAdmin: stopped,
        healEnded: ctx.config.ended === true,
      });
    },
    tell: async (unit, telling, error) => {
      const about = { unit, limits, error: error && inWords(ctx, error) };
      await tell(ctx, telling, about, await isSilent(ctx, db, unit));
    },
    fail: (error) => ctx.fail(error),
    changed,
  });
}

/** Sends a step: 1 healed, 2 given up, 3 everything that changes the incident's message on the way. */
async function tell(
  ctx: NodeContext<SelfHealConfig>,
  telling: Telling,
  about: Particulars,
  isSilent: boolean,
): Promise<void> {
  const hush = (msg: Message): Message =>
    isSilent ? { ...msg, say: { ...msg.say, silent: true } as Say } : msg;
  const step = hush(messageOf(telling, about));
  ctx.send(telling.step === 'healed' ? [step, null, null] : [null, null, step]);
  if (telling.step !== 'gave-up') return;
  const button = { command: ctx.config.command ?? '', label: ctx.t('self-heal.button') };
  ctx.send([null, hush(surrenderOf(telling, about, await journalOf(ctx, about.unit), button)), null]);
}

/** What is silenced is told all the same, as it is told once, but without a sound. */
async function isSilent(ctx: NodeContext<SelfHealConfig>, db: Database, unit: string): Promise<boolean> {
  try {
    return isSilenced(`service:${unit}`, await activeSilences(db, ctx.clock.now()));
  } catch (thrown) {
    ctx.fail(thrown);
    return false;
  }
}

/** A journal that can't be read does not keep anybody from hearing that the unit is down. */
async function journalOf(ctx: NodeContext<SelfHealConfig>, unit: string) {
  const count = Number(ctx.config.journal);
  if (!(count > 0)) return {};
  try {
    const lines = await lastLines(unit, count, { signal: ctx.signal });
    return { journal: lines.map((line) => redact(logLine(line), [config().heartbeatUrl])) };
  } catch (thrown) {
    return { journalError: inWords(ctx, toPotionError(thrown).cause) };
  }
}

function inWords(ctx: NodeContext<SelfHealConfig>, { text, data }: Failure): Trouble {
  return { message: ctx.t(`${text}.message`, data), hint: ctx.t(`${text}.hint`, data) };
}

/** Whoever asked for another try hears at once whether there is one; how it goes is told as ever. */
function answer(msg: Message, unit: string, isTrying: boolean): Out | undefined {
  if (!msg.request) return undefined;
  const payload = { unit, name: nameOf(unit), trying: isTrying };
  return [null, null, { ...msg, payload, say: { text: 'self-heal.retry', data: { payload } } }];
}

/** What the `services` node says, or a message with nothing but a unit. */
function noticeIn({ payload, action }: Message): { unit: string; condition: string; state?: UnitState } {
  if (action !== undefined && action !== 'retry')
    throw new PotionError('INVALID', 'self-heal.errors.action', { action });
  const said = typeof payload === 'object' && payload !== null ? payload : { unit: payload };
  const { unit: name, condition, state } = said as { unit?: unknown; condition?: unknown; state?: UnitState };
  const unit = checkedUnit(name);
  return {
    unit,
    condition: typeof condition === 'string' ? condition : '',
    ...(state?.unit === unit ? { state } : {}),
  };
}

/** What was noticed a moment ago need not be asked again. */
function isFresh({ timestamp }: Message, now: number): boolean {
  return timestamp !== undefined && Math.abs(now - timestamp) < FRESH;
}

import { type Behaviour, defineNode, type NodeContext, type Out } from '../../kit/define-node.js';
import { door } from '../../kit/door.js';
import { PotionError } from '../../kit/errors.js';
import type { Message, Say } from '../../kit/messages.js';
import { database } from '../../state/database.js';
import { withDatabase } from '../../state/patience.js';
import { forgetJob } from './apt-job.js';
import { aptOffer } from './apt-offer.js';
import { type AptAftermath, aftermath, aptUpgrade } from './apt-upgrade.js';
import { panelFacts } from './panel.js';
import { aftermathView, offerView, panelView, progressView, resultView } from './views.js';

const ACTIONS = ['panel', 'apt-list', 'apt-upgrade'] as const;

type Action = (typeof ACTIONS)[number];

interface UpdateConfig {
  action: Action;
}

type Context = NodeContext<UpdateConfig>;
type Work = (ctx: Context, msg: Message, send: (out: Out) => void) => Promise<Message | undefined>;

const WORK: Record<Action, Work> = {
  async panel(ctx, msg) {
    const payload = await panelFacts();
    return { ...msg, payload, say: panelView(payload, ctx.t, canReboot()) };
  },

  async 'apt-list'(ctx, msg) {
    ctx.status({ fill: 'blue', text: ctx.t('update.status.listing') });
    const payload = await aptOffer(ctx.signal, msg.request === undefined);
    const { packages, security } = payload;
    const text = ctx.t('update.status.offer', { count: packages.length, security });
    ctx.status({ fill: security > 0 ? 'yellow' : 'green', text });
    return { ...msg, payload, say: offerView(payload, ctx.t, canReboot()) };
  },

  async 'apt-upgrade'(ctx, msg, send) {
    const started = ctx.clock.monotonic();
    const tell = (say: Say) => send({ ...msg, say });
    ctx.status({ fill: 'blue', text: ctx.t('update.status.upgrading') });
    if (msg.request) tell(progressView({ phase: 'download', ratio: 0, text: '' }, 0));
    const payload = await aptUpgrade(ctx, msg.request, (progress) => {
      const seconds = (ctx.clock.monotonic() - started) / 1000;
      if (msg.request) tell(progressView(progress, seconds));
    });
    ctx.status({ fill: 'green', text: ctx.t('update.status.upgraded', { at: ctx.clock.now() }) });
    const say =
      'fate' in payload
        ? aftermathView(payload, ctx.t, canReboot())
        : resultView(payload, ctx.t, canReboot());
    send({ ...msg, payload, say });
    // Not sooner: what was not told is told after a restart.
    await forgetJob(await database(), ctx.id);
    return undefined;
  },
};

/** By then the nodes that a message goes to are there. */
const FLOWS_STARTED = 1000;

export default defineNode<UpdateConfig>({
  type: 'potion-update',
  version: 1,

  check({ action }) {
    if (!ACTIONS.includes(action))
      throw new PotionError('INVALID', 'update.errors.action', { action: String(action) });
  },

  create: (ctx) => update(ctx),
});

function update(ctx: Context): Behaviour {
  /** Tells of what an earlier process has left under way. */
  async function takeUp(): Promise<void> {
    const db = await database();
    const left = await aftermath(ctx, db);
    if (!left) return;
    ctx.send({ ...left, say: aftermathView(left.payload as AptAftermath, ctx.t, canReboot()) });
    await forgetJob(db, ctx.id);
  }

  return {
    async start() {
      if (ctx.config.action !== 'apt-upgrade') return;
      await withDatabase(ctx, async () => {
        const cancel = ctx.clock.after(FLOWS_STARTED, () => {
          ctx.signal.removeEventListener('abort', cancel);
          takeUp().catch((thrown) => {
            if (!ctx.signal.aborted) ctx.fail(thrown);
          });
        });
        ctx.signal.addEventListener('abort', cancel);
      });
    },

    input(msg, send) {
      const action = msg.action ?? ctx.config.action;
      if (!ACTIONS.includes(action as Action))
        throw new PotionError('INVALID', 'update.errors.action', { action: String(action).slice(0, 80) });
      return WORK[action as Action](ctx, msg, send);
    },
  };
}

/** Whether there is a command that a button can lead to. */
function canReboot(): boolean {
  return door.find('reboot') !== undefined;
}

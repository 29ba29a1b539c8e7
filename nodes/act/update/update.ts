import { askHelper } from '../../host/root-helper.js';
import { sealedCommit } from '../../host/sealed-release.js';
import { type Behaviour, defineNode, type NodeContext, type Out } from '../../kit/define-node.js';
import { door } from '../../kit/door.js';
import { PotionError } from '../../kit/errors.js';
import type { Message, Say } from '../../kit/messages.js';
import { type Database, database } from '../../state/database.js';
import { withDatabase } from '../../state/patience.js';
import { forgetJob } from './apt-job.js';
import { aptOffer } from './apt-offer.js';
import { type AptAftermath, aftermath, aptUpgrade } from './apt-upgrade.js';
import { aftermathView, offerView, progressView, resultView } from './apt-views.js';
import { packagesCheck, packagesView } from './packages.js';
import { panelFacts, panelView } from './panel.js';
import { auditPull, beginPull, commitOf, followPull, pullLeft } from './pull.js';
import { forgetPull, type PullJob } from './pull-job.js';
import { begunView, endView, newsView } from './pull-views.js';

const ACTIONS = ['panel', 'apt-list', 'apt-upgrade', 'packages', 'repair', 'pull-list', 'pull'] as const;

type Action = (typeof ACTIONS)[number];

interface UpdateConfig {
  action: Action;
}

type Context = NodeContext<UpdateConfig>;
type Send = (out: Out) => void;
type Work = (ctx: Context, msg: Message, send: Send) => Promise<Message | undefined>;

/** Potion's code. */
const home = () => process.env.POTION_HOME ?? process.cwd();

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
    const tell = (say: Say) => {
      if (msg.request) send({ ...msg, say });
    };
    ctx.status({ fill: 'blue', text: ctx.t('update.status.upgrading') });
    tell(progressView({ phase: 'download', ratio: 0, text: '' }, 0));
    const payload = await aptUpgrade(ctx, msg.request, (progress) =>
      tell(progressView(progress, (ctx.clock.monotonic() - started) / 1000)),
    );
    ctx.status({ fill: 'green', text: ctx.t('update.status.upgraded', { at: ctx.clock.now() }) });
    const view = 'fate' in payload ? aftermathView : resultView;
    send({ ...msg, payload, say: view(payload as never, ctx.t, canReboot()) });
    // Not sooner: what was not told is told after a restart.
    await forgetJob(await database(), ctx.id);
    return undefined;
  },

  async packages(ctx, msg) {
    const payload = await packagesCheck(home());
    ctx.status({
      fill: payload.ok ? 'green' : 'red',
      text: ctx.t('update.status.packages', { good: payload.good }),
    });
    return { ...msg, payload, say: packagesView(payload, ctx.t) };
  },

  async repair(ctx, msg, send) {
    const commit = await sealedCommit(home());
    if (commit === undefined) throw new PotionError('NOT_FOUND', 'errors.source-not-installed');
    return pull(ctx, msg, send, commit);
  },

  async 'pull-list'(ctx, msg) {
    ctx.status({ fill: 'blue', text: ctx.t('update.status.fetching') });
    const payload = await askHelper('potion.incoming', {}, { signal: ctx.signal });
    const { count, to } = payload;
    ctx.status({ fill: count > 0 ? 'yellow' : 'green', text: ctx.t('update.status.news', { count, to }) });
    return { ...msg, payload, say: newsView(payload, ctx.t) };
  },

  pull: (ctx, msg, send) => pull(ctx, msg, send, commitOf(msg.payload)),
};

async function pull(ctx: Context, msg: Message, send: Send, commit: string): Promise<undefined> {
  const job = await beginPull(ctx, commit, msg.request);
  ctx.status({ fill: 'blue', text: ctx.t('update.status.pulling', { commit }) });
  // This is the answer: Potion will be restarted, and the new one tells what came of it.
  send({ ...msg, payload: job, say: begunView(commit) });
  await tellEnd(ctx, await database(), job, send);
}

/** Tells how an upgrade of Potion goes, and what came of it. */
async function tellEnd(ctx: Context, db: Database, job: PullJob, send: Send): Promise<void> {
  const { request, commit } = job;
  const about = request ? { request } : {};
  const end = await followPull(ctx, job, (step) => {
    if (request) send({ ...about, say: { ...begunView(commit, step), edit: true } });
  });
  const good = end.kind === 'over' && end.record.state === 'upgraded';
  const text = ctx.t(`update.status.${good ? 'pulled' : 'not-pulled'}`, { commit });
  ctx.status({ fill: good ? 'green' : 'red', text });
  await auditPull(db, job, end, ctx.clock.now());
  send({ ...about, payload: end, say: endView(end, job, ctx.t) });
  await forgetPull(db, ctx.id);
}

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
    const job = await pullLeft(db, ctx);
    if (job) await tellEnd(ctx, db, job, ctx.send);
    const left = await aftermath(ctx, db);
    if (!left) return;
    ctx.send({ ...left, say: aftermathView(left.payload as AptAftermath, ctx.t, canReboot()) });
    await forgetJob(db, ctx.id);
  }

  return {
    async start() {
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

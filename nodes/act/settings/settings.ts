import { totalmem } from 'node:os';
import { alertWatches } from '../../kit/alert-watches.js';
import { defineNode, type NodeContext, type Out } from '../../kit/define-node.js';
import { PotionError } from '../../kit/errors.js';
import type { Message } from '../../kit/messages.js';
import { parseQuiet, parseTimeOfDay } from '../../kit/time-of-day.js';
import { type Database, database } from '../../state/database.js';
import { openInvitations } from '../../state/invitations.js';
import { keptSettings } from '../../state/settings.js';
import { about } from './about.js';
import { apply } from './apply.js';
import { alertsNow, countingNow, thresholdsNow } from './facts.js';
import { getSetting, keyedChange } from './keyed.js';
import { boundsOf, readMeasure } from './measure.js';
import { metricNamed, thresholdNow } from './metrics.js';
import {
  type Prepared,
  prepareOther,
  prepareSilence,
  prepareThreshold,
  prepareUnsilence,
} from './prepare.js';
import {
  aboutView,
  adminsView,
  alertsView,
  backupView,
  languageView,
  overviewView,
  quietView,
  servicesView,
  thresholdsView,
  thresholdView,
} from './views.js';
import {
  type Change,
  changeIn,
  wishedAdmin,
  wishedBackup,
  wishedLanguage,
  wishedQuiet,
  wishedService,
} from './wish.js';

interface SettingsConfig {
  action: Action;
}

type Context = NodeContext<SettingsConfig>;

/** What one action works with. */
interface Job {
  ctx: Context;
  db: Database;
  msg: Message;
  /** A field of the payload as text; '' when it is not there. */
  text(name: string): string;
}

/** Shows something. */
type Show = (job: Job) => Promise<Message>;
/** Reads a change out of the message and brings it together with what there is. */
type Plan = (job: Job) => Promise<Prepared>;

const SHOWS = {
  async show(job) {
    const panel = job.text('panel');
    if (Object.hasOwn(PANELS, panel)) return PANELS[panel as keyof typeof PANELS](job);
    const { ctx, db, msg } = job;
    const payload = { ...(await countingNow(db)), ...(await alertsNow(db, ctx.clock.now())) };
    return { ...msg, payload, say: overviewView(payload, payload, ctx.t) };
  },

  async alerts({ ctx, db, msg }) {
    const payload = await alertsNow(db, ctx.clock.now());
    return { ...msg, payload, say: alertsView(payload, ctx.t) };
  },

  async thresholds(job) {
    const { ctx, db, msg } = job;
    const name = job.text('metric');
    if (name) return showThreshold(job, name);
    const payload = await thresholdsNow(db);
    return { ...msg, payload, say: thresholdsView(payload, ctx.t) };
  },

  async admins({ ctx, db, msg }) {
    const counting = await countingNow(db);
    const invitations = await openInvitations(db, ctx.clock.now());
    const payload = { admins: counting.admins, invitations: invitations.map(({ token, ...rest }) => rest) };
    return { ...msg, payload, say: adminsView(counting, invitations, msg.request?.user, ctx.t) };
  },

  async about({ ctx, msg }) {
    const { version } = ctx.RED.settings as { version?: string };
    // Node-RED takes the .git of a clone of Potion for one of its own.
    const payload = about((version ?? '').replace(/-git$/, ''));
    return { ...msg, payload, say: aboutView(payload, ctx.t) };
  },

  async get({ db, msg, text }) {
    return { ...msg, payload: await getSetting(db, text('key')) };
  },
} satisfies Record<string, Show>;

const PANELS = {
  async services({ ctx, db, msg }) {
    const counting = await countingNow(db);
    return { ...msg, payload: counting.services, say: servicesView(counting, ctx.t) };
  },

  async language({ ctx, db, msg }) {
    const counting = await countingNow(db);
    return { ...msg, payload: counting.language, say: languageView(counting, ctx.t) };
  },

  async quiet({ ctx, db, msg, text }) {
    const counting = await countingNow(db);
    return { ...msg, payload: counting.quiet, say: quietView(counting, parseQuiet(text('value')), ctx.t) };
  },

  async backup({ ctx, db, msg, text }) {
    const counting = await countingNow(db);
    const view = backupView(counting, parseTimeOfDay(text('value')), ctx.t);
    return { ...msg, payload: counting.backupTime, say: view };
  },
} satisfies Record<string, Show>;

const other =
  (read: (job: Job) => Change): Plan =>
  (job) =>
    prepareOther({ db: job.db, clock: job.ctx.clock }, read(job));

const PLANS = {
  'set-threshold': ({ ctx, db, text }) =>
    prepareThreshold({ db, clock: ctx.clock }, text('metric'), text('value')),
  silence: async ({ ctx, db, text }) =>
    prepareSilence({ db, clock: ctx.clock }, text('code'), text('minutes')),
  unsilence: ({ ctx, db, text }) => prepareUnsilence({ db, clock: ctx.clock }, text('code')),
  'add-service': other(({ text }) => wishedService('service-add', text('unit'))),
  'remove-service': other(({ text }) => wishedService('service-remove', text('unit'))),
  'invite-admin': other(({ text }) => wishedAdmin('admin-invite', text('id'))),
  'remove-admin': other(({ text }) => wishedAdmin('admin-remove', text('id'))),
  'set-language': other(({ text }) => wishedLanguage(text('value'))),
  'set-quiet': other(({ text }) => wishedQuiet(text('value'))),
  'set-backup': other(({ text }) => wishedBackup(text('value'))),
} satisfies Record<string, Plan>;

/** Without a value these show where things stand. */
const WITHOUT_VALUE: Partial<Record<Action, keyof typeof PANELS>> = {
  'set-language': 'language',
  'set-quiet': 'quiet',
  'set-backup': 'backup',
};

/** Where each kind of change is seen afterwards. */
const BACK: Record<Change['kind'], string> = {
  threshold: '/thresholds',
  silence: '/alerts',
  unsilence: '/alerts',
  'service-add': '/settings services',
  'service-remove': '/settings services',
  'admin-invite': '/admins',
  'admin-remove': '/admins',
  language: '/settings language',
  quiet: '/settings quiet',
  backup: '/settings backup',
};

type Action = keyof typeof SHOWS | keyof typeof PLANS | 'apply' | 'set' | 'reset';

const ACTIONS = [...Object.keys(SHOWS), ...Object.keys(PLANS), 'apply', 'set', 'reset'] as readonly string[];

export default defineNode<SettingsConfig>({
  type: 'potion-settings',
  version: 1,
  check: ({ action }) => checkAction(action),
  create: (ctx) => ({ input: (msg: Message) => work(ctx, msg) }),
});

function checkAction(action: unknown): asserts action is Action {
  if (!ACTIONS.includes(action as string))
    throw new PotionError('INVALID', 'settings.errors.action', { action: String(action).slice(0, 64) });
}

async function work(ctx: Context, msg: Message): Promise<Out> {
  const action: unknown = msg.action ?? ctx.config.action;
  checkAction(action);
  const text = (name: string) => fieldOf(msg.payload, name);
  const job: Job = { ctx, db: await database(), msg, text };
  const panel = WITHOUT_VALUE[action];
  if (panel && text('value') === '') return [await PANELS[panel](job), null];
  if (action in SHOWS) return [await SHOWS[action as keyof typeof SHOWS](job), null];
  if (action in PLANS) return ask(job, await PLANS[action as keyof typeof PLANS](job));
  if (action === 'apply') return [await carryOut(job, changeIn(msg.payload)), null];
  const { key, value } = { key: text('key'), value: action === 'reset' ? 'default' : text('value') };
  const { change } = await keyedChange({ db: job.db, clock: ctx.clock }, key, value);
  return [await carryOut(job, change), null];
}

/** A change goes on to the question; where nothing would change, that is the answer. */
function ask({ ctx, msg }: Job, { change, facts, isSo }: Prepared): Out {
  const back = BACK[change.kind];
  const data = { kind: change.kind, change, ...facts };
  if (isSo) {
    const buttons = [[{ label: ctx.t('settings.button.back-list'), command: back }]];
    return [{ ...msg, payload: { change, ...facts }, say: { text: 'settings.is-so', data, buttons } }, null];
  }
  const words = ctx.t(`settings.change.${change.kind}`, data);
  return [null, { ...msg, payload: { change, ...facts, words, back } }];
}

async function carryOut({ ctx, db, msg }: Job, change: Change): Promise<Message> {
  const author = { user: msg.request?.user ?? null, at: ctx.clock.now() };
  const done = await apply(db, change, author);
  const data = { kind: change.kind, change, ...done };
  ctx.status({ fill: 'green', text: ctx.t('settings.status.changed', { ...data, at: author.at }) });
  const label = ctx.t('settings.button.back-list');
  return {
    ...msg,
    payload: { change, ...done },
    say: {
      text: `settings.done.${change.kind}`,
      data,
      // The keyboard below the chat speaks the language too; it comes with a message of its own.
      ...(change.kind === 'language' ? { keyboard: true } : {}),
      buttons: change.kind === 'language' ? [] : [[{ label, command: BACK[change.kind] }]],
    },
  };
}

async function showThreshold({ ctx, db, msg, text }: Job, name: string): Promise<Message> {
  const metric = metricNamed(name, alertWatches());
  const threshold = { ...metric, ...thresholdNow(metric, await keptSettings(db), process.env) };
  const bounds = boundsOf(metric.code, metric.unit, totalmem());
  const wanted = readMeasure(text('value'), metric.unit);
  const proposed = wanted === undefined ? undefined : Math.min(bounds.max, Math.max(bounds.min, wanted));
  const payload = { ...threshold, bounds };
  return { ...msg, payload, say: thresholdView(threshold, bounds, proposed, ctx.t) };
}

function fieldOf(payload: unknown, name: string): string {
  const value = (payload as Record<string, unknown> | null | undefined)?.[name];
  return typeof value === 'string' || typeof value === 'number' ? String(value).trim() : '';
}

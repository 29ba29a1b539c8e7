import { config as environment, onConfigChange } from '../../kit/config.js';
import { defineNode, type NodeContext } from '../../kit/define-node.js';
import { door } from '../../kit/door.js';
import { PotionError } from '../../kit/errors.js';
import { keeping } from '../../kit/intake.js';
import type { Message } from '../../kit/messages.js';
import { pruneAudit } from '../../state/audit.js';
import { pruneConfirmations } from '../../state/confirmations.js';
import type { Database } from '../../state/database.js';
import { withDatabase } from '../../state/patience.js';
import { onAnswered, pruneRequests } from '../../state/requests.js';
import { pruneShortcuts } from '../../state/shortcuts.js';
import { Desk } from './desk.js';
import { identify } from './identify.js';
import { Invitees } from './invitees.js';
import { Patience } from './patience.js';
import { recover } from './recover.js';
import { Refusals } from './refusals.js';

interface GateConfig {
  /** Listen to admins in groups too. */
  groups: boolean;
}

/** What Node-RED says when flows are running; a partial deploy names itself. */
interface FlowsStarted {
  type?: 'full' | 'load' | 'flows' | 'nodes';
}

const DAY = 86_400_000;
const MINUTE = 60_000;

export default defineNode<GateConfig>({
  type: 'potion-gate',
  version: 1,
  create: (ctx) => {
    const say = (msg: Message) => ctx.send([msg, null]);
    const endPress = (press: string, text?: string) => ctx.send([null, pressAnswer(press, text)]);
    const patience = new Patience(ctx.clock, (request) => say({ request, say: { text: 'processing' } }));
    const opened = Promise.withResolvers<void>();
    const stops = [opened.resolve, () => patience.stop(), onAnswered((id) => patience.answered(id))];
    let refusals: Refusals | undefined;
    let desk: Desk | undefined;
    let invitees: Invitees | undefined;
    let tidying: Promise<void> | undefined;

    // One after the other: a YA must find the question that the message before it led to.
    let last: Promise<unknown> = opened.promise.catch(() => {});
    const inTurn = (work: () => Promise<void>) => {
      const turn = last.then(() => (ctx.signal.aborted ? undefined : work()));
      last = turn.catch(() => {});
      keeping(last);
      return turn;
    };
    // An update that comes before the flows run waits, and so does the next poll.
    keeping(last);

    const begin = async (db: Database, flows: Promise<FlowsStarted>) => {
      const { clock, t } = ctx;
      const log = new Refusals(db);
      refusals = log;
      desk = new Desk({ db, clock, door, patience, refusals: log, say, endPress, t });
      const invited = new Invitees({ db, clock, say, endPress, t });
      invitees = invited;
      const guarded = (work: () => Promise<void>) => () => void work().catch(ctx.fail);
      const tidy = () => {
        tidying = prune(db, clock.now()).catch(ctx.fail);
      };
      stops.push(
        clock.every(
          MINUTE,
          guarded(() => log.sum(clock.now(), clock.monotonic())),
        ),
        clock.every(
          MINUTE,
          guarded(() => invited.expire()),
        ),
        onConfigChange(() => showStatus(ctx)),
        clock.every(DAY, tidy),
      );
      void flows
        .then(async ({ type }) => {
          if (type === 'nodes' || type === 'flows') return;
          // Whatever ran before this has ended with its process, or with the flows that were replaced.
          desk?.expectBacklog();
          await recover({ db, clock, door, patience, say });
          await invited.tellAgain();
        })
        .catch(ctx.fail)
        .finally(opened.resolve);
      showStatus(ctx);
      tidy();
    };

    return {
      async start() {
        const flows = flowsStarted(ctx);
        await withDatabase(ctx, (db) => begin(db, flows)).catch((thrown) => {
          opened.resolve();
          throw thrown;
        });
      },

      input: (msg) =>
        inTurn(async () => {
          if (!desk || !refusals) throw new PotionError('UNAVAILABLE', 'gate.no-database');
          const update = identify(msg, { adminIds: environment().adminIds, groups: ctx.config.groups });
          if (!('refused' in update)) return desk.serve(update, botNameOf(msg));
          if (update.refused === 'stranger' && update.user && (await invitees?.serve(msg, update.user)))
            return;
          await refusals.note(update, ctx.clock.now(), ctx.clock.monotonic());
        }).then(() => undefined),

      async stop() {
        for (const stop of stops) stop();
        await last;
        await tidying;
        await refusals?.sum(ctx.clock.now(), Number.POSITIVE_INFINITY);
      },
    };
  },
});

/**
 * The next time that flows run. Commands register while flows start, so nothing can be handed to them before,
 * and where a node type is missing nothing ever runs: this event alone tells.
 */
function flowsStarted(ctx: NodeContext<GateConfig>): Promise<FlowsStarted> {
  return new Promise((resolve) => {
    ctx.RED.events.once('flows:started', resolve);
    ctx.signal.addEventListener('abort', () => ctx.RED.events.removeListener('flows:started', resolve));
  });
}

function pressAnswer(callbackQueryId: string, text?: string): Message {
  return { payload: { type: 'answerCallbackQuery', callbackQueryId, options: text ? { text } : {} } };
}

function botNameOf(msg: Message): string | undefined {
  const bot = msg.telegramBot as { botname?: unknown } | undefined;
  return typeof bot?.botname === 'string' ? bot.botname : undefined;
}

function showStatus(ctx: NodeContext<GateConfig>): void {
  const admins = environment().adminIds.length;
  if (admins === 0) ctx.status({ fill: 'red', shape: 'ring', text: ctx.t('gate.status.nobody') });
  else ctx.status({ fill: 'green', text: ctx.t('gate.status.admins', { admins }) });
}

/** Forgets what is too old, a few thousand rows a day at most. */
async function prune(db: Database, now: number): Promise<void> {
  for (const some of [pruneRequests, pruneConfirmations, pruneAudit]) {
    for (let chunk = 0; chunk < 10; chunk++) if ((await some(db, now)) === 0) break;
  }
  await pruneShortcuts(db, now);
}

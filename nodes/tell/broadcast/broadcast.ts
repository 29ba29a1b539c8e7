import { config as environment } from '../../kit/config.js';
import { defineNode } from '../../kit/define-node.js';
import { PotionError } from '../../kit/errors.js';
import type { Message } from '../../kit/messages.js';
import { begin, giveUpWaiting } from '../../state/broadcasts.js';
import { type Database, database } from '../../state/database.js';
import { withDatabase } from '../../state/patience.js';
import { Announcer } from './announcer.js';

const ACTIONS = ['count', 'send', 'stop'] as const;
type Action = (typeof ACTIONS)[number];

interface BroadcastConfig {
  /** `count`: how many would get it; `send`: do it; `stop`: give up what has not gone out. */
  action: Action;
}

/** Characters. One Telegram message holds it with its heading, so that it arrives whole or not at all. */
const LONGEST = 3500;

/** The node of this process that sends: two would each take up what an earlier process has left. */
let only: string | undefined;

export default defineNode<BroadcastConfig>({
  type: 'potion-broadcast',
  version: 1,
  check({ action }) {
    if (!ACTIONS.includes(action))
      throw new PotionError('INVALID', 'broadcast.errors.action', { action: String(action) });
  },
  create: (ctx) => {
    const { action } = ctx.config;
    let announcer: Announcer | undefined;
    const resume = async (db: Database, flows: Promise<void>) => {
      const taken = new Announcer(ctx, db);
      announcer = taken;
      void flows.then(() => taken.resume()).catch(ctx.fail);
    };

    const send = async (msg: Message): Promise<undefined> => {
      const { request } = msg;
      if (!request || !announcer) throw new PotionError('UNAVAILABLE', 'broadcast.errors.not-ready');
      const job = { id: request.id, request, text: textOf(msg), at: ctx.clock.now() };
      const targets = targetsNow();
      if (await begin(await database(), job, targets)) await announcer.goOn(job.id);
      return undefined;
    };

    return {
      async start() {
        if (action !== 'send') return;
        if (only !== undefined) throw new PotionError('INVALID', 'broadcast.errors.second', { other: only });
        only = ctx.id;
        const flows = Promise.withResolvers<void>();
        ctx.RED.events.once('flows:started', flows.resolve);
        ctx.signal.addEventListener('abort', () =>
          ctx.RED.events.removeListener('flows:started', flows.resolve),
        );
        await withDatabase(ctx, (db) => resume(db, flows.promise));
      },

      async input(msg) {
        if (action === 'send') return send(msg);
        if (action === 'stop') return [null, await stop(msg, ctx.clock.now())];
        const text = textOf(msg);
        const { length: count } = targetsNow();
        return [{ ...msg, payload: { ...(msg.payload as object), text, count } }, null];
      },

      stop() {
        if (only === ctx.id) only = undefined;
        announcer?.stop();
      },
    };
  },
});

async function stop(msg: Message, now: number): Promise<Message> {
  const id = String((msg.payload as { job?: unknown } | undefined)?.job ?? '');
  const stopped = await giveUpWaiting(await database(), id, 'stopped', now);
  return { ...msg, payload: { stopped }, say: { text: 'broadcast.stopped', data: { stopped } } };
}

function targetsNow(): number[] {
  const targets = [...new Set(environment().adminIds)];
  if (targets.length === 0) throw new PotionError('INVALID', 'say.nobody');
  return targets;
}

/** @throws PotionError INVALID */
function textOf(msg: Message): string {
  const text = (msg.payload as { text?: unknown } | undefined)?.text;
  if (typeof text !== 'string' || !text.trim()) throw new PotionError('INVALID', 'broadcast.errors.empty');
  if (text.length > LONGEST)
    throw new PotionError('INVALID', 'broadcast.errors.too-long', { length: text.length, most: LONGEST });
  return text.trim();
}

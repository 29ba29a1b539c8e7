import { randomBytes } from 'node:crypto';
import type { Cancel } from '../../kit/clock.js';
import { config as environment } from '../../kit/config.js';
import { defineNode } from '../../kit/define-node.js';
import { door } from '../../kit/door.js';
import { PotionError } from '../../kit/errors.js';
import { renderTemplate } from '../../kit/locale.js';
import { type Message, type Request, wayBack } from '../../kit/messages.js';
import { cut } from '../../kit/telegram-html.js';
import type { AuditEntry } from '../../state/audit.js';
import { ask, expire, openQuestions, type Question, question } from '../../state/confirmations.js';
import { database } from '../../state/database.js';
import { withDatabase } from '../../state/patience.js';

interface ConfirmConfig {
  /** Liquid template over the message: what is about to be done, e.g. `restart {{ payload.unit }}`. */
  action: string;
  /** Template of the command line that leads back to a panel when there is no yes; empty: none. */
  back?: string;
  /** Seconds that the question may be answered. */
  ttl: number | string;
}

/** Seconds. A day is the longest that an old press can still be told from a fresh one by its person. */
const LONGEST_TTL = 86_400;
/** Characters of what is asked about, as the person reads it in full, and as it is kept and named later. */
const LONGEST_QUESTION = 3800;
const LONGEST_TARGET = 500;
/** Characters of JSON of a message that waits. */
const LARGEST_MESSAGE = 262_144;

export default defineNode<ConfirmConfig>({
  type: 'potion-confirm',
  version: 1,
  check(config) {
    const ttl = Number(config.ttl);
    if (!(ttl >= 5 && ttl <= LONGEST_TTL))
      throw new PotionError('INVALID', 'confirm.bad-ttl', { ttl: config.ttl, most: LONGEST_TTL });
    if (!config.action?.trim()) throw new PotionError('INVALID', 'confirm.no-action');
    try {
      for (const template of [config.action, config.back ?? ''])
        renderTemplate(environment().lang, template, {}, 'plain');
    } catch (thrown) {
      throw new PotionError('INVALID', 'confirm.bad-template', {}, thrown);
    }
  },
  create: (ctx) => {
    const { clock, config, id: node, t } = ctx;
    const timers = new Map<string, Cancel>();
    let leave: (() => void) | undefined;

    const showStatus = () =>
      ctx.status(
        timers.size > 0
          ? { fill: 'blue', shape: 'ring', text: t('confirm.status.waiting', { open: timers.size }) }
          : undefined,
      );
    const settle = (id: string) => {
      timers.get(id)?.();
      timers.delete(id);
      showStatus();
    };
    const end = async (asked: Question) => {
      settle(asked.id);
      const request = asked.message.request as Request;
      if (!(await expire(await database(), asked.id, entryOf(asked, request, clock.now(), 'expired'))))
        return;
      const say = { text: 'confirm.expired', data: { action: asked.target }, edit: true };
      ctx.send([null, { request, say: { ...say, ...wayBack(asked.message, t('confirm.back')) } }]);
    };
    const watch = (asked: Question) => {
      const left = Math.max(0, asked.expiresAt - clock.now());
      timers.set(
        asked.id,
        clock.after(left, () => void end(asked).catch(ctx.fail)),
      );
      showStatus();
    };
    const goOn = async (id: string, request: Request) => {
      const asked = await question(await database(), id);
      if (asked) ctx.send([{ ...asked.message, request, confirmed: id } as Message, null]);
    };

    return {
      async start() {
        leave = door.onAnswer(node, (id, yes, request) => {
          settle(id);
          if (yes) void goOn(id, request).catch((thrown) => ctx.fail(thrown, { request }));
        });
        await withDatabase(ctx, async (db) => {
          for (const asked of await openQuestions(db, node)) watch(asked);
          showStatus();
        });
      },

      async input(msg) {
        const { request } = msg;
        if (!request) throw new PotionError('INVALID', 'confirm.no-request');
        const now = clock.now();
        const { lang } = environment();
        const back = renderTemplate(lang, config.back ?? '', msg, 'plain');
        const action = cut(renderTemplate(lang, config.action, msg, 'plain'), LONGEST_QUESTION);
        const asked: Question = {
          id: questionId(now),
          node,
          user: request.user,
          chat: request.chat,
          target: cut(action, LONGEST_TARGET),
          message: plain(back ? { ...msg, back } : msg),
          expiresAt: now + Number(config.ttl) * 1000,
        };
        await ask(await database(), asked, request.id, entryOf(asked, request, now, 'asked'));
        watch(asked);
        const buttons = [
          [
            { label: t('confirm.yes'), answer: `ok:${asked.id}` },
            { label: t('confirm.no'), answer: `no:${asked.id}` },
          ],
        ];
        return [null, { request, say: { text: 'confirm', data: { action }, buttons } }];
      },

      stop() {
        leave?.();
        for (const cancel of timers.values()) cancel();
        timers.clear();
      },
    };
  },
});

/** Sorts by time, so that the newest can be found; 128 random bits, so that none can be guessed. */
function questionId(now: number): string {
  return `${now.toString(36).padStart(9, '0')}${randomBytes(16).toString('base64url')}`;
}

function entryOf(asked: Question, request: Request, at: number, result: string): AuditEntry {
  return { at, user: asked.user, event: 'confirm', action: request.command, target: asked.target, result };
}

/** The message as it can be kept: plain JSON of a bounded size. @throws PotionError INVALID */
function plain(msg: Message): Record<string, unknown> {
  try {
    const { say, error, ...rest } = msg;
    const text = JSON.stringify(rest);
    if (text.length <= LARGEST_MESSAGE) return JSON.parse(text);
  } catch (thrown) {
    throw new PotionError('INVALID', 'confirm.not-plain', {}, thrown);
  }
  throw new PotionError('INVALID', 'confirm.too-large', { most: LARGEST_MESSAGE });
}

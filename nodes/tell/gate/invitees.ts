import type { Clock } from '../../kit/clock.js';
import type { Message, Request, Say } from '../../kit/messages.js';
import type { Database } from '../../state/database.js';
import {
  endedInvitations,
  expireInvitations,
  type Invitation,
  markAsked,
  openInvitation,
  respond,
} from '../../state/invitations.js';
import type { NewRequest } from '../../state/requests.js';
import { identify, type Update } from './identify.js';

/** What serving invited people needs of the gate. */
export interface Porch {
  db: Database;
  clock: Clock;
  say(msg: Message): void;
  endPress(press: string, text?: string): void;
  /** A text in Potion's language. */
  t(key: string, data?: object): string;
}

/** How far back an end is told of again after a start; what was told already is told once (dedupe), ms. */
const TELL_AGAIN = 86_400_000;

/**
 * Hears people whom an admin has invited to become one: the first thing that such a person writes is answered
 * with the question, and a press of its two buttons is taken. Nothing else of them is heard.
 */
export class Invitees {
  readonly #porch: Porch;

  constructor(porch: Porch) {
    this.#porch = porch;
  }

  /**
   * Takes an update of a stranger, if it is the one that an invitation is waiting for.
   * @returns false when it is not: it is a stranger's like any other
   */
  async serve(msg: Message, user: number): Promise<boolean> {
    const { db, clock } = this.#porch;
    const invitation = await openInvitation(db, user, clock.now());
    if (!invitation) return false;
    // As strict as with an admin, and in the private chat alone.
    const update = identify(msg, { adminIds: [user], groups: false });
    if ('refused' in update || update.forwarded) return false;
    if (update.press) return this.#answer(update, update.press, invitation);
    return invitation.state === 'open' ? this.#ask(update, invitation) : false;
  }

  /** Ends invitations whose time is over, and tells the admins. */
  async expire(): Promise<void> {
    const { db, clock, say } = this.#porch;
    for (const invitation of await expireInvitations(db, clock.now())) say(newsOf(invitation));
  }

  /** What the last process may not have told. */
  async tellAgain(): Promise<void> {
    const { db, clock, say } = this.#porch;
    for (const invitation of await endedInvitations(db, clock.now() - TELL_AGAIN)) say(newsOf(invitation));
  }

  #ask(update: Update, { token, by, expiresAt }: Invitation): Promise<boolean> {
    const { db, t, say } = this.#porch;
    const asking = this.#request(update, {
      text: 'gate.invite.question',
      data: { by, user: update.user, expiresAt },
      buttons: [
        [
          { label: t('gate.invite.yes'), answer: `join:yes:${token}` },
          { label: t('gate.invite.no'), answer: `join:no:${token}` },
        ],
      ],
    });
    return markAsked(db, token, asking).then((isNew) => {
      if (isNew) say(asking.message);
      return isNew;
    });
  }

  async #answer(update: Update, press: string, invitation: Invitation): Promise<boolean> {
    const { db, t, say, endPress } = this.#porch;
    const [, word, token] = /^join:(yes|no):([\w-]{1,50})$/.exec(update.text) ?? [];
    if (token !== invitation.token) return false;
    const yes = word === 'yes';
    const text = yes ? 'gate.invite.welcome' : 'gate.invite.declined';
    // A keyboard can't be put into the question; the refusal takes its place.
    const answer = this.#request(update, { text, ...(yes ? { keyboard: true } : { edit: true }) });
    const outcome = await respond(db, token, yes, answer);
    if (outcome === 'void') return false;
    endPress(press, outcome === 'known' ? undefined : t(yes ? 'gate.press.yes' : 'gate.press.no'));
    if (outcome === 'known') return true;
    say(answer.message);
    say(newsOf({ ...invitation, state: outcome }));
    return true;
  }

  /** After a crash the same is said again. */
  #request(update: Update, say: Say): NewRequest & { message: Message } {
    const at = this.#porch.clock.now();
    const { id, user, chat, sentAt, messageId, press } = update;
    const request: Request = {
      ...{ id, user, chat, command: '', args: [], startedAt: sentAt ?? at },
      messageId: press ? messageId : undefined,
    };
    return { request, changes: false, message: { request, say }, at };
  }
}

/** What all admins hear, once. */
function newsOf({ user, by, token, state }: Invitation): Message {
  return { say: { text: `gate.invite.${state}-news`, data: { user, by }, dedupe: `invitation ${token}` } };
}

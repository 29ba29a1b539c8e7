import type { Verdict } from '../../host/telegram-errors.js';
import type { Failure } from '../../state/broadcasts.js';

/** How a message is put, after Telegram has refused it otherwise. */
export interface Form {
  /** Without markup: tags stripped, entities decoded. */
  plain?: boolean;
  /** Text alone: no markup, no buttons, no file, no reference to another message. */
  bare?: boolean;
  /** A picture as a document. */
  asDocument?: boolean;
  /** As a message of its own instead of an edit or an answer. */
  anew?: boolean;
}

export type Step =
  /** It is there. */
  | { do: 'accept' }
  /** Once more, at once, in another form. */
  | { do: 'again'; form: Form }
  /** Later: this chat, or everything of this bot. */
  | { do: 'wait'; ms: number; whole: boolean; counts: boolean }
  | { do: 'move'; chat: number }
  /** Telegram will never take it; or it must not be sent twice, and may have arrived. */
  | { do: 'give-up'; why: Failure };

export interface Attempt {
  form: Form;
  /** Attempts of this message that failed before this one. */
  tries: number;
  /** It edits a message or answers one. */
  refers: boolean;
  isPhoto: boolean;
  /** It must not be sent twice, even if it is then not known whether it was sent at all. */
  once?: boolean;
  /** 0 ≤ random < 1 */
  random: number;
}

const FIRST_RETRY = 1000;
const LONGEST_RETRY = 60_000;
const TOKEN_RETRY = 60_000;
/** A chat that refuses everything is asked again after 5 minutes, then ever more rarely. */
const FIRST_KNOCK = 5 * 60_000;
const LONGEST_KNOCK = 60 * 60_000;

/** Milliseconds until the next try: doubling, capped, between half and all of it, so that chats spread out. */
export function backoff(tries: number, random: number, first = FIRST_RETRY, longest = LONGEST_RETRY): number {
  return Math.round(Math.min(longest, first * 2 ** Math.min(tries, 30)) * (0.5 + random / 2));
}

/** What to do about a failed attempt. Only what Telegram refuses in its barest form is ever given up. */
export function nextStep(verdict: Verdict, attempt: Attempt): Step {
  const { form, tries, random } = attempt;
  const later = (ms: number, whole = false, counts = true): Step => ({ do: 'wait', ms, whole, counts });
  const asText = (): Step =>
    form.bare ? { do: 'give-up', why: 'refused' } : { do: 'again', form: { ...form, bare: true } };
  const end = attempt.once ? endOf(verdict) : undefined;
  if (end) return { do: 'give-up', why: end };
  switch (verdict.kind) {
    case 'unchanged':
      return { do: 'accept' };
    case 'flood':
      return later(verdict.seconds * 1000 + Math.round(random * 500), true, false);
    case 'token':
      return later(TOKEN_RETRY, true);
    case 'moved':
      if (verdict.chat !== undefined) return { do: 'move', chat: verdict.chat };
      return later(backoff(tries, random, FIRST_KNOCK, LONGEST_KNOCK));
    case 'chat-closed':
      return later(backoff(tries, random, FIRST_KNOCK, LONGEST_KNOCK));
    case 'markup':
      return form.plain ? asText() : { do: 'again', form: { ...form, plain: true } };
    case 'target-gone':
      return attempt.refers && !form.anew ? { do: 'again', form: { ...form, anew: true } } : asText();
    case 'file':
      return asText();
    case 'refused':
      if (attempt.isPhoto && !form.asDocument && !form.bare)
        return { do: 'again', form: { ...form, asDocument: true } };
      return asText();
    default:
      return later(backoff(tries, random));
  }
}

/** Whether a message that is sent once has its end with this failure. */
function endOf(verdict: Verdict): Failure | undefined {
  if (verdict.kind === 'chat-closed') return 'closed';
  if (verdict.kind === 'server') return 'unknown';
  return verdict.kind === 'network' && !verdict.unsent ? 'unknown' : undefined;
}

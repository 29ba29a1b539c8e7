import type { Language } from '../../kit/locale.js';
import type { Draft } from '../../kit/messages.js';
import { type Call, callFor, partsOf } from './compose.js';

/**
 * The calls that deliver a message as it is, when the database can't keep it: without order, retries or a
 * place in an earlier message, but better than silence while a disk is full.
 */
export function unkeptCalls(draft: Draft, lang: Language, now: number): Call[] {
  const taken = { id: -1, chat: draft.chat, draft, tries: 0, partsSent: 0 };
  const parts = partsOf(draft, lang);
  return parts.map((part, index) =>
    callFor(taken, { ...part, index, last: index === parts.length - 1 }, {}, lang, now),
  );
}

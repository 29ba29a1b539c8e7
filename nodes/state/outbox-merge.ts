import type { Draft } from '../kit/messages.js';
import type { StoredDraft } from './outbox-digest.js';

// Beyond this, two messages are easier to read than one.
const LONGEST_PAIR = 3000;

/**
 * The message that stands for both, when a newer one of the same slot comes while the older still waits; or
 * undefined when each must go out by itself.
 *
 * A newer state replaces the older. An answer to a message that nobody has seen yet (it is over before it was
 * told) joins it, so that one message says that it happened and that it is over.
 * @param isNews whether the older one will be a message of its own, not an edit of one that is there
 */
export function merge(older: StoredDraft, newer: Draft, isNews: boolean): StoredDraft | undefined {
  if (older.digest || older.reply || older.file || newer.file) return undefined;
  const saysBoth = older.until !== undefined && older.over !== false;
  // A mere newer state must not take back that something happened and is over.
  if (saysBoth && !newer.reply) return undefined;
  const both = {
    ...newer,
    kind: older.kind === 'alert' ? older.kind : newer.kind,
    keyboard: newer.keyboard ?? older.keyboard,
    edit: newer.edit ?? older.edit,
    silent: older.silent && newer.silent,
  };
  if (!newer.reply) return both;
  if (!isNews) return undefined;
  const first = { ...both, reply: false, at: older.at, until: newer.at };
  // A reminder of what nobody has seen yet says nothing that it would not say by itself.
  if (newer.over === false && !saysBoth) return first;
  if (older.html.length + newer.html.length > LONGEST_PAIR) return undefined;
  return { ...first, html: `${older.html}\n\n${newer.html}` };
}

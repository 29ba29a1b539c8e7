import type { Draft } from '../kit/messages.js';
import { firstLine } from '../kit/telegram-html.js';

/** One line of a digest: something that happened, and when it was over if that is known. */
export interface DigestEntry {
  /** Epoch ms of what happened. */
  at: number;
  kind: Draft['kind'];
  /** First line of the message, plain. */
  line: string;
  slot?: string;
  /** Epoch ms of the message that said it is over. */
  over?: number;
}

/** Many messages that waited through an outage, as one. */
export interface Digest {
  entries: DigestEntry[];
  /** Counted but no longer listed, because the list is full. */
  moreAlerts: number;
  moreNotices: number;
  /** Messages that were given up for space; alerts never are. */
  dropped: number;
}

/** What the outbox keeps: a draft, or one that stands for many. */
export interface StoredDraft extends Draft {
  digest?: Digest;
  /** When a message tells of a span, e.g. that something happened and is over: its end, epoch ms. */
  until?: number;
}

const MOST_ALERTS = 200;
const MOST_NOTICES = 20;

/** Turns a draft into an empty digest in its place. */
export function startDigest(draft: StoredDraft): StoredDraft & { digest: Digest } {
  return {
    chat: draft.chat,
    kind: 'alert',
    at: draft.at,
    html: '',
    digest: { entries: [], moreAlerts: 0, moreNotices: 0, dropped: 0 },
  };
}

/**
 * Takes one more message into a digest. A message that says that an incident goes on or is over joins the one
 * that said it began; a newer state of a message replaces the older.
 */
export function absorb(digest: Digest, draft: StoredDraft): Digest {
  if (draft.digest) return draft.digest.entries.reduce(add, plus(digest, draft.digest));
  const { at, kind, slot, until, reply, over } = draft;
  const line = firstLine(draft.html);
  const known = slot === undefined ? -1 : digest.entries.findLastIndex((entry) => entry.slot === slot);
  const before = digest.entries[known];
  const isNews = !before || before.over !== undefined || (reply && over === undefined);
  if (isNews) return add(digest, { at, kind, line, slot, over: over ? until : undefined });
  const after = { ...before, kind: weightier(before.kind, kind) };
  if (over) after.over = until ?? at;
  else if (!reply) after.line = line;
  return { ...digest, entries: digest.entries.with(known, after) };
}

/** Counts a message that had to be given up. */
export function drop(digest: Digest): Digest {
  return { ...digest, dropped: digest.dropped + 1 };
}

function add(digest: Digest, entry: DigestEntry): Digest {
  const isAlert = entry.kind === 'alert';
  const alike = digest.entries.filter((other) => (other.kind === 'alert') === isAlert).length;
  if (alike < (isAlert ? MOST_ALERTS : MOST_NOTICES))
    return { ...digest, entries: [...digest.entries, entry] };
  return isAlert
    ? { ...digest, moreAlerts: digest.moreAlerts + 1 }
    : { ...digest, moreNotices: digest.moreNotices + 1 };
}

function plus(one: Digest, other: Digest): Digest {
  return {
    entries: one.entries,
    moreAlerts: one.moreAlerts + other.moreAlerts,
    moreNotices: one.moreNotices + other.moreNotices,
    dropped: one.dropped + other.dropped,
  };
}

function weightier(one: Draft['kind'], other: Draft['kind']): Draft['kind'] {
  return one === 'alert' || other === 'alert' ? 'alert' : one;
}

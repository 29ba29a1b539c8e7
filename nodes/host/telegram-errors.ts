import { redact } from '../kit/redact.js';

/** What an error of the Bot API, or on the way there, means for the message, the chat or the bot. */
export type Verdict =
  /** Wait so many seconds; counts for the whole bot. */
  | { kind: 'flood'; seconds: number; reason: string }
  /** Telegram was not reached, or did not answer: it may have the message or not, unless `unsent` says so. */
  | { kind: 'network'; reason: string; unsent?: true }
  /** Telegram, or a proxy before it, has trouble: it may have the message or not. */
  | { kind: 'server'; reason: string }
  /** The markup was refused. */
  | { kind: 'markup'; reason: string }
  /** An edit that would change nothing: what was wanted is there. */
  | { kind: 'unchanged'; reason: string }
  /** The message to edit or to answer is gone, or too old to edit. */
  | { kind: 'target-gone'; reason: string }
  /** The group has become another chat. */
  | { kind: 'moved'; chat: number | undefined; reason: string }
  /** This chat takes nothing from the bot: blocked, kicked, not found, never started. */
  | { kind: 'chat-closed'; reason: string }
  /** The token is wrong or revoked: nothing of this bot works. */
  | { kind: 'token'; reason: string }
  /** Another instance uses the same token. */
  | { kind: 'conflict'; reason: string }
  /** The file can't be read here, or is too large. */
  | { kind: 'file'; reason: string }
  /** Telegram refuses this message as it is. */
  | { kind: 'refused'; reason: string };

/** Wait after a 429 that does not say how long. */
const FLOOD_SECONDS = 5;

const REASON_LENGTH = 200;

/** Names of error classes, which tell a person nothing. */
const FRAME = /^\s*(\w*Error: )?(E(TELEGRAM|FATAL|PARSE): )?/;

/** Wordings of api.telegram.org, in lower case; a 400 is told apart only by them. */
const WORDINGS: [RegExp, 'markup' | 'unchanged' | 'target-gone' | 'chat-closed'][] = [
  [/can't parse entit|can't find end|unsupported start tag|unclosed|unmatched end tag/, 'markup'],
  [/message is not modified/, 'unchanged'],
  [
    /message to (edit|be replied|reply)[^:]* not found|message can't be edited|message_id_invalid|replied message not found|no text in the message to edit/,
    'target-gone',
  ],
  [
    /chat not found|bot was (blocked|kicked)|user is deactivated|bot can't (initiate|send messages to)|not enough rights to send|have no rights to send|not a member|peer_id_invalid|chat_write_forbidden|group chat was (deactivated|deleted)|user not found|chat_restricted|need administrator rights/,
    'chat-closed',
  ],
];

/** Stands in an error when there was no connection to write the message to. */
export const UNSENT = '[not sent]';

const NETWORK =
  /econn|enotfound|eai_again|etimedout|ehostunreach|enetunreach|epipe|fetch failed|socket|terminated|aborted|timeout|network|und_err|certificate|self.signed|ssl|tls/i;

/**
 * Reads an error of node-telegram-bot-api, by itself or as the sender node hands it to its second output: in a
 * frame, with the whole message behind it, which is cut off here because its text could look like anything.
 * Tokens are taken out.
 */
export function classify(error: unknown): Verdict {
  const text = errorText(error);
  const reason = redact(text.replace(FRAME, '').replace(/\s+/g, ' ').trim())
    .slice(0, REASON_LENGTH)
    .toWellFormed();
  const answer = /ETELEGRAM: (\d{3})\b(.*)/s.exec(text);
  if (answer) return fromAnswer(Number(answer[1]), String(answer[2]).toLowerCase(), reason);
  if (/EPARSE/.test(text)) return { kind: 'server', reason };
  if (/ENOENT|EACCES|EISDIR|Unsupported file input/.test(text)) return { kind: 'file', reason };
  if (text.includes(UNSENT)) return { kind: 'network', reason, unsent: true };
  if (NETWORK.test(text)) return { kind: 'network', reason };
  // What nobody has heard of is tried again like trouble at the server: losing a message would be worse.
  return { kind: 'server', reason };
}

/** The error's own words, without the frame and the dump of the message that the sender node adds. */
function errorText(error: unknown): string {
  const text = typeof error === 'string' ? error : String((error as Error)?.message ?? error);
  const end = text.lastIndexOf('\r\nwhen processing message');
  return (end < 0 ? text : text.slice(0, end)).replace(/^Caught exception in sender node:\s*/, '');
}

function fromAnswer(status: number, words: string, reason: string): Verdict {
  if (status === 429) {
    const seconds = Number(/retry[ _]after (\d+)/.exec(words)?.[1] ?? FLOOD_SECONDS);
    return { kind: 'flood', seconds: Math.max(1, seconds), reason };
  }
  const moved = /migrate_to_chat_id (-?\d+)/.exec(words);
  if (moved || words.includes('upgraded to a supergroup'))
    return { kind: 'moved', chat: moved ? Number(moved[1]) : undefined, reason };
  if (status === 400 || status === 403) {
    for (const [wording, kind] of WORDINGS) if (wording.test(words)) return { kind, reason };
    if (status === 403) return { kind: 'chat-closed', reason };
  }
  // Telegram answers 404 "Not Found" to a token that it can't even read.
  if (status === 401 || status === 404) return { kind: 'token', reason };
  if (status === 409) return { kind: 'conflict', reason };
  if (status === 413) return { kind: 'file', reason };
  if (status >= 500) return { kind: 'server', reason };
  return { kind: 'refused', reason };
}

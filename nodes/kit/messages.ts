import type { Failure } from './errors.js';

/** A Node-RED message with the properties that Potion gives a meaning. Everything else on it is kept. */
export interface Message {
  _msgid?: string;
  /** Arguments in, result out: plain JSON in SI base units (bytes, seconds, ratio 0..1, °C, epoch ms). */
  payload?: unknown;
  topic?: unknown;
  /** When the thing was observed, epoch ms. Deciding nodes use it instead of the wall clock. */
  timestamp?: number;
  /** Overrides the `action` of a node with several operations. */
  action?: string;
  request?: Request;
  incident?: Incident;
  /** What `say` is to tell, when its own configuration leaves that to the message. */
  say?: Say;
  /** Id of the question that was answered with yes; `confirm` alone sets it. */
  confirmed?: string;
  /** Command line of the panel to go back to, offered when a question ends without a yes. */
  back?: string;
  /** As Node-RED's Catch node sets it; `cause` is there when a Potion node failed. */
  error?: {
    message: string;
    code?: string;
    cause?: Failure;
    source?: { id: string; type: string; name?: string };
  };
  [property: string]: unknown;
}

/** Born at the gate, carried to the end of a command's pipeline; `say` answers whoever asked. */
export interface Request {
  /**
   * Unique and the same for a redelivered update: `<chat>:<message id>:<date>` or `cb:<callback query id>`.
   * The date is there because another bot, or a new one, counts its messages from 1 again.
   */
  id: string;
  /** Telegram user id: the only identity there is. */
  user: number;
  /** Telegram chat id to answer in. */
  chat: number;
  /** Name of the command without slash, as registered. */
  command: string;
  args: string[];
  /** Epoch ms of the person's message, as Telegram stamped it. */
  startedAt: number;
  /** When it came from a button: the message that carried it, which an answer may edit. */
  messageId?: number;
  /** When it answers a question: id of the request that the question answered. */
  answers?: string;
}

export type Severity = 'info' | 'warning' | 'critical';
export type IncidentState = 'pending' | 'firing' | 'resolved';

/** What an alert, a self-heal run or a failed backup is part of. One Telegram message per incident. */
export interface Incident {
  /** The same from the first to the last message of one incident. */
  id: string;
  /** Stable name of what is watched, e.g. `cpu`, `disk:/`, `service:nginx.service`. */
  code: string;
  severity: Severity;
  state: IncidentState;
  /** Epoch ms. */
  since: number;
}

/** An inline button. `command` is a command line as a person could type it; `answer` answers a question. */
export type Button =
  | { label: string; command: string }
  | { label: string; answer: string }
  | { label: string; url: string };

/** The button that leads back to a panel, as `say` takes it; nothing where there is none. */
export function wayBack({ back }: { back?: unknown }, label: string): Pick<Say, 'buttons'> {
  return typeof back === 'string' && back ? { buttons: [[{ label, command: back }]] } : {};
}

/** What a node wants to have said to whoever asked. */
export interface Say {
  /** Key of a text in `locales`. `processing` alone is no answer yet. */
  text: string;
  /** Values for the text. */
  data?: Record<string, unknown>;
  /** Rows of inline buttons. */
  buttons?: Button[][];
  /** Show the keyboard of all commands below the chat. */
  keyboard?: boolean;
  /** Change the message that the request already has in the chat (its question) instead of sending another. */
  edit?: boolean;
  /** Without a sound; `say` passes it on to the draft. Default: incidents of severity `info` are silent. */
  silent?: boolean;
  /** With an incident: answer its message with a new one (which rings) instead of editing it. Default: once it is over. */
  reply?: boolean;
  /** The same for a message that is sent again because Potion crashed in between: see `Draft.dedupe`. */
  dedupe?: string;
  /** More will follow, so the request does not count as answered yet, e.g. for progress. */
  interim?: boolean;
  /** What the audit log keeps as the result, when the text tells of a failure in its own way: its error code. */
  outcome?: string;
  /** A file to send, with the text as its caption. `base64` for at most 1 MB, `path` for more. */
  file?: Draft['file'];
}

/** What `say` hands to the outbox: one message for one chat, in Telegram's words but not yet on its way. */
export interface Draft {
  chat: number;
  /** Telegram HTML, of any length; the outbox splits it. */
  html: string;
  /** Rows of inline buttons. Callback data is at most 64 bytes. */
  inline?: { text: string; callback_data?: string; url?: string }[][];
  /** Rows of labels for the keyboard below the chat. */
  keyboard?: string[][];
  /** A file to send; `html` is its caption. */
  file?: { name: string; path?: string; base64?: string };
  /** Drafts of one slot and chat share one Telegram message: the first is sent, later ones edit it. */
  slot?: string;
  /** With a slot: send a new message that answers the slot's one, instead of editing it. */
  reply?: boolean;
  /** With an incident: whether this says that it is over (true) or goes on (false). */
  over?: boolean;
  /** Edit this Telegram message instead of sending one (a pressed button's own message). */
  edit?: number;
  /** Alerts are never dropped for space, nor digested away without a trace. */
  kind: 'alert' | 'reply' | 'notice';
  /** Deliver without a sound. */
  silent?: boolean;
  /** Epoch ms of what the message tells about; a late delivery is stamped with it. */
  at: number;
  /** Id of the request that this answers. */
  request?: string;
  /** With a request: more will follow (PROCESSING, progress), so it does not count as answered yet. */
  interim?: boolean;
  /** With a request that was answered: change that answer. Otherwise a second one is a message of its own. */
  overwrite?: boolean;
  /** With a request: what the audit log keeps as its result, `ok` or an error code. Default `ok`. */
  outcome?: string;
  /** Slot of a question that is settled by now: its message loses its buttons when this one arrives. */
  settles?: string;
  /** A second draft with the same key for the same chat is dropped: it was handed in twice. */
  dedupe?: string;
  /**
   * One target's part of a broadcast, whose state goes with it. It is handed to Telegram once at most: where it
   * can't be known whether it has arrived it counts as failed, instead of being sent again.
   */
  broadcast?: { job: string; target: number };
}

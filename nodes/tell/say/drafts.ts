import { PotionError } from '../../kit/errors.js';
import { type Language, render } from '../../kit/locale.js';
import type { Draft, Message } from '../../kit/messages.js';
import { cut, escapeHtml, plain } from '../../kit/telegram-html.js';
import { isWithin, type QuietHours } from '../../kit/time-of-day.js';
import type { Wording } from './wording.js';

export interface Manner {
  /** Whoever asked (else the admins), all admins, or one chat. */
  to: 'asker' | 'admins' | 'chat';
  chat: string;
  /** `auto`: an answer to a request, an alert for an incident, else a notice. */
  kind: 'auto' | 'alert' | 'notice';
  silent: boolean;
  /** Change the message whose button was pressed. */
  editPressed: boolean;
  /** Texts longer than this (characters as read) go as a file; 0: never, they are split. */
  fileAbove: number;
}

export interface Circumstances {
  adminIds: readonly number[];
  lang: Language;
  /** When only what is critical may ring. */
  quietHours?: QuietHours;
  /** Epoch ms. */
  now: number;
  /** Id of the say node: two of them may tell of the same event in different words. */
  node: string;
}

/** The text that a command is at work; it answers nothing yet. */
const PROCESSING = 'processing';
/** A file inside the message travels through the database; a larger one belongs on the disk. */
const LARGEST_INSIDE = 1_400_000;
const TEASER = 300;

/**
 * The drafts for a message, one per chat.
 * @throws PotionError INVALID when there is nobody to tell, or the file is too large
 */
export function draftsOf(
  msg: Message,
  wording: Wording,
  buttons: Pick<Draft, 'inline' | 'keyboard'>,
  manner: Manner,
  around: Circumstances,
): Draft[] {
  const { request, incident, say = undefined } = msg;
  const kind = manner.kind !== 'auto' ? manner.kind : incident ? 'alert' : request ? 'reply' : 'notice';
  const isRequested = request !== undefined && !incident;
  const draft: Omit<Draft, 'chat'> = {
    ...content(msg, wording, manner, around.lang),
    ...buttons,
    kind,
    at: (isRequested ? undefined : msg.timestamp) ?? around.now,
    silent: (say?.silent ?? (manner.silent || incident?.severity === 'info')) || mustBeQuiet(msg, around),
    ...(incident ? aboutIncident(msg, around.node) : {}),
  };
  if (say?.dedupe !== undefined) draft.dedupe = `${around.node} ${say.dedupe}`;
  const answer = aboutRequest(msg, wording, manner);
  return recipients(msg, manner, around.adminIds).map((chat) =>
    chat === request?.chat ? { chat, ...draft, ...answer } : { chat, ...draft },
  );
}

/** At night nothing rings that nobody has asked for, unless it is critical. */
function mustBeQuiet({ request, incident }: Message, { quietHours, now }: Circumstances): boolean {
  if (!quietHours || !isWithin(quietHours, now)) return false;
  return incident ? incident.severity !== 'critical' : request === undefined;
}

function aboutIncident({ incident, payload, say }: Message, node: string): Partial<Draft> {
  if (!incident) return {};
  const { id, state } = incident;
  const sequence = (payload as { sequence?: unknown } | null | undefined)?.sequence;
  const over = state === 'resolved';
  return {
    slot: `incident:${id}`,
    reply: say?.reply ?? over,
    over,
    ...(sequence === undefined ? {} : { dedupe: `${node} ${id} ${state} ${sequence}` }),
  };
}

/** What only the chat gets in which somebody asked. */
function aboutRequest({ request, incident, say }: Message, wording: Wording, manner: Manner): Partial<Draft> {
  if (!request) return {};
  const isPlaceholder = wording.key === PROCESSING;
  const edits = say?.edit || (manner.editPressed && !isPlaceholder);
  return {
    request: request.id,
    outcome: wording.failure?.code ?? say?.outcome ?? 'ok',
    ...(say?.interim || isPlaceholder ? { interim: true } : {}),
    ...(incident ? {} : { slot: slotOf(request.id) }),
    ...(edits && request.messageId !== undefined ? { edit: request.messageId } : {}),
    ...(say?.edit ? { overwrite: true } : {}),
    ...(request.answers === undefined ? {} : { settles: slotOf(request.answers) }),
  };
}

function slotOf(request: string): string {
  return `request:${request}`;
}

function recipients({ request }: Message, { to, chat }: Manner, adminIds: readonly number[]): number[] {
  if (to === 'chat') return [Number(chat)];
  if (to === 'asker' && request) return [request.chat];
  if (adminIds.length === 0) throw new PotionError('INVALID', 'say.nobody');
  return [...adminIds];
}

function content(
  { request, say }: Message,
  { html }: Wording,
  { fileAbove }: Manner,
  lang: Language,
): Pick<Draft, 'html' | 'file'> {
  if (say?.file) {
    if ((say.file.base64?.length ?? 0) > LARGEST_INSIDE)
      throw new PotionError('INVALID', 'say.file-too-large', { name: say.file.name });
    return { html, file: say.file };
  }
  const text = fileAbove > 0 ? plain(html) : '';
  if (text.length <= fileAbove) return { html };
  const name = `${request?.command || 'potion'}.txt`;
  const teaser = escapeHtml(cut(text, TEASER).trimEnd());
  return {
    html: render(lang, 'say.as-file', { name, length: text.length }).concat(`\n\n${teaser}…`),
    file: { name, base64: Buffer.from(text).toString('base64') },
  };
}

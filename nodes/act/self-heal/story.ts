import type { JournalLine } from '../../host/journalctl.js';
import type { Incident, Message, Severity } from '../../kit/messages.js';
import { isOver, type LeftAlone, type Telling } from './heal.js';
import type { Limits } from './limits.js';

const LONGEST_LINE = 200;

/** What a message of self-heal carries in `msg.payload`. Times are epoch ms, `took` and `wait` seconds. */
export interface HealPayload {
  unit: string;
  /** Without `.service`. */
  name: string;
  step: Telling['step'];
  /** Which try this is, from 1; 0 when none was made. */
  try: number;
  tries: number;
  reason?: Telling['reason'];
  /** Length of the window in which `tries` restarts are allowed, in seconds. */
  window: number;
  /** Why Potion may not restart it. */
  error?: Trouble;
  since: number;
  /** How long the trouble has lasted: until the unit was up again, or until now. */
  took: number;
  nextTryAt?: number;
  wait?: number;
  /** When it was given up; absent while it was not. */
  gaveUpAt?: number;
  /** True on the message that tells all about giving up; the other one only changes what was said before. */
  final?: boolean;
  /** Last lines of the unit's journal, oldest first; on giving up. */
  journal?: string[];
  /** Why there are none. */
  journalError?: Trouble;
}

/** An error in the words of Potion's language. */
export interface Trouble {
  message: string;
  hint: string;
}

export interface Particulars {
  unit: string;
  limits: Limits;
  error?: Trouble;
}

/** The unit's name as people say it. */
export function nameOf(unit: string): string {
  return unit.replace(/\.service$/, '');
}

/** A line of the journal for a chat: time of day and words. */
export function logLine({ at, message }: JournalLine): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const time = new Date(at);
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':');
  return `${clock} ${message.length > LONGEST_LINE ? `${message.slice(0, LONGEST_LINE).toWellFormed()}…` : message}`;
}

/** The incident that a step belongs to. */
export function incidentOf(unit: string, telling: Telling): Incident {
  const code = `service:${unit}`;
  const { since } = telling.episode;
  return { id: `${code}:${since}`, code, severity: severityOf(telling), state: stateOf(telling), since };
}

function stateOf({ step, reason }: Telling): Incident['state'] {
  const over = step === 'healed' || (step === 'left-alone' && isOver(reason as LeftAlone));
  return over ? 'resolved' : 'firing';
}

function severityOf(telling: Telling): Severity {
  if (stateOf(telling) === 'resolved') return 'info';
  return telling.step === 'gave-up' || telling.step === 'still-down' ? 'critical' : 'warning';
}

/**
 * The message of a step. All of an incident change its one Telegram message without a sound, except what a
 * person has to know: given up, back after that, or left alone though it is down.
 */
export function messageOf(telling: Telling, about: Particulars): Message {
  const payload = payloadOf(telling, about);
  const incident = incidentOf(about.unit, telling);
  const rings = incident.state === 'firing' && telling.step === 'left-alone';
  // What rang is answered; changing the message above it would leave the alarm as the last word.
  const reply = incident.state === 'resolved' && telling.episode.gaveUp !== undefined;
  return message(payload, incident, telling.at, {
    silent: !rings,
    reply,
    dedupe: `${incident.id}:${telling.number}`,
  });
}

/**
 * What is said on giving up: an answer to the incident's message, so that it rings, with the journal.
 * @param button its command line gets the unit's name added; an empty one means no button
 */
export function surrenderOf(
  telling: Telling,
  about: Particulars,
  journal: Pick<HealPayload, 'journal' | 'journalError'>,
  button: { command: string; label: string },
): Message {
  const payload = { ...payloadOf(telling, about), ...journal, final: true };
  const incident = incidentOf(about.unit, telling);
  const command = button.command.trim();
  return message(payload, incident, telling.at, {
    silent: false,
    reply: true,
    dedupe: `${incident.id}:${telling.number}:full`,
    ...(command ? { buttons: [[{ label: button.label, command: `${command} ${about.unit}` }]] } : {}),
  });
}

function message(payload: HealPayload, incident: Incident, timestamp: number, how: object): Message {
  const say = { text: 'self-heal.message', data: { payload }, ...how };
  return { topic: payload.unit, payload, timestamp, incident, say };
}

function payloadOf(telling: Telling, { unit, limits, error }: Particulars): HealPayload {
  const { step, at, episode, reason, nextTryAt } = telling;
  const proven = step === 'healed' && telling.proven ? limits.stable : 0;
  return {
    unit,
    name: nameOf(unit),
    step,
    try: telling.try,
    tries: limits.tries,
    window: limits.window / 1000,
    reason,
    error: reason === 'refused' ? error : undefined,
    since: episode.since,
    took: Math.max(0, at - proven - episode.since) / 1000,
    nextTryAt,
    wait: nextTryAt === undefined ? undefined : Math.max(0, nextTryAt - at) / 1000,
    gaveUpAt: episode.gaveUp,
  };
}

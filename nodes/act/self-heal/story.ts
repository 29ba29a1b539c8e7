import type { Failure } from '../../kit/errors.js';
import type { Incident, Message, Severity } from '../../kit/messages.js';
import { isOver, type LeftAlone, type Telling } from './heal.js';
import type { Limits } from './limits.js';

/** What a message of self-heal carries in `msg.payload`. Times are epoch ms, `took` and `wait` seconds. */
export interface HealPayload {
  unit: string;
  /** The unit's name as people say it: without `.service`. */
  name: string;
  step: Telling['step'];
  /** Which try this is, from 1; 0 when none was made. */
  try: number;
  tries: number;
  reason?: Telling['reason'];
  /** Why Potion may not restart it, as data for a text. */
  error?: Failure;
  since: number;
  /** How long the trouble has lasted: until the unit was up again, or until now. */
  took: number;
  nextTryAt?: number;
  wait?: number;
  /** When it was given up; absent while it was not. */
  gaveUpAt?: number;
  /** Last lines of the unit's journal, oldest first; on giving up. */
  journal?: string[];
  /** Why there are none. */
  journalError?: Failure;
}

export interface Particulars {
  unit: string;
  limits: Limits;
  error?: Failure;
  /** Command line of the button on giving up; the unit is added to it. Empty: no button. */
  command: string;
  /** What the button says. */
  label: string;
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
  const reply = telling.step === 'healed' && telling.episode.gaveUp !== undefined;
  return message(payload, incident, telling.at, {
    silent: !rings,
    reply,
    dedupe: `${incident.id}:${telling.number}`,
  });
}

/** What is said on giving up: an answer to the incident's message, so that it rings, with the journal. */
export function surrenderOf(
  telling: Telling,
  about: Particulars,
  journal: Pick<HealPayload, 'journal' | 'journalError'>,
): Message {
  const payload = { ...payloadOf(telling, about), ...journal };
  const incident = incidentOf(about.unit, telling);
  const command = about.command.trim();
  return message(payload, incident, telling.at, {
    silent: false,
    reply: true,
    dedupe: `${incident.id}:${telling.number}:full`,
    ...(command ? { buttons: [[{ label: about.label, command: `${command} ${about.unit}` }]] } : {}),
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
    name: unit.replace(/\.service$/, ''),
    step,
    try: telling.try,
    tries: limits.tries,
    reason,
    error: reason === 'refused' ? error : undefined,
    since: episode.since,
    took: Math.max(0, at - proven - episode.since) / 1000,
    nextTryAt,
    wait: nextTryAt === undefined ? undefined : Math.max(0, nextTryAt - at) / 1000,
    gaveUpAt: episode.gaveUp,
  };
}

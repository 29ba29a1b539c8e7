import type { Incident, IncidentState, Message, Severity } from '../../kit/messages.js';
import type { AlertEvent, EventKind, Operator, Rule } from './state-machine.js';

/** What an alert says, as `msg.payload`. */
export interface AlertPayload {
  code: string;
  /** The part of the code before the colon: `disk` of `disk:/`. */
  family: string;
  /** What `*` stood for, e.g. `/`; '' without one. */
  series: string;
  severity: Severity;
  /** `inactive`: it was pending and is well again. */
  state: IncidentState | 'inactive';
  /** Absent when there is none. */
  value?: number | string;
  threshold: number | readonly string[];
  operator: Operator;
  /** ratio, bytes, rate, celsius, seconds or ''. */
  unit: string;
  /** What the node calls the value; '' leaves the wording to the code. */
  label: string;
  /** When the condition began, epoch ms. */
  since: number;
  /** Epoch ms. */
  at: number;
  /** Seconds from `since` to `at`. */
  duration: number;
  /** 1 for the first message of an incident, then counting on; with the incident's id the message's identity. */
  sequence: number;
  /** It is told although it is silenced, because its beginning was told: deliver it without a sound. */
  silenced?: true;
  /** It still fires, and nothing else is new. */
  reminder?: true;
  /** It is about a value that is missing. */
  missing?: true;
}

/** One message that was decided on, and that must be handed on exactly once. */
export interface Delivery {
  payload: AlertPayload;
  incident: Incident;
}

/** The words of the node's configuration that go into its messages. */
export interface Wording {
  unit: string;
  label: string;
  severity: Severity;
}

const STATES: Record<EventKind, AlertPayload['state']> = {
  pending: 'pending',
  cleared: 'inactive',
  firing: 'firing',
  reminder: 'firing',
  resolved: 'resolved',
};

export interface Told {
  node: string;
  code: string;
  series: string;
  rule: Rule;
  wording: Wording;
  event: AlertEvent;
  silenced: boolean;
}

/** An event in the words of a message. */
export function deliveryOf({ node, code, series, rule, wording, event, silenced }: Told): Delivery {
  const { severity, unit, label } = wording;
  const { kind, since, at, value, sequence } = event;
  const state = STATES[kind];
  const payload: AlertPayload = {
    code,
    family: code.split(':')[0] ?? code,
    series,
    severity,
    state,
    ...(value === undefined ? {} : { value }),
    threshold: rule.threshold,
    operator: rule.operator,
    unit,
    label,
    since,
    at,
    duration: (at - since) / 1000,
    sequence,
    ...(silenced ? { silenced } : {}),
    ...(kind === 'reminder' ? { reminder: true } : {}),
    ...(event.missing ? { missing: true } : {}),
  };
  // Made of what the state keeps, so that a replay gives the incident the same name.
  const id = `${node}:${code}:${event.begun.toString(36)}`;
  return {
    payload,
    incident: { id, code, severity, state: state === 'inactive' ? 'resolved' : state, since },
  };
}

/** The message of a delivery. What was only pending has been no incident. */
export function messageOf({ payload, incident }: Delivery): Message {
  const message = { topic: payload.code, timestamp: payload.at, payload };
  return payload.state === 'inactive' ? message : { ...message, incident };
}

/** The same, ready for `say`, which needs no more than this. */
export function messageToSay(delivery: Delivery): Message {
  const { payload, incident } = delivery;
  return {
    ...messageOf(delivery),
    say: {
      text: 'alert.message',
      dedupe: `${incident.id}#${payload.sequence}`,
      // A reminder that edits the old message would not ring.
      ...(payload.reminder ? { reply: true } : {}),
      ...(payload.silenced ? { silent: true } : {}),
    },
  };
}

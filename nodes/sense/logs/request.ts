import { PotionError } from '../../kit/errors.js';
import type { Message } from '../../kit/messages.js';
import { type Source, sourceOf } from './source.js';
import { parseSpan, type Span } from './span.js';

export const ACTIONS = ['menu', 'page', 'tail', 'search', 'file', 'follow', 'stop'] as const;

export type Action = (typeof ACTIONS)[number];

/** What a message asks for. */
export interface Asked {
  action: Action;
  /** undefined: none is named, a menu is wanted. */
  source?: Source;
  span: Span;
  lines: number;
  seconds: number;
  /** What is searched for. */
  what: string;
  /** Place of the line before which a page ends. */
  before?: string;
  /** Id of the live view to stop. */
  id: string;
}

/** What the node is set to. */
export interface Settings {
  action: Action;
  /** A source, `unit` when the message names a unit, or empty when it names any source. */
  source: string;
}

export const MOST_LINES = 2000;
export const LONGEST_LIVE = 300;
const DEFAULTS = { lines: 50, seconds: 60 };

type Fields = Partial<
  Record<'source' | 'service' | 'lines' | 'seconds' | 'when' | 'what' | 'before' | 'id', unknown>
>;

/**
 * Reads a message: `payload.source` (or `payload` itself), `lines`, `when` (a span as text), `what`, `seconds`.
 * @param units whose journal may be read
 * @throws PotionError INVALID, DENIED
 */
export function readRequest(msg: Message, set: Settings, units: readonly string[], now: number): Asked {
  const { payload } = msg;
  const fields: Fields =
    typeof payload === 'object' && payload !== null ? payload : { source: payload ?? undefined };
  const action = actionOf(msg.action ?? set.action);
  const unitOnly = set.source === 'unit';
  const name = set.source === '' || unitOnly ? (fields.source ?? fields.service) : set.source;
  const isNamed = name !== undefined && name !== '';
  if (!isNamed && !['menu', 'page', 'stop'].includes(action))
    throw new PotionError('INVALID', 'logs.errors.no-source', { source: '', units: units.join(', ') });
  const when = textOf(fields.when);
  const span = parseSpan(when, now);
  if (!span) throw new PotionError('INVALID', 'logs.errors.span', { given: when.slice(0, 80) });
  return {
    action,
    ...(isNamed ? { source: sourceOf(name, units, unitOnly) } : {}),
    span,
    lines: count(fields.lines, DEFAULTS.lines, MOST_LINES, 'logs.errors.lines'),
    seconds: count(fields.seconds, DEFAULTS.seconds, LONGEST_LIVE, 'logs.errors.seconds'),
    what: textOf(fields.what),
    ...(typeof fields.before === 'string' ? { before: fields.before } : {}),
    id: textOf(fields.id),
  };
}

export function actionOf(action: unknown): Action {
  const known = ACTIONS.find((one) => one === action);
  if (!known) throw new PotionError('INVALID', 'logs.errors.action', { action: JSON.stringify(action) });
  return known;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.trim() : '';
}

function count(value: unknown, otherwise: number, most: number, error: string): number {
  if (value === undefined || value === '') return otherwise;
  const given = Number(value);
  if (Number.isInteger(given) && given >= 1 && given <= most) return given;
  throw new PotionError('INVALID', error, { given: String(value).slice(0, 40), most });
}

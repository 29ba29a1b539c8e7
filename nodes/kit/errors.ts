import { render } from './locale.js';

/**
 * What went wrong, as a short documented list. A flow may switch on these; a person reads the text.
 *
 * DENIED       the caller, or Potion itself, has no right to do this
 * INVALID      the request or the configuration makes no sense as written
 * NOT_FOUND    the thing named does not exist
 * UNAVAILABLE  a program, bus, sensor or server that is needed is not there
 * TIMEOUT      it took longer than allowed and was ended
 * BUSY         the same thing is already running
 * LIMITED      too many requests in too short a time
 * CANCELLED    ended on purpose before it was finished
 * FAILED       it was tried and did not succeed
 */
export const ERROR_CODES = [
  'DENIED',
  'INVALID',
  'NOT_FOUND',
  'UNAVAILABLE',
  'TIMEOUT',
  'BUSY',
  'LIMITED',
  'CANCELLED',
  'FAILED',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** A failure as plain data: what travels on `msg.error.cause` and what `say` renders for the reader. */
export interface Failure {
  code: ErrorCode;
  /** Key of a text with the two entries `message` and `hint`, e.g. `errors.not-whitelisted`. */
  text: string;
  /** Values for the text, plain JSON, never a secret. */
  data: Record<string, unknown>;
}

/**
 * The one error of Potion. `message` (English, for logs) says what happened, `hint` what to do next;
 * the reader's own language comes from `text` and `data` when `say` renders it.
 */
export class PotionError extends Error {
  readonly code: ErrorCode;
  readonly hint: string;
  // Node-RED copies `code` and `cause` onto msg.error for Catch nodes, so the facts travel as data.
  override readonly cause: Failure;

  constructor(code: ErrorCode, text: string, data: Record<string, unknown> = {}, from?: unknown) {
    const facts = from === undefined ? data : { detail: describe(from), ...data };
    super(render('en-US', `${text}.message`, facts, 'plain'));
    this.name = 'PotionError';
    this.code = code;
    this.hint = render('en-US', `${text}.hint`, facts, 'plain');
    this.cause = { code, text, data: facts };
  }
}

/** One line that says what an unknown thrown value was. */
export function describe(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message;
  return typeof thrown === 'string' ? thrown : JSON.stringify(thrown);
}

/** Any thrown value as a PotionError: UNAVAILABLE from the database, else FAILED, with its own words as detail. */
export function toPotionError(thrown: unknown): PotionError {
  if (thrown instanceof PotionError) return thrown;
  // As node:sqlite names everything that goes wrong in the database: full, locked, damaged, read-only.
  if ((thrown as { code?: unknown } | null)?.code === 'ERR_SQLITE_ERROR')
    return new PotionError('UNAVAILABLE', 'errors.database-use', {}, thrown);
  return new PotionError('FAILED', 'errors.unexpected', {}, thrown);
}

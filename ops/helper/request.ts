import { type HelperReason, MOST_REQUEST } from '../../nodes/host/helper-protocol.js';

/** Why a request is not carried out. */
export class Refusal extends Error {
  readonly reason: HelperReason;

  constructor(reason: HelperReason, detail: string) {
    super(detail);
    this.reason = reason;
  }
}

/** Turns what was sent for one argument into what the program is given. @throws Refusal */
export type Check = (value: unknown) => string;

/** A request in the right form; its verb and arguments are still anything. */
export interface Request {
  verb: string;
  args: Record<string, unknown>;
}

/**
 * Reads a request line.
 * @param line without its line break
 * @throws Refusal
 */
export function parseRequest(line: Buffer): Request {
  if (line.length > MOST_REQUEST) throw new Refusal('request', `longer than ${MOST_REQUEST} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(line));
  } catch {
    throw new Refusal('request', 'not a line of JSON');
  }
  const { verb, args } = exactly(value, ['verb', 'args'], 'the request');
  if (typeof verb !== 'string') throw new Refusal('request', 'verb is not text');
  return { verb, args: plain(args, 'args') };
}

/**
 * The arguments, each through its check, in the order of the checks. Those and no others must be there.
 * @throws Refusal
 */
export function checkedArgs(args: Record<string, unknown>, checks: Record<string, Check>): string[] {
  exactly(args, Object.keys(checks), 'args');
  return Object.entries(checks).map(([name, check]) => check(args[name]));
}

/** A check for a whole number in a range. */
export function wholeNumber(min: number, max: number): Check {
  return (value) => {
    if (!Number.isSafeInteger(value) || (value as number) < min || (value as number) > max)
      throw new Refusal('request', `not a whole number from ${min} to ${max}`);
    return String(value);
  };
}

/** A check for one of a few words. */
export function oneOf(...words: string[]): Check {
  return (value) => {
    if (typeof value !== 'string' || !words.includes(value))
      throw new Refusal('request', `not one of: ${words.join(', ')}`);
    return value;
  };
}

/** A check for the whole id of a commit of git. */
export function commitId(value: unknown): string {
  if (typeof value !== 'string' || !/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(value))
    throw new Refusal('request', 'not the whole id of a commit');
  return value;
}

function exactly(value: unknown, keys: readonly string[], what: string): Record<string, unknown> {
  const object = plain(value, what);
  const found = Object.keys(object);
  if (found.length !== keys.length || !keys.every((key) => Object.hasOwn(object, key)))
    throw new Refusal('request', `${what} must have exactly: ${keys.join(', ') || 'nothing'}`);
  return object;
}

function plain(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Refusal('request', `${what} is not an object`);
  return value as Record<string, unknown>;
}

import type { Duplex } from 'node:stream';
import type { HelperEnd } from '../../nodes/host/helper-protocol.js';
import { execute, type Place } from './execute.js';
import { checkedArgs, parseRequest, Refusal } from './request.js';
import { Answer, readLine } from './talk.js';
import { type Group, type Verb, verbNamed } from './verbs.js';

const REQUEST_LIMIT = 5000;

export interface Surroundings {
  group: Group;
  /** HELPER_VERBS. */
  allowed?: string;
  place: Place;
  /** Keeps a line for the administrator, with its syslog priority. */
  log(priority: 4 | 5, event: string, facts: Record<string, unknown>): void;
  /** Called with the verb before its program is started. */
  onStart?(verb: Verb): void;
}

/** Answers the one request of a connection. Never throws; every request and its end is logged. */
export async function serve(socket: Duplex, around: Surroundings): Promise<void> {
  const answer = new Answer(socket);
  const started = performance.now();
  const end = await carryOut(socket, answer, around).catch(refused);
  const took = Math.round(performance.now() - started);
  around.log(end.reason ? 4 : 5, 'end', { ...end, took });
  answer.say(end);
  await answer.end();
}

async function carryOut(socket: Duplex, answer: Answer, around: Surroundings): Promise<HelperEnd> {
  const line = await readLine(socket, REQUEST_LIMIT);
  // Before anything is judged: what was refused is what the administrator wants to see.
  around.log(5, 'request', { line: line.toString('utf8').slice(0, 500) });
  const request = parseRequest(line);
  const verb = verbNamed(request.verb, around.group, around.allowed);
  const args = checkedArgs(request.args, verb.args);
  around.onStart?.(verb);
  return execute(verb, args, around.place, (told) => answer.say(told));
}

function refused(thrown: unknown): HelperEnd {
  if (thrown instanceof Refusal) return { exit: null, reason: thrown.reason, detail: thrown.message };
  return { exit: null, reason: 'broken', detail: thrown instanceof Error ? thrown.message : String(thrown) };
}

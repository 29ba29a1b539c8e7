import type { Clock } from '../../kit/clock.js';
import type { Door } from '../../kit/door.js';
import type { Message, Request } from '../../kit/messages.js';
import type { Database } from '../../state/database.js';
import { answered, interrupt, type KeptRequest, repeat, unanswered } from '../../state/requests.js';
import { commandLine } from './parse.js';
import type { Patience } from './patience.js';

/** What becomes of a request that the last process left without an answer. */
export type Recovery =
  /** It only reads: do it again. */
  | 'repeat'
  /** Say that it may or may not have happened. */
  | 'tell'
  /** Say that it was not answered, and that it may be sent again. */
  | 'tell-lost'
  /** Too old to speak of. */
  | 'forget';

/** Older ones are not repeated: the person has asked again, or no longer cares. Milliseconds. */
export const REPEAT_WITHIN = 600_000;
/** Older ones are not even spoken of. Milliseconds. */
export const TELL_WITHIN = 86_400_000;
/** At most so many are spoken of, the newest. */
const TELL_MOST = 20;

/**
 * Decides what becomes of a request after a crash. One that changes something is never repeated, and one that
 * only reads is repeated once, in case it was what ended the process.
 * @param exists whether its command is still there (true for an answer of the gate itself)
 */
export function afterCrash(
  request: Pick<KeptRequest, 'changes' | 'state' | 'at'>,
  now: number,
  exists: boolean,
): Recovery {
  const age = Math.abs(now - request.at);
  if (age > TELL_WITHIN) return 'forget';
  if (request.changes) return 'tell';
  const firstTime = request.state === 'received';
  return firstTime && exists && age <= REPEAT_WITHIN ? 'repeat' : 'tell-lost';
}

export interface Rescue {
  db: Database;
  clock: Clock;
  door: Door;
  patience: Patience;
  say(msg: Message): void;
}

/** Takes up what the last process left: nothing that changes something happens a second time. */
export async function recover({ db, clock, door, patience, say }: Rescue): Promise<void> {
  const now = clock.now();
  const left = (await unanswered(db)).map((kept) => {
    const command = kept.command === '' ? undefined : door.find(kept.command);
    const exists = kept.command === '' || command !== undefined;
    return { kept, command, plan: afterCrash(kept, now, exists) };
  });
  const over = left.filter(({ plan }) => plan !== 'repeat');
  await interrupt(
    db,
    over.map(({ kept }) => kept.id),
    now,
  );
  const told = over.filter(({ plan }) => plan !== 'forget').slice(-TELL_MOST);
  for (const { kept } of over.filter((one) => !told.includes(one))) await answered(db, kept.id, now);
  for (const { kept, plan } of told) say(notice(kept, plan === 'tell' ? 'gate.interrupted' : 'gate.lost'));

  for (const { kept, command, plan } of left) {
    if (plan !== 'repeat' || !(await repeat(db, kept.id))) continue;
    if (!command) say(kept.message);
    else {
      patience.watch(kept.message.request as Request);
      command.deliver(kept.message);
    }
  }
}

function notice(kept: KeptRequest, text: string): Message {
  const request = kept.message.request as Request;
  const line = kept.command === '' ? '' : commandLine(request.command, request.args);
  return { request, say: { text, data: { line, at: kept.at } } };
}

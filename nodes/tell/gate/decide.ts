import type { CommandSpec, Deliver, Door } from '../../kit/door.js';
import { nearest } from '../../kit/nearest.js';
import type { Update } from './identify.js';
import { type CommandLine, commandLine, parseCommand, verdict } from './parse.js';

/** What an update means. */
export type Decision =
  | { do: 'run'; spec: CommandSpec; deliver: Deliver; args: string[]; text: string }
  /** It changes something and may have been wanted long ago. */
  | { do: 'ask-again'; spec: CommandSpec; line: string }
  | { do: 'answer'; question: string; yes: boolean }
  /** A yes or no in words, to the newest question. */
  | { do: 'answer-newest'; yes: boolean }
  | { do: 'expand'; shortcut: string }
  | { do: 'unknown'; name: string; nearest?: string }
  /** Nothing that the gate understands; worth a hint now and then. */
  | { do: 'hint'; about: 'text' | 'forwarded' | 'button' }
  | { do: 'ignore'; why: 'other-bot' };

export interface Circumstances {
  door: Door;
  /** Epoch ms. */
  now: number;
  /** Updates that have waited may be arriving: a press, which has no time of its own, may be an old one. */
  backlog: boolean;
  /** Name of our bot, to know in groups which commands are meant for another. */
  botName?: string;
}

/** A message older than this at receipt may no longer be wanted. */
export const STALE = 120_000;

/** Decides what an admin's update means. Changes nothing. */
export function decide(update: Update, around: Circumstances): Decision {
  return update.press ? decidePress(update, around) : decideText(update, around);
}

/** What a shortcut's command line means, pressed as `update`. */
export function decideLine(update: Update, line: string, around: Circumstances): Decision {
  const command = parseCommand(line);
  return command ? decideCommand(update, command, around) : { do: 'hint', about: 'button' };
}

/**
 * Whether what was sent may no longer be wanted, or can't be known to be. A time in the future says that this
 * machine's clock is wrong (an old battery), so the age is unknown.
 */
export function isStale({ sentAt, carriedAt = 0 }: Update, now: number, backlog: boolean): boolean {
  if (sentAt !== undefined) return Math.abs(now - sentAt) > STALE;
  return backlog && Math.abs(now - carriedAt) > STALE;
}

function decidePress(update: Update, around: Circumstances): Decision {
  const answer = /^(ok|no):([\w-]{1,60})$/.exec(update.text);
  if (answer?.[2]) return { do: 'answer', question: answer[2], yes: answer[1] === 'ok' };
  const shortcut = /^#([\w-]{1,60})$/.exec(update.text);
  if (shortcut?.[1]) return { do: 'expand', shortcut: shortcut[1] };
  return decideLine(update, update.text, around);
}

function decideText(update: Update, around: Circumstances): Decision {
  const command = parseCommand(update.text);
  if (update.forwarded) return { do: 'hint', about: command ? 'forwarded' : 'text' };
  if (command) return decideCommand(update, command, around);
  const button = around.door.findButton(update.text);
  if (button) return decideEntry(update, button, [], '', around);
  const yes = verdict(update.text);
  if (yes !== undefined && !isStale(update, around.now, around.backlog)) return { do: 'answer-newest', yes };
  return { do: 'hint', about: 'text' };
}

function decideCommand(update: Update, command: CommandLine, around: Circumstances): Decision {
  const { door, botName } = around;
  if (update.group && command.bot && command.bot.toLowerCase() !== botName?.toLowerCase())
    return { do: 'ignore', why: 'other-bot' };
  const entry = door.find(command.name);
  if (entry) return decideEntry(update, entry, command.args, command.text, around);
  const names = door.list().flatMap((spec) => (spec.hidden ? [] : [spec.name, ...spec.aliases]));
  return { do: 'unknown', name: command.name, nearest: nearest(command.name, names) };
}

function decideEntry(
  update: Update,
  { spec, deliver }: { spec: CommandSpec; deliver: Deliver },
  args: string[],
  text: string,
  { now, backlog }: Circumstances,
): Decision {
  if (spec.changes && isStale(update, now, backlog))
    // As it was typed: a text of several lines stays one.
    return { do: 'ask-again', spec, line: text ? `/${spec.name} ${text}` : commandLine(spec.name, args) };
  return { do: 'run', spec, deliver, args, text };
}

import { redact } from '../../../nodes/kit/redact.js';

/** Something that is wrong with the flows: where, what, and what to do about it. */
export interface Problem {
  /** File name in the flows folder; absent when it is about flows that are not in a file yet. */
  file?: string;
  /** Counted from 1. */
  line?: number;
  column?: number;
  what: string;
  /** What a person can do. */
  hint: string;
}

// More than this on the console hides the first one.
const SHOWN = 10;

/** Flows that must not be started, saved or imported. Carries every problem, not only the first. */
export class FlowsError extends Error {
  readonly problems: readonly Problem[];
  // Node-RED answers a refused deploy with this and the message.
  readonly code = 'flows_refused';
  readonly status = 422;

  constructor(lead: string, problems: readonly Problem[]) {
    super(redact(`${lead}\n${describeProblems(problems)}`));
    this.name = 'FlowsError';
    this.problems = problems;
    // Node-RED logs message and stack; the second would only repeat the first.
    this.stack = `${this.name}: ${lead}`;
  }
}

/** One block of lines per problem, `file:line:column` first as compilers do. */
export function describeProblems(problems: readonly Problem[]): string {
  const lines = problems.slice(0, SHOWN).map(({ file, line, column, what, hint }) => {
    const where = [file, line, column].filter((part) => part !== undefined).join(':');
    return `  ${where ? `${where}: ` : ''}${what}${hint ? `\n      ${hint}` : ''}`;
  });
  if (problems.length > SHOWN) lines.push(`  … and ${problems.length - SHOWN} more`);
  return lines.join('\n');
}

import { randomBytes } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import { distrustOf, trustedOwners } from '../../host/trusted-file.js';
import { PotionError, toPotionError } from '../../kit/errors.js';
import { printableLine } from '../../kit/printable-line.js';
import { redact } from '../../kit/redact.js';
import { run } from '../../kit/run.js';
import type { Script } from './definition.js';
import { programFiles, whyNoProgram } from './programs.js';

/** A script that is running. */
export interface Run {
  id: string;
  name: string;
  /** Monotonic ms. */
  started: number;
  /** The last line that it has written so far. */
  line(): string;
  cancel(): void;
}

/** What came of it. */
export interface Ran {
  exitCode: number;
  /** Standard output, and behind it what it has complained of. */
  output: string;
  /** There was more than is kept. */
  truncated: boolean;
  /** Seconds. */
  took: number;
}

/** Characters kept of what a script writes. */
const MOST_OUTPUT = 2_000_000;
const LONGEST_LINE = 200;
const LAST_LINES = 8;

/** The scripts that are running in this process, by name: each once at a time. */
const underWay = new Map<string, Run>();

/** A running script by the id of its run. */
export function runById(id: string): Run | undefined {
  return [...underWay.values()].find((one) => one.id === id);
}

/**
 * Why a command line can't be relied on to do what root has written down: somebody else may change its program.
 * @throws PotionError DENIED, or UNAVAILABLE when it is not there
 */
export function checkPrograms(argv: readonly string[]): void {
  const [program = '', ...rest] = argv;
  for (const program of programFiles(argv)) {
    try {
      const distrust = distrustOf(program, trustedOwners());
      if (distrust)
        throw new PotionError('DENIED', 'script.errors.untrusted-program', { program, ...distrust });
    } catch (thrown) {
      if (thrown instanceof PotionError) throw thrown;
      throw new PotionError('UNAVAILABLE', 'script.errors.no-program', { program }, thrown);
    }
  }
  // A link of another name changes nothing.
  const real = realpathSync(program);
  if (whyNoProgram([real, ...rest])?.text === 'inline-code')
    throw new PotionError('DENIED', 'script.errors.hidden-interpreter', { program, real });
}

/**
 * Runs a script to its end.
 * @param begun told of it as soon as it runs
 * @throws PotionError BUSY when it is running already, TIMEOUT or CANCELLED with its last lines, DENIED, UNAVAILABLE
 */
export async function runScript(
  script: Script,
  argv: readonly string[],
  { signal, monotonic }: { signal: AbortSignal; monotonic: () => number },
  begun: (run: Run) => void,
): Promise<Ran> {
  const { name, timeout } = script;
  if (underWay.has(name)) throw new PotionError('BUSY', 'script.errors.busy', { name });
  checkPrograms(argv);
  const stop = new AbortController();
  const heard = new Ear();
  const own: Run = {
    id: randomBytes(9).toString('base64url'),
    name,
    started: monotonic(),
    line: () => heard.lastLines(1)[0] ?? '',
    cancel: () => stop.abort(),
  };
  underWay.set(name, own);
  begun(own);
  const [program = '', ...args] = argv;
  try {
    const result = await run(program, args, {
      timeout: timeout * 1000,
      signal: AbortSignal.any([signal, stop.signal]),
      cwd: '/',
      onText: (text) => heard.take(text),
      group: true,
    });
    return {
      exitCode: result.exitCode,
      output: readable(heard.text),
      truncated: heard.truncated,
      took: (monotonic() - own.started) / 1000,
    };
  } catch (thrown) {
    const { code } = toPotionError(thrown);
    if (code !== 'TIMEOUT' && code !== 'CANCELLED') throw thrown;
    throw new PotionError(code, `script.errors.${code.toLowerCase()}`, {
      name,
      timeout,
      lines: heard.lastLines(LAST_LINES),
    });
  } finally {
    underWay.delete(name);
  }
}

/** Keeps the end of what a program writes, however much that is. */
class Ear {
  text = '';
  truncated = false;

  take(text: string): void {
    this.text += text;
    // Cut now and then, not at each piece.
    if (this.text.length > MOST_OUTPUT * 1.5) this.#cut();
  }

  #cut(): void {
    this.text = this.text.slice(-MOST_OUTPUT).toWellFormed();
    this.truncated = true;
  }

  lastLines(count: number): string[] {
    const lines = this.text.slice(-LONGEST_LINE * 4 * count).split(/[\r\n]+/);
    const clean = lines
      .map((line) => redact(printableLine(line, LONGEST_LINE)))
      .filter((line) => line.trim());
    return clean.slice(-count);
  }
}

/** Without colours and other orders to a terminal, and without tokens. */
function readable(output: string): string {
  const plain = stripVTControlCharacters(output).replace(/[^\P{Cc}\n\t]/gu, '');
  return redact(plain.toWellFormed()).trimEnd();
}

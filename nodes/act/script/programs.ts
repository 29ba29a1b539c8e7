import { basename, isAbsolute } from 'node:path';

/** Programs whose first argument is a file of commands, or which take commands as an argument. */
const INTERPRETER =
  /^(r|da|ba|z|a|k|mk|pdk|ya|fi|c|tc)?sh$|^(python|pypy|perl|ruby|lua|luajit|php|tclsh|wish|expect|guile|node|nodejs|deno|bun|Rscript|julia|groovy)[\d.]*(-dbg)?$/;
/** Programs that exist to start others, or to read which from their arguments. */
const LAUNCHER =
  /^(env|busybox|toybox|xargs|parallel|watch|script|ssh|su|sudo|doas|pkexec|runuser|setpriv|chroot|unshare|nsenter|systemd-run|nohup|nice|ionice|timeout|setsid|stdbuf|taskset|flock|time|strace|gdb)$/;

/** Why a command line must not be run from a chat. */
export interface NoProgram {
  /** A text of `script.problems`. */
  text: 'inline-code' | 'launcher';
  /** Which element. */
  index: number;
  name: string;
}

/**
 * Refuses interpreters that are not followed at once by the absolute path of a script file (so neither `sh -c …`,
 * `python3 -m …` nor a file that the chat names), and programs that start others. What is fixed in such a line is
 * no danger, but one placeholder more would make it a shell.
 */
export function whyNoProgram(argv: readonly string[]): NoProgram | undefined {
  const name = basename(argv[0] ?? '');
  if (LAUNCHER.test(name)) return { text: 'launcher', index: 0, name };
  const [, first = ''] = argv;
  if (INTERPRETER.test(name) && !isAbsolute(first)) return { text: 'inline-code', index: 0, name };
  return undefined;
}

/** The files whose content decides what a command line does. */
export function programFiles(argv: readonly string[]): string[] {
  const [program = '', first = ''] = argv;
  return INTERPRETER.test(basename(program)) ? [program, first] : [program];
}

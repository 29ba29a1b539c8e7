import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { GUEST_HOME, GUEST_NODE, type Machine } from './machine.ts';

/** How a call inside failed: the facts of its PotionError. */
export class InsideError extends Error {
  readonly code: string;
  readonly hint: string;

  constructor({ code, message, hint }: { code: string; message: string; hint: string }) {
    super(message);
    this.name = 'InsideError';
    this.code = code;
    this.hint = hint;
  }
}

/** Drives a program of test/machine/inside over its stdin and stdout. */
export class Driver<Event = Record<string, unknown>> {
  /** What it has told so far, oldest first. */
  readonly events: Event[] = [];
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve: (value: never) => void; reject: (why: Error) => void }>();
  #errors = '';
  #last = 0;
  #ended: Error | undefined;

  constructor(
    machine: Machine,
    program: string,
    options: { user?: string; env?: Record<string, string> } = {},
  ) {
    const node = [GUEST_NODE, '--disable-warning=ExperimentalWarning', `test/machine/inside/${program}.ts`];
    // Node-RED's test helper looks for Node-RED from the folder that it is started in.
    const args = ['sh', '-c', 'cd "$0" && exec "$@"', GUEST_HOME, ...node];
    this.#child = machine.spawn(args, { ...options, cwd: GUEST_HOME });
    const { stdout, stderr } = this.#child;
    if (!stdout || !stderr) throw new Error('no pipes');
    stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#errors = (this.#errors + text).slice(-4000);
    });
    createInterface({ input: stdout }).on('line', (line) => this.#receive(line));
    this.#child.once('close', (code) => {
      this.#ended = new Error(`${program} has ended (${code}): ${this.#errors}`);
      for (const { reject } of this.#waiting.values()) reject(this.#ended);
    });
  }

  /** Calls a method inside. @throws InsideError */
  ask<T = unknown>(method: string, ...args: unknown[]): Promise<T> {
    if (this.#ended) return Promise.reject(this.#ended);
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.stdin?.write(`${JSON.stringify({ id, method, args })}\n`);
    });
  }

  /** The first event, told already or still to come, that is as asked. */
  async event(is: (event: Event) => boolean, ms = 5000): Promise<Event> {
    return until(
      () => this.events.find(is),
      ms,
      () => `events: ${JSON.stringify(this.events.slice(-10))}`,
    );
  }

  /** Ends the program. */
  stop(): void {
    this.#child.kill('SIGKILL');
  }

  #receive(line: string): void {
    if (!line.startsWith('{')) {
      this.#errors += `${line}\n`;
      return;
    }
    const { id, result, error, event } = JSON.parse(line);
    if (event) {
      this.events.push(event);
      return;
    }
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error) waiting?.reject(new InsideError(error));
    else waiting?.resolve(result as never);
  }
}

/** Waits until something is there. */
export async function until<T>(
  look: () => T | undefined | Promise<T | undefined>,
  ms = 5000,
  otherwise: () => string = () => 'it did not come',
): Promise<T> {
  const deadline = performance.now() + ms;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`not within ${ms} ms; ${otherwise()}`);
    await sleep(10);
  }
}

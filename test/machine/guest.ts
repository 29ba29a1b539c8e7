import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Message } from '../../nodes/kit/messages.js';
import { GUEST_HOME, GUEST_NODE, type Machine } from './machine.ts';

/** A flow that runs in a process of its own inside a machine. */
export class Guest {
  readonly messages: { node: string; msg: Message }[] = [];
  #child: ChildProcess;
  #errors = '';
  #waiting = new Set<() => void>();

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#errors = (this.#errors + text).slice(-4000);
    });
    child.once('close', () => this.#wake());
  }

  /** Resolves when the flow has started. */
  static async start(
    machine: Machine,
    {
      paths,
      flow,
      env,
      user,
    }: { paths: string[]; flow: object[]; env: Record<string, string>; user?: string },
  ): Promise<Guest> {
    // Node-RED's test helper looks for Node-RED from the folder that it is started in.
    const script = 'cd "$0" && exec "$@"';
    const node = [GUEST_NODE, '--disable-warning=ExperimentalWarning', 'test/machine/guest-flow.ts'];
    const args = ['sh', '-c', script, GUEST_HOME, ...node, JSON.stringify({ paths, flow })];
    const guest = new Guest(machine.spawn(args, { env, user }));
    await guest.#ready();
    return guest;
  }

  /** What has reached a helper node. */
  got(node: string): Message[] {
    return this.messages.filter((one) => one.node === node).map((one) => one.msg);
  }

  give(node: string, msg: Message): void {
    this.#child.stdin?.write(`${JSON.stringify({ node, msg })}\n`);
  }

  /** Waits until what has been told so far satisfies a condition. */
  async until(what: string, holds: () => boolean, ms = 15_000): Promise<void> {
    const deadline = performance.now() + ms;
    while (!holds()) {
      const left = deadline - performance.now();
      if (left <= 0 || this.#child.exitCode !== null)
        throw new Error(`${what} did not come\n${JSON.stringify(this.messages)}\n${this.#errors}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#waiting.add(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  /** Ends the process as a crash does. */
  async kill(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.kill('SIGKILL');
    await ended;
  }

  #ready(): Promise<void> {
    let isReady = false;
    createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      const said = line.startsWith('{') ? JSON.parse(line) : {};
      if (said.ready) isReady = true;
      if (said.node) this.messages.push(said);
      this.#wake();
    });
    return this.until('the start of the flow', () => isReady, 30_000);
  }

  #wake(): void {
    for (const resume of this.#waiting) resume();
    this.#waiting.clear();
  }
}
